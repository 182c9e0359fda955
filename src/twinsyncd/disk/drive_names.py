"""Names the drive that a folder lies on without touching it, since it may hang.

Only the list of mounts is read, and links on drives of this machine are followed: what lies on a
share, or behind it, is never looked at.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from . import mounts
from .root import Mounts

LINKS_MAX: Final = 40  # as many as the kernel follows
READ_S: Final = 5.0  # how long a new mount goes unnoticed


class DriveNames:
    """Names of drives by folder; may be called from any thread."""

    def __init__(
        self,
        *,
        listed: Mounts = mounts.listed,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives monotonic seconds; the mounts are read every READ_S at most."""
        self._listed = listed
        self._clock = clock
        self._lock = threading.Lock()
        self._read_s = float("-inf")
        self._mounts: list[mounts.Mount] = []
        self._names: dict[Path, str] = {}

    def __call__(self, folder: Path) -> str:
        """Return the mount point, drive letter or share of the folder."""
        with self._lock:
            if self._clock() - self._read_s >= READ_S:
                self._read_s, listed = self._clock(), self._listed()
                if listed != self._mounts:
                    self._mounts = listed
                    self._names.clear()
            name = self._names.get(folder)
            if name is None:
                name = self._names[folder] = drive_name(str(folder), self._mounts)
            return name


def drive_name(folder: str, listed: Sequence[mounts.Mount]) -> str:
    """Return the mount point, drive letter or share that a folder lies on, or may lie on.

    Where no mounts are known, the first two names of the path stand for it (`/Volumes/cad`).
    """
    path = Path(os.path.normpath(Path(folder).absolute()))
    if sys.platform == "win32":
        return path.drive.lower()
    if not listed:
        return str(Path(*path.parts[:3]))
    for _ in range(LINKS_MAX):
        followed = _follow_one(path, listed)
        if followed is None:
            break
        path = followed
    held = mounts.holding(str(path), listed)
    return held.point if held else "/"


def _follow_one(path: Path, listed: Sequence[mounts.Mount]) -> Path | None:
    """Return the path with its first link replaced by its target; None if there is none."""
    above = Path("/")
    for number, name in enumerate(path.parts[1:], 2):
        part, held = above / name, mounts.holding(str(above), listed)
        target = None
        if held is not None and not _may_hang(held.kind) and not _is_point(str(part), listed):
            with suppress(OSError):  # no link, or not there
                target = part.readlink()
        if target is not None:
            return Path(os.path.normpath(above.joinpath(target, *path.parts[number:])))
        above = part
    return None


def _may_hang(kind: str) -> bool:
    return mounts.is_network(kind) or kind in {"autofs", "fuseblk"}


def _is_point(path: str, listed: Sequence[mounts.Mount]) -> bool:
    return any(mount.point == path for mount in listed)
