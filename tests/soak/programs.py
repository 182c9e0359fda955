"""The real daemon and the real localtwin as processes: killed, started again, ended for sure."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from localtwin.serve import Ready

_NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"


class Process:
    """A program that is running while the context lasts; its output goes to a file."""

    def __init__(self, module: str, arguments: Sequence[str], output: Path) -> None:
        """Take what to run; nothing runs before `__enter__`."""
        self._command = [sys.executable, "-m", module, *arguments]
        self._output = output
        self.starts = 0
        self.died: list[int] = []  # exit codes of deaths that nobody asked for

    @property
    def pid(self) -> int:
        """The present process."""
        return self._process.pid

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def replace(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """SIGKILL it and start it again at once, or once `meanwhile` is done."""
        self._note_death()
        self._process.kill()
        self._process.wait()
        meanwhile()
        self._start()

    def revive(self) -> bool:
        """Start it again if it died by itself, and remember that it did; return if it had."""
        dead = self._note_death()
        if dead:
            self._start()
        return dead

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def _note_death(self) -> bool:
        code = self._process.poll()
        if code is not None:
            self.died.append(code)
        return code is not None

    def _start(self) -> None:
        self.starts += 1
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(self._output.parent / "bytecode"),
            )


def _environment(bytecode: Path) -> dict[str, str]:
    """Return an environment in which programs start compiled, as installed ones do.

    Where bytecode may not be written beside the sources, each start would take seconds.
    """
    inherited = {key: value for key, value in os.environ.items() if key != _NO_BYTECODE}
    return {**inherited, "PYTHONPYCACHEPREFIX": str(bytecode)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything of one soak lies, and how to sign in."""

    folder: Path
    ready: Ready

    @property
    def drive(self) -> Path:
        """The shared drive."""
        return self.folder / "drive"

    @property
    def journal(self) -> Path:
        """The daemon's memory."""
        return self.folder / "state" / "journal.sqlite"

    @property
    def imodel(self) -> Path:
        """The iModel's own file."""
        return self.ready.data / "imodels" / self.ready.imodel_id / "imodel.sqlite"

    def write_config(
        self, file: Path, proxy_port: int, folders: Mapping[str, str], settle: str
    ) -> None:
        """Write the daemon's configuration: a connection per folder, for files of one suffix."""
        url = f"http://127.0.0.1:{proxy_port}"
        text = f"""\
[platform]
api_url = "{url}"
issuer_url = "{url}"
[auth]
client_id = "{self.ready.client_id}"
client_secret = "{self.ready.client_secret}"
[daemon]
state_folder = "{self.folder / "state"}"
log_format = "json"
"""
        for folder, suffix in folders.items():
            text += f"""
[[connection]]
name = "{folder}"
itwin_id = "{self.ready.itwin_id}"
imodel_id = "{self.ready.imodel_id}"
settle = "{settle}"
settle_by_format = {{ ifc = "{settle}" }}
batch_quiet = "0.3s"
mass_deletion_least = 10
poll = "1s"
scan_every = "20s"
  [[connection.source]]
  folder = "{self.drive / folder}"
  include = ["**/*.{suffix}"]
  # Half a save must be kept out by settling alone here, or the soak would miss what it is for.
  only_complete = false
  storage_folder = "{folder}"
"""
        file.touch(mode=0o600)
        file.write_text(text, "utf-8")
