"""Which records a bulk API took, by connection, kind and GUID; safe from several threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from . import tables

_ONE_QUERY: Final = 500  # GUIDs in one IN
_TABLE: Final = tables.delivered_records


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

    def put(self, connection: str, entity: str, taken: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember GUIDs with the digests that were taken."""
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(_TABLE)
        upsert = statement.on_conflict_do_update(
            index_elements=["connection", "entity", "guid"],
            set_={"digest": statement.excluded.digest},
        )
        rows = [
            {"connection": connection, "entity": entity, "guid": guid, "digest": digest}
            for guid, digest in taken
        ]
        if rows:
            with self._engine.begin() as opened:
                opened.execute(upsert, rows)

    def doubt(self, connection: str, entity: str, guids: Sequence[bytes]) -> None:
        """Forget what was taken of these GUIDs, before something else is sent for them."""
        table = _TABLE.c
        with self._engine.begin() as opened:
            for first in range(0, len(guids), _ONE_QUERY):
                opened.execute(
                    delete(_TABLE).where(
                        table.connection == connection,
                        table.entity == entity,
                        table.guid.in_(guids[first : first + _ONE_QUERY]),
                    )
                )
