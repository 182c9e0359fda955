"""What the page needs of the daemon; the page itself knows no journal file, drive or platform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..core.events import Event
from ..core.facts import PersonFact
from ..core.model import FileKey, FileRow
from ..journal.figures import Figures
from ..runtime.report import Report


class PageData(Protocol):
    """Every call may come from any thread. Raises JournalError where the journal is not usable."""

    def now_s(self) -> float:
        """Return the wall clock [s]."""

    def report(self) -> Report:
        """Return how everything stands; at most a second old."""

    def figures(self, since_s: float) -> Figures:
        """Return what is measured since a moment (wall clock [s])."""

    def row(self, key: FileKey) -> FileRow | None:
        """Return the journal's row of a file; None if it has none."""

    def events(self, key: FileKey, limit: int) -> Sequence[Event]:
        """Return the newest events of a file, oldest first."""

    def find(self, text: str) -> Sequence[FileRow]:
        """Return some files with `text` in their path."""

    def ask(self, fact: PersonFact) -> None:
        """Leave a request for the daemon, which handles it within a second or two."""
