"""A folder of Storage that was asked for lately."""

from __future__ import annotations

from typing import NamedTuple


class NewFolder(NamedTuple):
    """A folder that was asked for; `made_id` is "" while nobody knows what became of that."""

    parent_id: str
    name: str
    made_id: str
    asked_s: float  # wall clock [s]
