"""Export files of bulk connections that wait: for an approval, for parents, to be sent again.

Safe from several threads and processes; every change is durable when its method returns.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Engine, and_, delete, insert, or_, select, update

from ..core.deliveries import LastDelivery
from ..core.model import ABSENT, FileKey, SourceKey
from . import bulk_tables, tables
from .bulk_deliveries import read_deliveries
from .bulk_tables import NEW_FILE, is_file, same_file
from .transactions import writing
from .upserts import insert_into

_TABLE: Final = bulk_tables.bulk_files
_SEEN: Final = tables.files.c


class HeldSnapshot(NamedTuple):
    """A snapshot that is not sent before a person approves it.

    `digest` is that of the file, `rows` how many it has, `known` how many records the service took
    from us before, and `leaving` how many of those are not among the rows.
    """

    key: FileKey
    entity: str
    digest: str
    rows: int
    known: int
    leaving: int


class BulkFiles:
    """The files of all bulk connections."""

    def __init__(self, engine: Engine) -> None:
        """`engine` comes from `open_database`; its owner disposes of it."""
        self._engine = engine

    def note(self, connection: str, key: FileKey, entity: str) -> None:
        """Note a file that was sent, and waits for nothing that is kept here."""
        self._put(connection, key, entity, NEW_FILE)

    def await_parents(self, connection: str, key: FileKey, entity: str) -> None:
        """Note that rows of the file name parents that the service does not have."""
        self._put(connection, key, entity, {"needs": "parents"})

    def parents_came(self, connection: str, entities: Collection[str]) -> None:
        """Let the files of these kinds that await parents be sent again."""
        self._need(connection, entities, "parents")

    def note_delivery(
        self, connection: str, key: FileKey, entity: str, delivery: Mapping[str, Any]
    ) -> None:
        """Note what a delivery did: the members of `LastDelivery` behind its entity."""
        self._put(connection, key, entity, {"delivery": dict(delivery)})

    def rename(self, connection: str, storage_id: str, key: FileKey) -> FileKey | None:
        """Move what is known of the file with this id to another path; return where it was."""
        table, moved = _TABLE.c, None
        own = select(_TABLE).where(table.connection == connection, table.delivery.is_not(None))
        with writing(self._engine) as opened:
            for row in opened.execute(own).mappings().all():
                before = FileKey(SourceKey(row["source"]), row["path"])
                if before == key or (row["delivery"] or {}).get("storage_id") != storage_id:
                    continue
                for old in (before, key):
                    opened.execute(delete(_TABLE).where(is_file(_TABLE, connection, old)))
                renamed = {**row, "source": key.source, "path": key.path}
                opened.execute(insert(_TABLE).values(renamed))
                moved = before
        return moved

    def deliveries(self, connection: str) -> tuple[LastDelivery, ...]:
        """Return what the last delivery of each file did."""
        with self._engine.connect() as opened:
            return read_deliveries(opened, [connection])

    def resend(self, connection: str, entities: Collection[str]) -> None:
        """Let all files of these kinds be sent again."""
        self._need(connection, entities, "")

    def to_resend(self, connection: str) -> list[FileKey]:
        """Return the files that are to be sent again, and are there."""
        return self._to_resend(connection, or_(_SEEN.seen.is_(None), _SEEN.seen != ABSENT))

    def to_ask(self, connection: str, *, aside: bool = False) -> list[FileKey]:
        """Return those of them that nothing else begins: set aside, or synced unless `aside`."""
        synced = and_(_SEEN.seen == _SEEN.stored, _SEEN.seen == _SEEN.synced, _SEEN.seen != ABSENT)
        set_aside = and_(_SEEN.aside != "", _SEEN.seen != ABSENT)
        return self._to_resend(connection, set_aside if aside else or_(set_aside, synced))

    def _to_resend(self, connection: str, stands: ColumnElement[bool]) -> list[FileKey]:
        table = _TABLE.c
        query = (
            select(table.source, table.path)
            .select_from(_TABLE.outerjoin(tables.files, same_file()))
            .where(table.connection == connection, table.needs == "resend", stands)
        )
        with self._engine.connect() as opened:
            rows = opened.execute(query.order_by(table.source, table.path)).all()
        return [FileKey(SourceKey(source), path) for source, path in rows]

    def hold(
        self,
        connection: str,
        key: FileKey,
        entity: str,
        digest: str,
        leaving: tuple[int, int, int],
    ) -> None:
        """Keep a snapshot for a person's approval, in place of an earlier one of the file.

        `leaving`: the rows, the known records and those that leave, as in `HeldSnapshot`.
        """
        rows, known, gone = leaving
        counts = {"held_rows": rows, "held_known": known, "held_leaving": gone}
        self._put(connection, key, entity, {"held_digest": digest, **counts})

    def held(self, connection: str) -> list[HeldSnapshot]:
        """Return the snapshots that wait for an approval."""
        table = _TABLE.c
        query = select(_TABLE).where(
            table.connection == connection,
            table.held_digest != "",
            table.held_digest != table.approved_digest,
        )
        with self._engine.connect() as opened:
            rows = opened.execute(query.order_by(table.source, table.path)).all()
        return [
            HeldSnapshot(
                FileKey(SourceKey(row.source), row.path),
                row.entity,
                row.held_digest,
                row.held_rows,
                row.held_known,
                row.held_leaving,
            )
            for row in rows
        ]

    def approve(self, connection: str, held: HeldSnapshot) -> None:
        """Approve exactly this snapshot; a file with another content is asked for again."""
        self._put(connection, held.key, held.entity, {"approved_digest": held.digest})

    def approved_digest(self, connection: str, key: FileKey) -> str:
        """Return the digest of the file's content that a person approved; "" if none."""
        table = _TABLE.c
        query = select(table.approved_digest).where(
            table.connection == connection, table.source == key.source, table.path == key.path
        )
        with self._engine.connect() as opened:
            return opened.execute(query).scalar() or ""

    # ---- inside -------------------------------------------------------------------------

    def _put(self, connection: str, key: FileKey, entity: str, values: dict[str, Any]) -> None:
        own = {"connection": connection, "source": key.source, "path": key.path}
        statement = insert_into(self._engine, _TABLE)
        statement = statement.values(own | NEW_FILE | {"entity": entity} | values)
        upsert = statement.on_conflict_do_update(
            index_elements=["connection", "source", "path"], set_={"entity": entity} | values
        )
        with writing(self._engine) as opened:
            opened.execute(upsert)

    def _need(self, connection: str, entities: Collection[str], before: str) -> None:
        table = _TABLE.c
        wanted = [table.connection == connection, table.entity.in_(entities)]
        if before:
            wanted.append(table.needs == before)
        with writing(self._engine) as opened:
            opened.execute(update(_TABLE).where(*wanted).values(needs="resend"))
