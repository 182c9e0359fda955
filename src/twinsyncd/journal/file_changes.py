"""Counts the changes of remembered files, so that a scan knows what it need not read again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..core.model import FileRow, SourceKey

RECENT: Final = 32  # folders of a source that count as those where people work


class FileChanges:
    """The number of the newest change by folder; noted by one thread, read by any.

    Holds one entry per folder in which files changed since the program started, and the names of
    the RECENT last of each source.
    """

    def __init__(self) -> None:
        """Start with no change."""
        self.count = 0
        self._newest: dict[tuple[SourceKey, str], int] = {}
        self._newest_of_source: dict[SourceKey, int] = {}
        self._recent: dict[SourceKey, dict[str, None]] = {}  # the newest last

    def note(self, rows: Iterable[FileRow]) -> None:
        """Note that these rows were committed; call it after the commit, never before.

        Whoever reads rows asks for the count first: then a commit that comes between counts as
        newer than what was read.
        """
        changed = {(row.key.source, row.key.path.rpartition("/")[0]) for row in rows}
        if not changed:
            return
        self.count += 1
        for source, folder in changed:
            self._newest[source, folder] = self._newest_of_source[source] = self.count
        self.remember(changed)

    def remember(self, folders: Iterable[tuple[SourceKey, str]]) -> None:
        """Note that people worked in these folders of sources, the one with the newest change last.

        Also what an earlier process saw.
        """
        for source, folder in folders:
            recent = self._recent.get(source, {})
            kept = [each for each in recent if each != folder][-(RECENT - 1) :]
            self._recent[source] = dict.fromkeys((*kept, folder))  # others read the earlier one

    def recent(self, source: SourceKey) -> list[str]:
        """Return the folders in which files of the source changed last, the newest first."""
        return list(reversed(self._recent.get(source, {})))

    def newest(self, source: SourceKey, folder: str) -> int:
        """Return the number of the newest change; 0: none since the start."""
        return self._newest.get((source, folder), 0)

    def newest_of_source(self, source: SourceKey) -> int:
        """Return the number of the newest change in any folder of the source."""
        return self._newest_of_source.get(source, 0)
