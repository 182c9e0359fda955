"""The rows that were asked for or written last, so that the machine's next question costs nothing.

A scan asks about hundreds of files at once, and soon after about each of them alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..core.model import FileKey, FileRow

ROWS_MAX: Final = 5_000  # about 5 MB; several parts of scans fit, and what settles meanwhile


class RowCache:
    """What is known to stand in the journal; holds as long as its owner is the only writer."""

    def __init__(self) -> None:
        """Know nothing."""
        self._rows: dict[FileKey, FileRow | None] = {}

    def __contains__(self, key: FileKey) -> bool:
        """Tell whether it is known what stands there, be it nothing."""
        return key in self._rows

    def get(self, key: FileKey) -> FileRow | None:
        """Return the row that stands there; None if none does, or it is not known."""
        return self._rows.get(key)

    def found(self, key: FileKey, row: FileRow | None) -> None:
        """Remember what a reading found; the oldest makes room."""
        self._rows[key] = row
        if len(self._rows) > ROWS_MAX:
            del self._rows[next(iter(self._rows))]

    def written(self, rows: Iterable[FileRow]) -> None:
        """Remember what a commit wrote, where anybody had asked for it."""
        for row in rows:
            if row.key in self._rows:
                self._rows[row.key] = row
