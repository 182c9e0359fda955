"""Which connections could not be compared with the cloud when that was last tried, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from ..core.model import ConnectionKey


@dataclass(frozen=True, slots=True)
class FailedComparison:
    """A comparison that failed; until one succeeds, what the cloud holds is not known."""

    reason: str  # in the service's words
    tried_s: float  # wall clock [s]
    needs_person: bool  # it fails until a person corrects something


def read_failed_comparisons(rows: Sequence[RowMapping]) -> dict[ConnectionKey, FailedComparison]:
    """Return the failed comparisons by the rows of the connections; others are left out."""
    return {
        ConnectionKey(row["key"]): FailedComparison(
            row["compare_failed"], row["compare_failed_s"], row["compare_refused"]
        )
        for row in rows
        if row["compare_failed"]
    }
