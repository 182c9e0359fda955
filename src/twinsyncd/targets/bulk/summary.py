"""What a delivery did, and which rows it could not deliver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from .mapping import CellMistake

NAMED_MAX: Final = 100  # rejected rows whose mistakes are kept; all are counted


def ignore_progress(_summary: Summary) -> None:
    """Do nothing with how far a delivery is."""


class Rejected(NamedTuple):
    """A row that is not in the service as the file has it, and why."""

    row: int
    mistakes: tuple[CellMistake, ...]


@dataclass(slots=True)
class Summary:
    """What a delivery did so far.

    `waiting`: good rows that the service does not have yet; `done` of `batches` batches were sent.
    `leaving`: records that a snapshot deleted. `orphans`: rows wait for parents that another file
    may bring. `lost_parents`: the service misses parents that it took from us before.
    """

    is_snapshot: bool = False
    rows: int = 0
    changed: int = 0
    waiting: int = 0
    batches: int = 0
    done: int = 0
    inserted: int = 0
    updated: int = 0
    leaving: int = 0
    requests: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    orphans: bool = False
    lost_parents: bool = False
    bad: set[int] = field(default_factory=set)  # the numbers of all rejected rows

    @property
    def rejected_count(self) -> int:
        """Return how many rows were rejected."""
        return len(self.bad)

    @property
    def acknowledged(self) -> int:
        """Return how many rows the service has as the file has them."""
        return self.rows - self.rejected_count - self.waiting

    def plan(self, waiting: int, batch_max: int) -> None:
        """Note that so many good rows are to be sent."""
        self.waiting = waiting
        self.batches = -(-waiting // batch_max)

    def reject(self, row: int, mistakes: Sequence[CellMistake]) -> None:
        """Note why a row cannot be delivered; what is noted first counts."""
        if row in self.bad:
            return
        self.bad.add(row)
        if len(self.rejected) < NAMED_MAX:
            self.rejected.append(Rejected(row, tuple(mistakes)))


def duplicate(column: str, row: int, rows: Sequence[int]) -> CellMistake:
    """Return what is wrong with a row whose identity other rows have, too."""
    others = ", ".join(str(each) for each in rows if each != row)
    message = f"row {others} has the same identity"
    return CellMistake(column, message, "delete one of them, or add a column to the key")
