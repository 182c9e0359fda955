"""Stands in for a journal that knows nothing."""

from __future__ import annotations


class NothingKnown:
    """An empty journal: a scan that compares with it finds every file."""

    def folders(self, _source: str) -> tuple[str, ...]:
        """Return no folder."""
        return ()

    def files(self, _source: str, _folder: str) -> dict[str, None]:
        """Return no file."""
        return {}
