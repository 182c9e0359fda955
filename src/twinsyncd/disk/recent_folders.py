"""Looks often into the folders where people worked lately, where nothing reports what they save.

A whole list of a large share takes long, so it is made now and then. Who saved a file saves mostly
in the same folder again: listing those few folders finds the next save within seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ..core.facts import HintsLost, Touched
from ..core.model import FileKey, SourceKey
from .hints import Post
from .listing import read_folder
from .look import is_unicode
from .protocols import Look, PathFilter
from .tree import Tree

FOLDERS_MAX: Final = 32  # listed in one pass, those with the newest changes
FILES_MAX: Final = 5_000  # in one folder: more would be a scan of its own
REST: Final = 10.0  # times as long as a pass takes, the drive is left alone after it


@dataclass(frozen=True, slots=True)
class _Folder:
    """What a folder held; the files that can match, by name."""

    looks: dict[str, Look]
    folders: frozenset[str]


class RecentFolders:
    """The folders of one source that are looked into often; used by one thread at a time."""

    def __init__(
        self,
        post: Post,
        source: SourceKey,
        tree: Tree,
        path_filter: PathFilter,
        recent: Callable[[SourceKey], Iterable[str]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Post hints of `source`; `recent` names its folders, the one changed last first.

        `clock` gives monotonic seconds.
        """
        self._post = post
        self._source = source
        self._tree = tree
        self._path_filter = path_filter
        self._recent = recent
        self._clock = clock
        self._seen: dict[str, _Folder] = {}
        self._due_s = float("-inf")

    def look(self) -> None:
        """List them once, unless that was done just now; post what changed since.

        What cannot be listed is left to the next scan, which says why. Never raises.
        """
        begun_s = self._clock()
        if begun_s < self._due_s:
            return
        seen: dict[str, _Folder] = {}
        for folder in self._recent(self._source):
            now = self._listed(folder) if len(seen) < FOLDERS_MAX else None
            if now is None:
                continue
            seen[folder] = now
            if before := self._seen.get(folder):
                self._compare(folder, before, now)
        self._seen = seen
        ended_s = self._clock()
        self._due_s = ended_s + REST * (ended_s - begun_s)

    def _listed(self, folder: str) -> _Folder | None:
        if not self._path_filter.folder(folder):
            return None
        try:
            listing = read_folder(Tree.list, self._tree, folder, self._path_filter)
        except OSError:
            return None
        if len(listing.looks) > FILES_MAX:
            return None
        return _Folder(
            {look[0]: look for look in listing.looks},
            frozenset(entry.name for entry in listing.folders),
        )

    def _compare(self, folder: str, before: _Folder, now: _Folder) -> None:
        differing = before.looks.items() ^ now.looks.items()
        for path in _below(folder, {name for name, _ in differing}):
            if is_unicode(path) and self._path_filter.file(path):
                self._post(Touched(FileKey(self._source, path)))
        for path in _below(folder, before.folders ^ now.folders):
            if self._path_filter.folder(path):
                self._post(HintsLost(self._source, f"folder {path!r} came or went"))


def _below(folder: str, names: Iterable[str]) -> Iterator[str]:
    return (f"{folder}/{name}" if folder else name for name in sorted(names))
