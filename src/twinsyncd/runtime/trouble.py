"""The memory of last resort: why the daemon cannot use its journal, in a small file beside it.

The file has its full length from the start, so writing it needs no space on a full disk. Where the
state folder itself cannot be written, or is gone, the file lies in a folder for running programs.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from .held_file import is_held

FILE: Final = "trouble.json"
LENGTH: Final = 1024
ROOT: Final = 0
OF_SERVICE: Final = Path("/run/twinsyncd")  # systemd makes it, for the unit's RuntimeDirectory=


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the journal cannot be used, and since when (wall clock [s])."""

    reason: str
    since_s: float
    is_start: bool = False  # it has only just begun, and has not written its first heartbeat


class TroubleFile:
    """The file of one state folder; nothing here raises."""

    def __init__(self, folder: Path) -> None:
        """Write nothing yet."""
        self.folder = folder
        self._elsewhere: FileLock | None = None  # held as long as the other file is ours

    def write(self, trouble: Trouble | None) -> None:
        """Note what the trouble is; None: there is none."""
        if _write(self.folder / FILE, trouble) or trouble is None:
            self.close()
        else:
            self._write_elsewhere(trouble)

    def read(self) -> Trouble | None:
        """Return what a daemon noted last; None if there is no trouble, or nothing can be read."""
        return self._read_elsewhere() or _read(self.folder / FILE)  # the latter may be outdated

    def is_held_elsewhere(self) -> bool:
        """Return whether a daemon waits that cannot write to the state folder."""
        return self._read_elsewhere() is not None

    def _read_elsewhere(self) -> Trouble | None:
        found = (_read(file) for file in self._others() if is_held(_lock_of(file)))
        return next(filter(None, found), None)

    def _write_elsewhere(self, trouble: Trouble) -> None:
        for file in self._others():
            if self._hold(file) and _write(file, trouble):
                return

    def _hold(self, file: Path) -> bool:
        name = str(_lock_of(file))
        if self._elsewhere is not None:
            return self._elsewhere.lock_file == name
        lock = FileLock(name, timeout=0, mode=0o600)
        try:
            lock.acquire()
        except (OSError, Timeout):
            return False  # then another folder
        self._elsewhere = lock
        return True

    def close(self) -> None:
        """Let the others know that this process waits no more."""
        if self._elsewhere is None:
            return
        lock, self._elsewhere = self._elsewhere, None
        for file in (Path(lock.lock_file).with_suffix(".json"), Path(lock.lock_file)):
            try:
                file.unlink(missing_ok=True)
            except OSError:  # Windows: it is open; nobody reads it without its lock
                continue
        lock.release()

    def _others(self) -> Iterator[Path]:
        """Yield where the file may lie instead, for the daemon's account and for root."""
        name = hashlib.sha256(str(self.folder.absolute()).encode()).hexdigest()[:16]
        for folder in dict.fromkeys(_running_folders()):
            file = folder / f"twinsyncd-{name}.json"
            if folder.is_dir() and _is_trusted(file):
                yield file


def _running_folders() -> Iterator[Path]:
    yield OF_SERVICE
    if value := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(value)
    yield Path(tempfile.gettempdir())


def _lock_of(file: Path) -> Path:
    return file.with_suffix(".lock")


def _is_trusted(file: Path) -> bool:
    """Return whether nobody else put the file there: /tmp is for everybody."""
    if sys.platform == "win32" or file.parent == OF_SERVICE:
        return True
    mine = {os.geteuid(), ROOT}
    there = filter(os.path.lexists, (file, _lock_of(file)))
    try:
        return all(each.lstat().st_uid in mine for each in there)
    except OSError:
        return False


def _write(file: Path, trouble: Trouble | None) -> bool:
    values = asdict(replace(trouble, reason=trouble.reason[:700])) if trouble else {}
    content = json.dumps(values).encode("ascii").ljust(LENGTH)[:LENGTH]
    try:
        if file.exists():
            with file.open("r+b") as existing:
                existing.write(content)
        else:
            file.touch(mode=0o600)
            file.write_bytes(content)
    except OSError:
        return False
    return True


def _read(file: Path) -> Trouble | None:
    try:
        values = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(values, dict) or not values.get("reason"):
        return None
    is_start = bool(values.get("is_start"))
    return Trouble(str(values["reason"]), float(values.get("since_s", 0.0)), is_start)
