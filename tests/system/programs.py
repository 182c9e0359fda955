"""The programs under test as processes: started, watched by what they write, always ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

import pytest

from .fork_server import Forked
from .waiting import wait_until

TWINSYNCD: Final = (sys.executable, "-m", "twinsyncd")
BYTECODE: Final = Path(__file__).parents[2] / ".cache" / "bytecode"
END_S: Final = 30.0  # how long a program may take to end politely


class Program:
    """One process; what it writes goes to files next to each other."""

    def __init__(self, arguments: Sequence[str], output: Path) -> None:
        """Start it."""
        self._arguments = tuple(arguments)
        self.output = output
        self.log = output.with_suffix(".log")
        self._process = self._start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def text(self) -> str:
        """Return what it has printed so far."""
        return self.output.read_text("utf-8")

    def wait(self, patience_s: float = END_S) -> int:
        """Return its exit code once it has ended."""
        return self._process.wait(patience_s)

    def terminate(self) -> int:
        """Ask it to end, as a service manager does; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Start it again with the same arguments."""
        assert self.ended, "it still runs"
        self._process = self._start()

    def _start(self) -> Forked:
        with self.output.open("ab") as out, self.log.open("ab") as err:
            return Forked(self._arguments, environment(), out.fileno(), err.fileno())


class DaemonProgram(Program):
    """`twinsyncd run`, read through its JSON log."""

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the log's events of one name, oldest first."""
        return [event for event in events_in(self.log) if event["event"] == name]

    def wait_for(self, name: str, count: int = 1) -> dict[str, Any]:
        """Return the event of that name that makes them `count`."""

        def seen() -> list[dict[str, Any]]:
            found = self.events(name)
            assert len(found) >= count or not self.ended, f"it ended:\n{self.log.read_text()}"
            return found[count - 1 :]

        return wait_until(seen, f"{count} x {name}")[0]


@contextmanager
def program(*arguments: str, output: Path) -> Iterator[Program]:
    """Yield a running command; it is killed at the end if it still runs."""
    started = Program(arguments, output)
    with _ending(started):
        yield started


@contextmanager
def daemon(config: Path, output: Path, *, until: str = "daemon.started") -> Iterator[DaemonProgram]:
    """Yield a daemon that has logged this event; it is killed at the end if it still runs."""
    started = DaemonProgram(["run", "--config", str(config)], output)
    with _ending(started):
        started.wait_for(until)
        yield started


@contextmanager
def localtwin(data: Path, *options: str) -> Iterator[tuple[Program, str]]:
    """Yield a localtwin that is ready, and the configuration that it printed."""
    serving = Program(["local", "--data", str(data), *options], data.with_suffix(".out"))
    with _ending(serving):
        yield serving, wait_until(lambda: _whole_config(serving), "localtwin is ready")


def call(*arguments: str, prefix: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; `prefix`: a program that runs it, like `mortal`."""
    if not prefix:
        return _call_forked(arguments)
    return subprocess.run(
        [*prefix, *TWINSYNCD, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env=environment(),
    )


def _call_forked(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    with TemporaryFile() as out, TemporaryFile() as err:
        process = Forked(arguments, environment(), out.fileno(), err.fileno())
        code = process.wait(120)
        out.seek(0)
        err.seek(0)
        stdout, stderr = out.read().decode(), err.read().decode()
    return subprocess.CompletedProcess(list(arguments), code, stdout, stderr)


def mortal() -> Sequence[str]:
    """Return what runs a program so that the modes of files hold for it, whoever we are.

    Root keeps its account and loses the right to read everything.
    Source: capabilities(7), CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH; setpriv(1).
    """
    if os.geteuid() != 0:
        return ()
    if (setpriv := shutil.which("setpriv")) is None:
        pytest.skip("root reads everything, and setpriv is not here to end that")
    return (setpriv, "--bounding-set=-dac_override,-dac_read_search")


def environment() -> dict[str, str]:
    """Return our environment without what would change how the programs behave.

    Their bytecode is kept in a place of ours: compiling everything anew for every program would
    take longer than most tests, and some machines are told to keep none.
    """
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TWINSYNCD_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**ours, "COLUMNS": "200", "PYTHONUTF8": "1", "PYTHONPYCACHEPREFIX": str(BYTECODE)}


def events_in(log: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a JSON log; its last line may be still in writing."""
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield _event(line)


def _event(line: str) -> dict[str, Any]:
    try:
        event: dict[str, Any] = json.loads(line)
    except ValueError:
        raise AssertionError(f"not a log event: {line}") from None
    return event


def _whole_config(serving: Program) -> str:
    assert not serving.ended, f"localtwin ended:\n{serving.log.read_text('utf-8')}"
    text = serving.text()
    try:
        complete = "source" in tomllib.loads(text)["connection"][0]
    except (tomllib.TOMLDecodeError, KeyError):
        complete = False
    return text if complete and text.rstrip().endswith('"') else ""


@contextmanager
def _ending(started: Program) -> Iterator[None]:
    try:
        yield
    finally:
        if not started.ended:
            started.kill()
