"""The one writer: all rows of a step in one transaction, and the rows read back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Table, bindparam, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from ..core.ledger import Rows
from ..core.machine import Memory, Step
from ..core.model import (
    ConnectionRow,
    FileKey,
    FileRow,
    Fingerprint,
    LaneRow,
    Need,
    Phase,
    SourceRow,
    need,
)
from . import desk, tables

_ONE = select(tables.files).where(
    tables.files.c.source == bindparam("source"), tables.files.c.path == bindparam("path")
)
_FOLDER = select(tables.files).where(
    tables.files.c.source == bindparam("source"),
    tables.files.c.folder == bindparam("folder"),
    tables.files.c.mtime_ns.is_not(None),
)


class Journal(Rows):
    """Reads and writes the rows of the machine; the writing belongs to one thread.

    `folders` and `files` may be called from any thread.
    """

    def __init__(self, engine: Engine) -> None:
        """`engine` comes from `open_database`; it is disposed of by `close`."""
        self._engine = engine
        self._writer = engine.connect()
        self._upserts = {
            table: _upsert(engine, table)
            for table in (tables.files, tables.lanes, tables.connections, tables.sources)
        }

    def close(self) -> None:
        """Give the database up."""
        self._writer.close()
        self._engine.dispose()

    def commit(self, step: Step) -> None:
        """Make all rows of the step durable, or none."""
        with self._writer.begin():
            self._put(tables.files, [_from_file(row) for row in step.files])
            self._put(tables.lanes, [asdict(row) for row in step.lanes])
            self._put(tables.connections, [asdict(row) for row in step.connections])
            self._put(tables.sources, [asdict(row) for row in step.sources])
            if step.history:
                self._writer.execute(
                    insert(tables.runs), [asdict(record) for record in step.history]
                )

    def memory(self) -> Memory:
        """Return what the machine takes up at start-up."""
        with self._reading() as connection:
            lanes = [_lane(row) for row in connection.execute(select(tables.lanes)).mappings()]
            remotes = connection.execute(select(tables.connections)).mappings()
            sources = connection.execute(select(tables.sources)).mappings()
            return Memory(
                lanes={row.key: row for row in lanes},
                connections={row["key"]: ConnectionRow(**row) for row in remotes},
                sources={row["key"]: SourceRow(**row) for row in sources},
            )

    def sign_on(self, now_s: float) -> None:
        """Say that this process keeps the journal now."""
        desk.sign_on(self._engine, now_s)

    def beat(self, now_s: float, *, at_rest: bool, restless: int) -> None:
        """Give a sign of life."""
        desk.beat(self._engine, now_s, at_rest=at_rest, restless=restless)

    def take_requests(self, now_s: float) -> list[str]:
        """Return what people have asked for since the last call."""
        return desk.take(self._engine, now_s)

    # ---- the machine's file rows --------------------------------------------------------

    def get(self, key: FileKey) -> FileRow | None:
        """Return the remembered row, or None."""
        with self._writer.begin():
            found = self._writer.execute(_ONE, {"source": key.source, "path": key.path})
            row = found.mappings().first()
        return None if row is None else _file(row)

    def get_many(self, source: str, paths: Sequence[str]) -> dict[str, FileRow]:
        """Return the remembered rows among these paths of a source."""
        query = select(tables.files).where(
            tables.files.c.source == source, tables.files.c.path.in_(paths)
        )
        with self._writer.begin():
            return {row["path"]: _file(row) for row in self._writer.execute(query).mappings()}

    def active(self, sources: Iterable[str]) -> Iterator[FileRow]:
        """Yield the rows of these sources that have work left or are covered by a run."""
        query = select(tables.files).where(
            tables.files.c.is_open, tables.files.c.source.in_(list(sources))
        )
        with self._reading() as connection:
            for row in connection.execute(query).mappings():
                yield _file(row)

    # ---- what a scan compares with; any thread ------------------------------------------

    def folders(self, source: str) -> Sequence[str]:
        """Return every folder of the source that is remembered to hold files."""
        query = select(tables.files.c.folder).distinct()
        present = tables.files.c.mtime_ns.is_not(None)
        with self._reading() as connection:
            found = connection.execute(query.where(tables.files.c.source == source, present))
            return found.scalars().all()

    def files(self, source: str, folder: str) -> Mapping[str, Fingerprint]:
        """Return the remembered fingerprints of the files directly in a folder, by name."""
        with self._reading() as connection:
            found = connection.execute(_FOLDER, {"source": source, "folder": folder})
            return {
                row["path"].rpartition("/")[2]: look
                for row in found.mappings()
                if (look := _fingerprint(row)) is not None and not row["unread"]
            }

    def _reading(self) -> Connection:
        return self._engine.connect()

    def _put(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._writer.execute(self._upserts[table], rows)


def _upsert(engine: Engine, table: Table) -> Any:
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key]
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


def _from_file(row: FileRow) -> dict[str, Any]:
    look = row.fingerprint
    return {
        "source": row.key.source,
        "path": row.key.path,
        "folder": row.key.path.rpartition("/")[0],
        "size_bytes": look.size_bytes if look else None,
        "mtime_ns": look.mtime_ns if look else None,
        "file_id": str(look.file_id if look else 0),
        "seen": row.seen,
        "stored": row.stored,
        "synced": row.synced,
        "covered": row.covered,
        "item": row.item,
        "mapped": row.mapped,
        "attempts": row.attempts,
        "aside": row.aside,
        "unread": row.unread,
        "is_open": need(row) is not Need.NOTHING or bool(row.covered),
    }


def _file(row: RowMapping) -> FileRow:
    return FileRow(
        key=FileKey(row["source"], row["path"]),
        fingerprint=_fingerprint(row),
        seen=row["seen"],
        stored=row["stored"],
        synced=row["synced"],
        covered=row["covered"],
        item=row["item"],
        mapped=row["mapped"],
        attempts=row["attempts"],
        aside=row["aside"],
        unread=row["unread"],
    )


def _fingerprint(row: RowMapping) -> Fingerprint | None:
    if row["mtime_ns"] is None:
        return None
    return Fingerprint(row["size_bytes"], row["mtime_ns"], int(row["file_id"]))


def _lane(row: RowMapping) -> LaneRow:
    values = dict(row)
    return LaneRow(**{**values, "phase": Phase(values["phase"])})
