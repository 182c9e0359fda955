"""Stands in for a journal that knows nothing."""

from __future__ import annotations

from ...disk.protocols import Look


class NothingKnown:
    """An empty journal: a scan that compares with it finds every file."""

    def folders(self, _source: str) -> tuple[str, ...]:
        """Return no folder."""
        return ()

    def files(self, _source: str, _folder: str) -> dict[str, None]:
        """Return no file."""
        return {}

    def files_from(
        self, _source: str, _folder: str, _rows: int
    ) -> tuple[tuple[tuple[str, list[Look]], ...], bool]:
        """Return no folder, and that there are no more."""
        return (), True

    def changes(self) -> float:
        """Return that nothing has changed."""
        return 0.0

    def changed_at(self, _source: str, _folder: str) -> float:
        """Return that nothing has changed."""
        return 0.0

    def changed_in(self, _source: str) -> float:
        """Return that nothing has changed."""
        return 0.0
