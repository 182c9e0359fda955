"""Which connections' runs wait for an upload that broke off and may still take effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from ..core.model import ConnectionKey


@dataclass(frozen=True, slots=True)
class LateStore:
    """The upload, and until when runs wait for it."""

    file: str  # source/path
    until_s: float  # wall clock [s]


def read_late_stores(rows: Sequence[RowMapping]) -> dict[ConnectionKey, LateStore]:
    """Return what runs wait for, by the rows of their connections; others are left out."""
    return {
        ConnectionKey(row["key"]): LateStore(row["late_store"], row["late_until_s"])
        for row in rows
        if row["late_store"]
    }
