"""One walk over a source's folder: what differs, what is missing, what is unknown.

A remembered file is missing only if its folder was listed without error, twice, and it was not
there, or if the folder itself is gone from one that was listed. What could not be read is in
`blind`, and nothing below that is missing.

Symbolic links and junctions are not followed (they loop, and lead out of the source). One that
would match is blind too: a person who made it expects its content in the iModel.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from heapq import heappop, heappush
from typing import Final

from ..core.facts import Scanned
from ..core.model import BlindSpot, Fingerprint, SourceKey, is_as_remembered
from .folder_digests import ROWS_FIRST, ROWS_MIN, FolderDigests, ReadAhead
from .listing import Listing, read_folder
from .listing_ahead import ListingsAhead, Submit
from .look import fingerprint_of, is_unicode
from .nested import NestedDrives, drive_is_away
from .protocols import Entry, Known, Look, PathFilter
from .stuck import StuckPlaces
from .tree import Lister, Tree
from .unreadable_names import LINK, NO_FILE, NOT_UNICODE, printable

FOUND_MAX: Final = 500
"""Files in one part: small enough that the first can settle while the walk goes on."""

_JUNCTION: Final = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT; Python has no name for it off Windows


class Walk:
    """One walk and its findings so far; holds one folder's entries and the names of the folders."""

    def __init__(
        self,
        source: SourceKey,
        tree: Tree,
        path_filter: PathFilter,
        known: Known,
        nested: NestedDrives,
        *,
        lister: Lister = Tree.list,
        believing: bool = False,
        digests: FolderDigests | None = None,
        submit: Submit | None = None,
        stuck: StuckPlaces,
    ) -> None:
        """Start with nothing seen; `believing` accepts an empty root as empty.

        `digests` is what the walk before found. `submit` does something on a thread of the drive.
        What is `stuck` is not listed.
        """
        read = partial(read_folder, lister, tree, path_filter=path_filter)
        self._stuck = stuck
        self._listings = ListingsAhead(stuck.noting(read), submit)
        self._digests = FolderDigests() if digests is None else digests
        is_first = not self._digests.folders
        self._read_ahead = ReadAhead(known, source, ROWS_FIRST if is_first else ROWS_MIN)
        self._holding = 0  # listed folders that hold remembered files
        self._believing = believing
        self.distrust = ""  # why the folder as a whole cannot be believed
        self._source = source
        self._tree = tree
        self._nested = nested
        self._path_filter = path_filter
        self._known = known
        self._lister = lister
        self._listed: set[str] = set()
        self._skipped: set[str] = set()  # seen, but not listed and not at fault
        self._blind: dict[str, str] = {}
        self._away: tuple[str, ...] = ()  # drives inside that are away, each with a slash
        self._missing: list[str] = []
        self._known_count = 0
        self._below: list[str] = [""]  # folders still to list, as a heap
        self._found: list[tuple[str, Fingerprint]] = []

    def parts(self) -> Iterator[tuple[tuple[str, Fingerprint], ...]]:
        """Yield the differing files in parts; raises OSError if the root cannot be listed."""
        while self._below:
            self._visit(heappop(self._below))  # in the journal's order
            if self.distrust:
                return
            while len(self._found) >= FOUND_MAX:
                part, self._found = self._found[:FOUND_MAX], self._found[FOUND_MAX:]
                yield tuple(part)
        if self._found:
            yield tuple(self._found)

    def closed(self, identity: str, *, remote: bool) -> Scanned:
        """Return the closing fact, once every part was taken."""
        nested = self._believable_drives()
        digests, ahead = self._digests, self._read_ahead
        for folder in digests.unlisted(self._known, ahead, self._listed, self._holding):
            names = self._known.files(self._source, folder)
            self._known_count += len(names)
            if self._is_gone(folder):
                self._missing.extend(_below(folder, name) for name in names)
        return Scanned(
            self._source,
            identity,
            self._known_count,
            tuple(self._missing),
            tuple(BlindSpot(printable(path), reason) for path, reason in self._blind.items()),
            remote,
            tuple(sorted(nested.items())),
        )

    def _believable_drives(self) -> dict[str, str]:
        """Return the drives mounted inside; distrust what lies below those that went away."""
        away = self._nested.unmounted_meanwhile()
        kept = self._nested.found
        for path, identity in self._nested.not_visited().items():
            if self._path_filter.folder(path):  # else it was excluded, and nothing waits for it
                away.setdefault(path, self._blind.get(path) or drive_is_away(identity))
                kept[path] = identity
        self._blind.update(away)
        self._away = tuple(f"{path}/" for path in away)
        self._missing = [each for each in self._missing if not each.startswith(self._away)]
        return kept

    def remembered(self) -> int:
        """Return how many files are remembered of the whole source."""
        folders = self._known.folders(self._source)
        return sum(len(self._known.files(self._source, folder)) for folder in folders)

    def _visit(self, folder: str) -> None:
        """List one folder, compare its files and note its folders."""
        try:
            listing = self._listings.take(folder, self._below)
            self._take_all(folder, listing)
        except FileNotFoundError:
            if not folder:
                raise
            self._skipped.add(folder)  # gone meanwhile; a later scan decides
        except OSError as exc:
            if not folder:
                raise
            self._fail(folder, exc)

    def _take_all(self, folder: str, listing: Listing) -> None:
        """Compare what a folder holds with what is remembered of it. Raises OSError."""
        if reason := self._nested.note(folder):
            self._blind[folder] = reason
            return
        if (
            not (folder or listing.entries or listing.folders or self._believing)
            and self.remembered()
        ):
            self.distrust = (
                f"{self._tree.folder} is empty where it was not; is the share connected?"
            )
            return
        for entry in listing.folders:
            self._take(folder, entry, {}, set())
        count = self._digests.unchanged(self._known, self._source, folder, listing.digest)
        if count is None:
            count = self._compare(folder, listing)
        self._listed.add(folder)
        self._known_count += count
        self._holding += count > 0

    def _compare(self, folder: str, listing: Listing) -> int:
        """Compare a folder's files with the journal; return how many are remembered."""
        looks = self._read_ahead.looks(folder)
        digest = listing.digest
        is_same = digest is not None and looks == listing.looks
        if (is_same or self._compare_each(folder, listing, looks)) and digest is not None:
            self._digests.keep(folder, digest, len(looks), self._read_ahead.as_of)
        return len(looks)

    def _compare_each(self, folder: str, listing: Listing, looks: list[Look]) -> bool:
        """Compare file by file; return whether the digest alone is enough the next time."""
        remembered = {name: Fingerprint(*fields) for name, *fields in looks}
        before = len(self._found), len(self._blind)
        absent = set(remembered)
        for entry in listing.entries:
            self._take(folder, entry, remembered, absent)
        is_same = not absent and before == (len(self._found), len(self._blind))
        if absent:
            self._confirm(folder, absent, remembered)
        return is_same and len({name for name, *_ in listing.looks} & set(remembered)) == len(looks)

    def _confirm(
        self, folder: str, absent: set[str], remembered: Mapping[str, Fingerprint | None]
    ) -> None:
        """List the folder again: a save by renaming leaves no file of that name for a moment."""
        try:
            with self._stuck.using(folder), self._lister(self._tree, folder) as again:
                for entry in again:
                    if entry.name in absent:
                        self._take(folder, entry, remembered, absent)
        except OSError as exc:
            self._fail(folder, exc)
            return
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
            self._blind[path] = LINK
        else:
            self._skipped.add(path)

    def _take_folder(self, path: str, entry: Entry) -> None:
        if not self._path_filter.folder(path):
            self._skipped.add(path)
        elif not is_unicode(path):
            self._blind[path] = NOT_UNICODE
        elif sys.platform == "win32" and _is_junction(entry.stat(follow_symlinks=False)):
            self._blind[path] = LINK.replace("symbolic link", "junction")
        else:
            heappush(self._below, path)

    def _take_file(
        self,
        path: str,
        entry: Entry,
        remembered: Mapping[str, Fingerprint | None],
        absent: set[str],
    ) -> None:
        """Compare a file; one that is as remembered is not even matched, which costs more."""
        known = remembered.get(entry.name)
        if not self._path_filter.name(entry.name):
            absent.discard(entry.name)  # it matters no more, and is not even looked at
            return
        if known is None and not self._is_ours(path):
            return
        found = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            if self._is_ours(path):
                self._blind[path] = NO_FILE
            return
        absent.discard(entry.name)
        fingerprint = fingerprint_of(found)
        if not is_as_remembered(fingerprint, known) and (known is None or self._is_ours(path)):
            self._found.append((path, fingerprint))

    def _is_ours(self, path: str) -> bool:
        """Return whether the file matters and Storage can hold its name; else it is blind."""
        if not self._path_filter.file(path):
            return False
        if is_unicode(path):
            return True
        self._blind[path] = NOT_UNICODE
        return False

    def _is_gone(self, folder: str) -> bool:
        """Return whether an unlisted folder is gone for certain.

        True only if its nearest listed ancestor holds no folder, failure or link on the way to it.
        """
        if f"{folder}/".startswith(self._away):
            return False
        while folder not in self._listed:
            if folder in self._blind or folder in self._skipped or not folder:
                return False
            folder = folder.rpartition("/")[0]
        return folder not in self._blind

    def _fail(self, path: str, exc: OSError) -> None:
        self._blind[path] = exc.strerror or str(exc)


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_junction(found: os.stat_result) -> bool:
    return getattr(found, "st_reparse_tag", 0) == _JUNCTION
