"""Starts programs as real processes that share one import of the code.

Importing takes most of the time of a short command, and the tests start hundreds. So one process
per test worker imports everything once; each program is a fork of it, with its own output,
environment and process id, and can be stopped and killed like any other.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Final

import twinsyncd

PRELOADED: Final = (
    "alembic.command",
    "localtwin.serve",
    "twinsyncd.cli.app",
    "twinsyncd.runtime.engine",
    "twinsyncd.runtime.notify_wiring",
    "twinsyncd.runtime.overall_state",
    "twinsyncd.runtime.sync_once",
    "twinsyncd.runtime.verify",
    "twinsyncd.runtime.wiring",
)
REQUEST_MAX: Final = 1 << 20  # bytes


class Forked:
    """A program that the server started; as much of `subprocess.Popen` as the tests use."""

    def __init__(
        self, arguments: Sequence[str], env: Mapping[str, str], out: int, err: int
    ) -> None:
        """Start `twinsyncd` with the arguments, its output going to the descriptors."""
        self._report, theirs = os.pipe()
        request = json.dumps([*arguments, dict(env), str(Path.cwd())]).encode()
        with Path(os.devnull).open("rb") as nothing:
            socket.send_fds(_server()[0], [request], [nothing.fileno(), out, err, theirs])
        os.close(theirs)
        self._returned: int | None = None
        self.pid = int(self._line())

    def poll(self) -> int | None:
        """Return its exit code, -N for a signal; None while it runs."""
        if self._returned is None and select.select([self._report], [], [], 0)[0]:
            self._take_code()
        return self._returned

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit code once it has ended. Raises subprocess.TimeoutExpired."""
        if self._returned is None:
            if not select.select([self._report], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            self._take_code()
        assert self._returned is not None
        return self._returned

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.send_signal(signal.SIGKILL)

    def _take_code(self) -> None:
        self._returned = int(self._line())
        os.close(self._report)

    def _line(self) -> bytes:
        """Return the next line of the report: the process id, later the exit code."""
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self._report, 1)
            assert byte, "the fork server has died"
            line += byte
        return line


@lru_cache(maxsize=1)
def _server() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Return the socket of this process's server, and the server, which ends with us."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, __file__, str(theirs.fileno())]
    process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()
    return ours, process


def _serve(control: socket.socket) -> None:
    """Start programs until the test worker is gone."""
    for module in PRELOADED:
        import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    while True:
        request, fds, *_ = socket.recv_fds(control, REQUEST_MAX, 4)
        if not request:
            return
        if os.fork() == 0:
            control.close()
            _keep(request, fds)
        for fd in fds:
            os.close(fd)


def _keep(request: bytes, fds: Sequence[int]) -> None:
    """Start the program, and report its process id and exit code; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, report = fds
    program = os.fork()
    if program == 0:
        os.close(report)
        for standard, fd in enumerate(streams):
            os.dup2(fd, standard)
            os.close(fd)
        _run(*json.loads(request))
    for fd in streams:
        os.close(fd)
    os.write(report, f"{program}\n".encode())
    _, status = os.waitpid(program, 0)
    os.write(report, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _run(*request: object) -> None:
    """Be the program; never returns."""
    *arguments, env, folder = request
    os.chdir(str(folder))
    os.environ.clear()
    os.environ.update(env)  # type: ignore[call-overload]
    package = Path(twinsyncd.__file__).parent
    sys.argv = [str(package / "__main__.py"), *map(str, arguments)]
    code = 1
    try:
        import_module("twinsyncd.cli").main()
        code = 0
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except BaseException:  # noqa: BLE001 - the interpreter, which prints it, is not ours
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # as an interpreter does at its end
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
