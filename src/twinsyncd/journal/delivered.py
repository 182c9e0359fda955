"""Which records a bulk API took, by connection, kind and GUID; safe from several threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from . import bulk_tables
from .delivered_digests import (
    DeliveredDigests,
    append_digests,
    drop_digests,
    read_digests,
    write_digests,
)
from .transactions import writing
from .upserts import insert_into

_ONE_QUERY: Final = 500  # GUIDs in one IN
_ONE_READ: Final = 20_000  # digests in memory at once
_TABLE: Final = bulk_tables.delivered_records
IN_DOUBT: Final = bytes(8)  # the digest of a record whose state in the service is not known


class DeliveredRecords:
    """GUIDs are 16 bytes, digests 8; a batch is durable when `put` returns."""

    def __init__(self, engine: Engine) -> None:
        """`engine` comes from `open_database`; its owner disposes of it."""
        self._engine = engine

    def digests(self, connection: str, entity: str, guids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the digests of those of the GUIDs that were taken."""
        found: dict[bytes, bytes] = {}
        table = _TABLE.c
        with self._engine.connect() as opened:
            for first in range(0, len(guids), _ONE_QUERY):
                query = select(table.guid, table.digest).where(
                    table.connection == connection,
                    table.entity == entity,
                    table.guid.in_(guids[first : first + _ONE_QUERY]),
                )
                found.update((row[0], row[1]) for row in opened.execute(query))
        return found

    def every_digest(self, connection: str, entity: str) -> Iterator[bytes]:
        """Yield the digests of all that was taken, eight bytes each, many at once.

        The database joins them: a Python object for each would take six times as long.
        """
        table, last = _TABLE.c, b""
        with self._engine.connect() as opened:
            while True:
                some = (
                    select(table.guid, table.digest)
                    .where(table.connection == connection, table.entity == entity)
                    .where(table.guid > last)
                    .order_by(table.guid)
                    .limit(_ONE_READ)
                    .subquery()
                    .c
                )
                joined = select(self._joined(some.digest), self._last(some.guid), func.count())
                text, newest, number = opened.execute(joined).one()
                if number:
                    yield bytes.fromhex(text)
                if number < _ONE_READ:
                    return
                last = bytes.fromhex(newest)

    def compact_digests(self, connection: str, entity: str) -> DeliveredDigests | None:
        """Return what `every_digest` yields, read at once; None if it has to be read there."""
        with self._engine.connect() as opened:
            return read_digests(opened, connection, entity)

    def keep_digests(self, connection: str, entity: str, digests: bytes, last: int) -> None:
        """Let `compact_digests` return these, which the records have.

        `last` is the number that it returned, -1 for None: after another change nothing is kept.
        """
        with writing(self._engine) as opened:
            write_digests(opened, connection, entity, digests, last)

    def _joined(self, digest: ColumnElement[bytes]) -> ColumnElement[str]:
        if self._engine.dialect.name == "postgresql":
            return func.string_agg(func.encode(digest, "hex"), "")
        return func.group_concat(func.hex(digest), "")

    def _last(self, guid: ColumnElement[bytes]) -> ColumnElement[str]:
        """Return the greatest, as hexadecimal text: PostgreSQL compares bytes, but has no max."""
        if self._engine.dialect.name == "postgresql":
            return func.max(func.encode(guid, "hex"))
        return func.hex(func.max(guid))

    def every(self, connection: str, entity: str) -> dict[bytes, bytes]:
        """Return all GUIDs that were taken with their digests; for sets that are small."""
        table = _TABLE.c
        query = select(table.guid, table.digest).where(
            table.connection == connection, table.entity == entity
        )
        with self._engine.connect() as opened:
            return {row[0]: row[1] for row in opened.execute(query)}

    def replace(self, connection: str, entity: str, taken: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember these GUIDs with the digests that were taken, and no others."""
        table = _TABLE.c
        of_set = (table.connection == connection, table.entity == entity)
        with writing(self._engine) as opened:
            opened.execute(delete(_TABLE).where(*of_set))
            drop_digests(opened, connection, entity)
            self._put(opened, connection, entity, taken)

    def doubt_all(self, connection: str, entity: str) -> None:
        """Keep the GUIDs, but not what was taken of them."""
        table = _TABLE.c
        of_set = (table.connection == connection, table.entity == entity)
        with writing(self._engine) as opened:
            opened.execute(update(_TABLE).where(*of_set).values(digest=IN_DOUBT))
            drop_digests(opened, connection, entity)

    def put(self, connection: str, entity: str, taken: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember GUIDs with the digests that were taken; those known were forgotten before."""
        added = b"".join(digest for _, digest in taken)
        if not taken:
            return
        try:
            with writing(self._engine) as opened:
                opened.execute(insert(_TABLE), _rows(connection, entity, taken))
                append_digests(opened, connection, entity, added, is_removal=False)
        except IntegrityError:
            self.put_anew(connection, entity, taken)

    def put_anew(self, connection: str, entity: str, taken: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember GUIDs with these digests, in place of those that may be known."""
        with writing(self._engine) as opened:
            drop_digests(opened, connection, entity)
            self._put(opened, connection, entity, taken)

    def _put(
        self,
        opened: Connection,
        connection: str,
        entity: str,
        taken: Sequence[tuple[bytes, bytes]],
    ) -> None:
        statement = insert_into(self._engine, _TABLE)
        upsert = statement.on_conflict_do_update(
            index_elements=["connection", "entity", "guid"],
            set_={"digest": statement.excluded.digest},
        )
        if taken:
            opened.execute(upsert, _rows(connection, entity, taken))

    def doubt(self, connection: str, entity: str, guids: Sequence[bytes]) -> None:
        """Forget what was taken of these GUIDs, before something else is sent for them."""
        table = _TABLE.c
        with writing(self._engine) as opened:
            removed = bytearray()
            for first in range(0, len(guids), _ONE_QUERY):
                forgotten = delete(_TABLE).where(
                    table.connection == connection,
                    table.entity == entity,
                    table.guid.in_(guids[first : first + _ONE_QUERY]),
                )
                for row in opened.execute(forgotten.returning(table.digest)):
                    removed += row[0]
            append_digests(opened, connection, entity, bytes(removed), is_removal=True)


def _rows(
    connection: str, entity: str, taken: Sequence[tuple[bytes, bytes]]
) -> list[dict[str, object]]:
    return [
        {"connection": connection, "entity": entity, "guid": guid, "digest": digest}
        for guid, digest in taken
    ]
