"""The digests of what a bulk API took, once more: compact, and so read in hundredths of a second.

`delivered_records` finds a record by its GUID, but to read all digests there takes longer than to
read the export file. Here they lie in pieces: those that came, and those that went. A change of
the records appends its piece in the same transaction. Without a first piece nothing is known, and
the records are read; so whoever changes records in another way drops the pieces.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, literal, select

from . import bulk_tables

PIECE_BYTES: Final = 1 << 20  # of what is written whole: databases like values of this size
_TABLE: Final = bulk_tables.delivered_digests


class DeliveredDigests(NamedTuple):
    """`added` less `removed`, in no order; `last` is the number of the newest piece."""

    added: list[bytes]
    removed: list[bytes]
    last: int


def read_digests(opened: Connection, connection: str, entity: str) -> DeliveredDigests | None:
    """Return the digests; None if only the records are known."""
    table = _TABLE.c
    query = (
        select(table.number, table.is_removal, table.digests)
        .where(table.connection == connection, table.entity == entity)
        .order_by(table.number)
    )
    parts: dict[bool, list[bytes]] = {False: [], True: []}
    last = -1
    for last, is_removal, digests in opened.execute(query):  # noqa: B007 - the newest is returned
        parts[bool(is_removal)].append(digests)
    return None if last < 0 else DeliveredDigests(parts[False], parts[True], last)


def append_digests(
    opened: Connection, connection: str, entity: str, digests: bytes, *, is_removal: bool
) -> None:
    """Note digests that came or went, if those before them are known."""
    table = _TABLE.c
    following = (
        select(
            literal(connection),
            literal(entity),
            func.max(table.number) + 1,
            literal(is_removal),
            literal(digests),
        )
        .where(table.connection == connection, table.entity == entity)
        .having(func.max(table.number).is_not(None))
    )
    names = ["connection", "entity", "number", "is_removal", "digests"]
    opened.execute(insert(_TABLE).from_select(names, following))


def write_digests(
    opened: Connection, connection: str, entity: str, digests: bytes, last: int
) -> None:
    """Replace the pieces up to the number `last` (-1: there were none); do nothing after others."""
    table = _TABLE.c
    own = (table.connection == connection, table.entity == entity)
    newest = opened.execute(select(func.max(table.number)).where(*own)).scalar()
    if (-1 if newest is None else newest) != last:
        return
    drop_digests(opened, connection, entity)
    firsts = range(0, max(len(digests), 1), PIECE_BYTES)
    rows = [
        {
            "connection": connection,
            "entity": entity,
            "number": number,
            "is_removal": False,
            "digests": digests[first : first + PIECE_BYTES],
        }
        for number, first in enumerate(firsts, last + 1)
    ]
    opened.execute(insert(_TABLE), rows)


def drop_digests(opened: Connection, connection: str, entity: str) -> None:
    """Drop all pieces, since the records change in another way."""
    table = _TABLE.c
    opened.execute(delete(_TABLE).where(table.connection == connection, table.entity == entity))
