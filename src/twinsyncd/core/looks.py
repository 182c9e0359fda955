"""Chooses which files to look at now."""

from __future__ import annotations

from typing import Final

from .commands import LookAt
from .model import SourceKey
from .settle import Settler

LOOKS_MAX: Final = 256  # files per look command: one answer, one commit


def plan_looks(settler: Settler, now_s: float) -> list[LookAt]:
    """Return the looks to begin now; those at files that could not be read try to read them."""
    looks: dict[tuple[SourceKey, bool], list[str]] = {}
    for key in settler.due(now_s, LOOKS_MAX):
        looks.setdefault((key.source, settler.is_aside(key)), []).append(key.path)
    return [LookAt(source, tuple(paths), reading) for (source, reading), paths in looks.items()]
