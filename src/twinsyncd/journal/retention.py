"""How long the history is kept: the journal must not grow for ever on a machine nobody looks at.

The newest proof of each file is kept for ever: `verify` needs it of a file that nobody has touched
for years. There is at most one for each name and id that a file ever had.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select

from ..core.results import Outcome
from . import tables

KEPT_S: Final = 400 * 86_400.0  # a year and a month: an audit asks about the last year
ROWS_MAX: Final = 1_000_000  # of each table, whatever their age: about 250 MB
EVERY: Final = 5_000  # events between two looks at what is too old

_TIMES: Final = {
    tables.events: tables.events.c.at_s,
    tables.run_files: tables.run_files.c.ended_s,
    tables.runs: tables.runs.c.ended_s,
}


@dataclass(slots=True)
class Retention:
    """Deletes what is too old, now and then, within the writer's transaction."""

    left: int = 0  # events until the next look; the first is at the first commit

    def apply(self, connection: Connection, events: int, now_s: float) -> None:
        """Count these new events, and delete what is too old at `now_s` (wall clock [s])."""
        if not events:
            return
        self.left -= events
        if self.left > 0:
            return
        self.left = EVERY
        for table in _TIMES:
            delete_old(connection, table, now_s)


def delete_old(connection: Connection, table: Table, now_s: float) -> None:
    """Delete rows older than is kept, and the oldest of too many.

    Rows are numbered in order: what is deleted is the beginning of the table, but for proofs.
    """
    newest = connection.execute(select(func.max(table.c.id))).scalar() or 0
    young = select(func.min(table.c.id)).where(_TIMES[table] >= now_s - KEPT_S)
    first_young = connection.execute(young).scalar()
    first = max(newest - ROWS_MAX + 1, newest + 1 if first_young is None else first_young)
    old = delete(table).where(table.c.id < first)
    connection.execute(old.where(_is_no_proof()) if table is tables.run_files else old)


def _is_no_proof() -> ColumnElement[bool]:
    """Return whether a result failed, or the same file, by name and id, was proven again later."""
    proofs, newer = tables.run_files.c, tables.run_files.alias()
    again = select(newer.c.id).where(
        newer.c.source == proofs.source,
        newer.c.path == proofs.path,
        newer.c.storage_id == proofs.storage_id,
        newer.c.outcome == Outcome.SUCCEEDED.value,
        newer.c.id > proofs.id,
    )
    return or_(proofs.outcome != Outcome.SUCCEEDED.value, again.exists())
