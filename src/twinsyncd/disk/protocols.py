"""What the drive adapters need from others: which files matter, and what is remembered."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ..core.commands import Scan
from ..core.content import Content
from ..core.facts import FilesFound, ScanFailed, Scanned
from ..core.model import Digest, Fingerprint, SourceKey

Look = tuple[str, int, int, int, int]
"""A file's name and the fields of its fingerprint, in their order: the quick way to compare."""


class PathFilter(Protocol):
    """What of a source matters; paths are relative POSIX, "" is the source's folder."""

    def file(self, path: str) -> bool:
        """Return whether this file is matched."""

    def folder(self, path: str) -> bool:
        """Return whether this folder can hold a match, itself or deeper."""

    def name(self, name: str) -> bool:
        """Return False only if no file of this name is matched, whatever folder it is in."""


class Known(Protocol):
    """What is remembered of a source; paths are relative POSIX, "" is the source's folder."""

    def folders(self, source: SourceKey) -> Iterable[str]:
        """Return every folder that directly holds a remembered file."""

    def files(self, source: SourceKey, folder: str) -> Mapping[str, Fingerprint | None]:
        """Return the names remembered directly in the folder; None: never hashed."""

    def files_from(
        self, source: SourceKey, folder: str, rows: int
    ) -> tuple[Iterable[tuple[str, list[Look]]], bool]:
        """Return this folder and those after it, each with all its hashed files; about `rows`.

        In the order of the folders' text. The second value: there are no more after these.
        """

    def changes(self) -> float:
        """Return how many commits have changed remembered files so far."""

    def changed_at(self, source: SourceKey, folder: str) -> float:
        """Return the number of the newest change of a file directly in the folder.

        Infinite where others may change the rows unnoticed: nothing read before can be relied on.
        """

    def changed_in(self, source: SourceKey) -> float:
        """Return the number of the newest change of any file of the source; as `changed_at`."""


class Readable(Protocol):
    """One source's folder, as workers use it; from any thread."""

    def look(self, path: str) -> Fingerprint | None:
        """Take one look; None if there is no such file. Raises DiskError."""

    def ask(self) -> None:
        """Ask the drive something that only it can answer, and cheaply. Raises OSError."""

    def survey(self, limit: int) -> Iterator[str]:
        """Yield the paths of at most `limit` files, whether they match or not."""

    def try_reading(self, path: str) -> None:
        """Open the file and read a byte. Raises DiskError if that is not possible."""

    def digest(self, path: str, fingerprint: Fingerprint) -> Digest:
        """Read the file whole while it stays the same. Raises FileMoved, DiskError."""

    def require_acceptable(self, path: str, fingerprint: Fingerprint) -> None:
        """Raise DiskError if the configuration says not to take the file as it is now."""

    def digest_of_new(self, path: str, fingerprint: Fingerprint) -> Digest:
        """Read a file whose content is new, like `digest`. DiskError if not acceptable, too."""

    def open(
        self, path: str, fingerprint: Fingerprint, digest: Digest
    ) -> AbstractContextManager[Content]:
        """Return the settled content, to be entered for reading. Raises FileMoved, DiskError."""

    def scan(self, command: Scan) -> Iterator[FilesFound | Scanned | ScanFailed]:
        """List it and compare it with what is known; closes with Scanned or ScanFailed."""


class HintSource(Protocol):
    """Watches folders and reports what is not watched; `stop` and `trouble` never block."""

    def watch(self, source: SourceKey, folder: Path, path_filter: PathFilter) -> None:
        """Begin to post hints for the source; takes as long as its drive."""

    def check(self, source: SourceKey) -> None:
        """Renew the watch if it died; takes as long as the drive."""

    def trouble(self) -> dict[SourceKey, str]:
        """Return why sources are not, or not wholly, watched."""

    def stop(self) -> None:
        """Watch nothing any more."""


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
