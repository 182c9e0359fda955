"""Which records a bulk API took, by connection, kind and GUID; safe from several threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select, update

from . import tables
from .transactions import writing
from .upserts import insert_into

_ONE_QUERY: Final = 500  # GUIDs in one IN
_ONE_READ: Final = 20_000  # digests in memory at once
_TABLE: Final = tables.delivered_records
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
                joined = select(self._joined(some.digest), func.max(some.guid), func.count())
                text, last, number = opened.execute(joined).one()
                if number:
                    yield bytes.fromhex(text)
                if number < _ONE_READ:
                    return

    def _joined(self, digest: ColumnElement[bytes]) -> ColumnElement[str]:
        if self._engine.dialect.name == "postgresql":
            return func.string_agg(func.encode(digest, "hex"), "")
        return func.group_concat(func.hex(digest), "")

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
            self._put(opened, connection, entity, taken)

    def doubt_all(self, connection: str, entity: str) -> None:
        """Keep the GUIDs, but not what was taken of them."""
        table = _TABLE.c
        of_set = (table.connection == connection, table.entity == entity)
        with writing(self._engine) as opened:
            opened.execute(update(_TABLE).where(*of_set).values(digest=IN_DOUBT))

    def put(self, connection: str, entity: str, taken: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember GUIDs with the digests that were taken."""
        with writing(self._engine) as opened:
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
        rows = [
            {"connection": connection, "entity": entity, "guid": guid, "digest": digest}
            for guid, digest in taken
        ]
        if rows:
            opened.execute(upsert, rows)

    def doubt(self, connection: str, entity: str, guids: Sequence[bytes]) -> None:
        """Forget what was taken of these GUIDs, before something else is sent for them."""
        table = _TABLE.c
        with writing(self._engine) as opened:
            for first in range(0, len(guids), _ONE_QUERY):
                opened.execute(
                    delete(_TABLE).where(
                        table.connection == connection,
                        table.entity == entity,
                        table.guid.in_(guids[first : first + _ONE_QUERY]),
                    )
                )
