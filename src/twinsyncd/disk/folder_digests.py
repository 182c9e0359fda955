"""What is remembered of one source, as a scan asks for it: folder by folder, in ascending order.

The journal is read ahead while folders that follow each other are asked for, so that a whole drive
takes one pass. A folder that stands alone, the usual case once the drive was compared, takes one
small query.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Final

from ..core.model import SourceKey
from .protocols import Known, Look

ROWS_MIN: Final = 200  # rows of a page after a folder that stood alone: about two folders
ROWS_FIRST: Final = 800  # of the first page of a drive that was not compared yet
ROWS_MAX: Final = 6_400  # about 4 MB


class ReadAhead:
    """Reads the remembered files of one source for one scan."""

    def __init__(self, known: Known, source: SourceKey, rows: int = ROWS_MIN) -> None:
        """Nothing is read before the first question, and about `rows` at it."""
        self._known = known
        self.source = source
        self._page: dict[str, list[Look]] = {}
        self._first = self._last = ""  # the folders that the page is about
        self._is_empty = True
        self._asked = 0  # how many folders of the page were asked for
        self._rows = rows
        self.whole: list[str] | None = None  # all folders, if the first page held them all
        self.as_of = 0.0  # how many changes the journal had before the page was read

    def looks(self, folder: str) -> list[Look]:
        """Return the files remembered directly in the folder, by name; ask in ascending order."""
        if self._is_empty or not self._first <= folder <= self._last:
            self._read(folder)
        found = self._page.get(folder)
        if found is None:
            return []
        self._asked += 1
        return sorted(found)

    def _read(self, folder: str) -> None:
        goes_on = self._asked > 0 and 2 * self._asked >= len(self._page)
        if not self._is_empty:
            self._rows = min(2 * self._rows, ROWS_MAX) if goes_on else ROWS_MIN
        self.as_of = self._known.changes()
        pages, is_end = self._known.files_from(self.source, folder, self._rows)
        self._page = dict(pages)
        self.whole = list(self._page) if is_end and not folder else None
        self._first, self._asked, self._is_empty = folder, 0, False
        self._last = chr(0x10FFFF) if is_end else max(self._page)


@dataclass(slots=True)
class FolderDigests:
    """What the last scan of one source found, so that the next compares only what differs.

    Holds some 200 bytes per folder, and nothing per file.
    """

    folders: dict[str, tuple[bytes, int, float]] = field(default_factory=dict)
    """By folder whose files were all as remembered: digest, files remembered, as of when."""

    remembered: tuple[float, int] = (-1.0, 0)
    """As of when, and how many folders hold remembered files; -1: not known."""

    def keep(self, folder: str, digest: bytes, count: int, as_of: float) -> None:
        """Note that all `count` files remembered there are as remembered."""
        self.folders[folder] = (digest, count, as_of)

    def unchanged(
        self, known: Known, source: SourceKey, folder: str, digest: bytes | None
    ) -> int | None:
        """Return how many files are remembered there, if all are as remembered; else None."""
        held = self.folders.get(folder)
        if held is None or held[0] != digest or known.changed_at(source, folder) > held[2]:
            return None
        return held[1]

    def unlisted(
        self, known: Known, ahead: ReadAhead, listed: Container[str], holding: int
    ) -> list[str]:
        """Return the folders with remembered files that are not among the `listed`.

        `holding` is how many of those hold remembered files, `ahead` what was read of the source.
        Forgets what is not listed any more.
        """
        for gone in [folder for folder in self.folders if folder not in listed]:
            del self.folders[gone]
        as_of, count = self.remembered
        if count == holding and known.changed_in(ahead.source) <= as_of:
            return []
        as_of, folders = known.changes(), ahead.whole
        if folders is None:
            folders = list(known.folders(ahead.source))
        else:
            as_of = ahead.as_of
        self.remembered = as_of, len(folders)
        return [folder for folder in folders if folder not in listed]
