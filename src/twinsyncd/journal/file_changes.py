"""Counts the changes of remembered files, so that a scan knows what it need not read again."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.model import FileRow, SourceKey


class FileChanges:
    """The number of the newest change by folder; noted by one thread, read by any.

    Holds one entry per folder in which files changed since the program started.
    """

    def __init__(self) -> None:
        """Start with no change."""
        self.count = 0
        self._newest: dict[tuple[SourceKey, str], int] = {}
        self._newest_of_source: dict[SourceKey, int] = {}

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

    def newest(self, source: SourceKey, folder: str) -> int:
        """Return the number of the newest change; 0: none since the start."""
        return self._newest.get((source, folder), 0)

    def newest_of_source(self, source: SourceKey) -> int:
        """Return the number of the newest change in any folder of the source."""
        return self._newest_of_source.get(source, 0)
