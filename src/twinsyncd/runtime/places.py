"""Where the sources lie: the folder behind each key, and what is wanted from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.match import Matcher
from ..core.model import FileKey


@dataclass(frozen=True, slots=True)
class Place:
    """One source on the drive."""

    folder: Path
    matcher: Matcher


@dataclass(frozen=True, slots=True)
class Places:
    """All sources, by key."""

    by_source: Mapping[str, Place]

    def file(self, key: FileKey) -> Path:
        """Return where the file lies."""
        return self.by_source[key.source].folder / key.path

    def is_reference(self, key: FileKey) -> bool:
        """Tell whether the file is only uploaded beside the masters."""
        return self.by_source[key.source].matcher.kind(key.path) == "reference"
