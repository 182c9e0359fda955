"""Which connections wait for a spatial root: one that goes in first, as it places the iModel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from ..core.model import ConnectionKey


@dataclass(frozen=True, slots=True)
class RootWait:
    """The spatial root that goes in before a connection's files: whose, which, since when."""

    connection: ConnectionKey  # whose root; the connection's own, perhaps
    file: str  # source/path; "" while it is not known
    since_s: float  # wall clock [s]


def read_root_waits(rows: Sequence[RowMapping]) -> dict[ConnectionKey, RootWait]:
    """Return what connections wait for, by their rows; those that wait for none are left out."""
    roots = {row["key"]: row["spatial_root"] for row in rows}
    return {
        ConnectionKey(row["key"]): RootWait(
            ConnectionKey(row["root_wait"]), roots.get(row["root_wait"], ""), row["root_wait_s"]
        )
        for row in rows
        if row["root_wait"]
    }
