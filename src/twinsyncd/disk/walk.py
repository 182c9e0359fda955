"""One walk over a source's folder: what differs, what is missing, what is unknown.

A remembered file is missing only if its folder was listed without error, twice, and it was not
there, or if the folder itself is gone from one that was listed. What is unknown is in
`failed`, and nothing below that is missing.

Symbolic links and junctions are not followed (they loop, and lead out of the source); one that
would match is named in `failed`, so that nobody wonders.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ..core.facts import Scanned
from ..core.model import Fingerprint, SourceKey
from .look import fingerprint_of, is_unicode, long_name
from .protocols import Entry, Known, Lister, PathFilter

FOUND_MAX: Final = 500
"""Files in one part: small enough that the first can settle while the walk goes on."""

_JUNCTION: Final = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT; Python has no name for it off Windows


class Walk:
    """One walk and its findings so far; holds one folder's entries and the names of the folders."""

    def __init__(
        self,
        source: SourceKey,
        folder: Path,
        path_filter: PathFilter,
        known: Known,
        lister: Lister,
        *,
        believing: bool = False,
    ) -> None:
        """Start with nothing seen; `believing` accepts an empty root as empty."""
        self._believing = believing
        self.distrust = ""  # why the folder as a whole cannot be believed
        self._source = source
        self._folder = folder
        self._path_filter = path_filter
        self._known = known
        self._lister = lister
        self._listed: set[str] = set()
        self._skipped: set[str] = set()  # seen, but not listed and not at fault
        self._failed: dict[str, str] = {}
        self._missing: list[str] = []
        self._known_count = 0
        self._below: list[str] = [""]  # folders still to list
        self._found: list[tuple[str, Fingerprint]] = []

    def parts(self) -> Iterator[tuple[tuple[str, Fingerprint], ...]]:
        """Yield the differing files in parts; raises OSError if the root cannot be listed."""
        while self._below:
            self._visit(self._below.pop())
            if self.distrust:
                return
            while len(self._found) >= FOUND_MAX:
                part, self._found = self._found[:FOUND_MAX], self._found[FOUND_MAX:]
                yield tuple(part)
        if self._found:
            yield tuple(self._found)

    def closed(self, identity: str, *, remote: bool) -> Scanned:
        """Return the closing fact, once every part was taken."""
        for folder in self._known.folders(self._source):
            if folder not in self._listed:
                names = self._known.files(self._source, folder)
                self._known_count += len(names)
                if self._is_gone(folder):
                    self._missing.extend(_below(folder, name) for name in names)
        return Scanned(
            self._source,
            identity,
            self._known_count,
            tuple(self._missing),
            tuple((_printable(path), reason) for path, reason in self._failed.items()),
            remote,
        )

    def remembered(self) -> int:
        """Return how many files are remembered of the whole source."""
        folders = self._known.folders(self._source)
        return sum(len(self._known.files(self._source, folder)) for folder in folders)

    def _visit(self, folder: str) -> None:
        """List one folder, compare its files and note its folders."""
        try:
            entries = self._list(folder)
        except OSError as exc:
            if not folder:
                raise
            if isinstance(exc, FileNotFoundError):
                self._skipped.add(folder)  # gone meanwhile; a later scan decides
            else:
                self._fail(folder, exc)
            return
        remembered = self._known.files(self._source, folder)
        if not (folder or entries or self._believing) and self.remembered():
            self.distrust = f"{self._folder} is empty where it was not; is the share connected?"
            return
        absent = set(remembered)
        for entry in entries:
            self._take(folder, entry, remembered, absent)
        if absent:
            self._confirm(folder, absent, remembered)
        self._listed.add(folder)
        self._known_count += len(remembered)

    def _confirm(
        self, folder: str, absent: set[str], remembered: Mapping[str, Fingerprint | None]
    ) -> None:
        """List the folder again: a save by renaming leaves no file of that name for a moment."""
        try:
            again = self._list(folder)
        except OSError as exc:
            self._fail(folder, exc)
            return
        for entry in again:
            if entry.name in absent:
                self._take(folder, entry, remembered, absent)
        self._missing.extend(_below(folder, name) for name in absent)

    def _take(
        self,
        folder: str,
        entry: Entry,
        remembered: Mapping[str, Fingerprint | None],
        absent: set[str],
    ) -> None:
        """Handle one entry: a folder to list, a file to compare, or nothing that matters."""
        path = _below(folder, entry.name)
        try:
            if entry.is_symlink():
                self._take_link(path)
                absent.discard(entry.name)
            elif entry.is_dir(follow_symlinks=False):
                self._take_folder(path, entry)
            else:
                self._take_file(path, entry, remembered, absent)
        except FileNotFoundError:
            absent.discard(entry.name)  # gone during the look; a later scan decides
        except OSError as exc:
            absent.discard(entry.name)
            self._fail(path, exc)

    def _take_link(self, path: str) -> None:
        if self._path_filter.file(path) or self._path_filter.folder(path):
            self._failed[path] = "it is a symbolic link, which is not followed"
        else:
            self._skipped.add(path)

    def _take_folder(self, path: str, entry: Entry) -> None:
        if not self._path_filter.folder(path):
            self._skipped.add(path)
        elif not is_unicode(path):
            self._failed[path] = "its name is not valid Unicode; rename it"
        elif sys.platform == "win32" and _is_junction(entry.stat(follow_symlinks=False)):
            self._failed[path] = "it is a junction, which is not followed"
        else:
            self._below.append(path)

    def _take_file(
        self,
        path: str,
        entry: Entry,
        remembered: Mapping[str, Fingerprint | None],
        absent: set[str],
    ) -> None:
        """Compare a file; one that is as remembered is not even matched, which costs more."""
        known = remembered.get(entry.name)
        if known is None and not self._is_ours(path):
            return
        found = entry.stat(follow_symlinks=False)
        fingerprint = fingerprint_of(found) if stat.S_ISREG(found.st_mode) else None
        if known is not None and fingerprint != known and not self._is_ours(path):
            absent.discard(entry.name)
        elif fingerprint is not None:
            absent.discard(entry.name)
            if fingerprint != known:
                self._found.append((path, fingerprint))

    def _is_ours(self, path: str) -> bool:
        """Return whether the file matters; one that does and cannot be named in Storage fails."""
        if not self._path_filter.file(path):
            return False
        if is_unicode(path):
            return True
        self._failed[path] = "its name is not valid Unicode; rename it"
        return False

    def _is_gone(self, folder: str) -> bool:
        """Return whether an unlisted folder is gone for certain.

        True only if its nearest listed ancestor holds no folder, failure or link on the way to it.
        """
        while folder not in self._listed:
            if folder in self._failed or folder in self._skipped or not folder:
                return False
            folder = folder.rpartition("/")[0]
        return folder not in self._failed

    def _list(self, folder: str) -> list[Entry]:
        with self._lister(long_name(self._folder / folder)) as entries:
            return list(entries)

    def _fail(self, path: str, exc: OSError) -> None:
        self._failed[path] = exc.strerror or str(exc)


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _printable(path: str) -> str:
    """Return the path with what is not Unicode spelt out, so that it can be stored and shown."""
    return path.encode(errors="backslashreplace").decode()


def _is_junction(found: os.stat_result) -> bool:
    return getattr(found, "st_reparse_tag", 0) == _JUNCTION
