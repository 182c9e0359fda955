"""Caches the rows read or written last, so that the machine's next read costs nothing.

A scan asks about hundreds of files at once, and soon after about each of them alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..core.model import FileKey, FileRow

ROWS_MAX: Final = 5_000  # about 5 MB; several parts of scans fit, and what settles meanwhile


class RowCache:
    """A cache of file rows; correct as long as its owner is the only writer."""

    def __init__(self) -> None:
        """Start empty."""
        self._rows: dict[FileKey, FileRow | None] = {}

    def __contains__(self, key: FileKey) -> bool:
        """Return whether the row, or its absence, is cached."""
        return key in self._rows

    def get(self, key: FileKey) -> FileRow | None:
        """Return the cached row; None if there is none, or it is not cached."""
        return self._rows.get(key)

    def found(self, key: FileKey, row: FileRow | None) -> None:
        """Cache what was read; the oldest entry is dropped when full."""
        self._rows[key] = row
        if len(self._rows) > ROWS_MAX:
            del self._rows[next(iter(self._rows))]

    def written(self, rows: Iterable[FileRow]) -> None:
        """Cache what a commit wrote, where the key is cached already."""
        for row in rows:
            if row.key in self._rows:
                self._rows[row.key] = row
