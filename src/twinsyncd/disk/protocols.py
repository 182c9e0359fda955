"""What the drive adapters need from others: which files matter, and what is remembered."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from ..core.model import Fingerprint


class Wanted(Protocol):
    """What of a source matters; paths are relative POSIX, "" is the source's folder."""

    def file(self, path: str) -> bool:
        """Return whether this file is matched."""

    def folder(self, path: str) -> bool:
        """Return whether this folder can hold a match, itself or deeper."""


class Known(Protocol):
    """What is remembered of a source; paths are relative POSIX, "" is the source's folder."""

    def folders(self, source: str) -> Iterable[str]:
        """Return every folder that directly holds a remembered file."""

    def files(self, source: str, folder: str) -> Mapping[str, Fingerprint | None]:
        """Return the names remembered directly in the folder; None: never hashed."""


class Entry(Protocol):
    """The part of os.DirEntry that a scan uses."""

    @property
    def name(self) -> str:
        """The name as the system gives it."""

    def is_symlink(self) -> bool:
        """Return whether it is a symbolic link."""

    def is_dir(self, *, follow_symlinks: bool) -> bool:
        """Return whether it is a folder."""

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        """Look at it."""


Lister = Callable[[str], AbstractContextManager[Iterator[Entry]]]
"""Lists a folder; os.scandir, or what a test puts in its place."""
