"""The world's database: one writer at a time, readers that never wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, create_engine, event, func, select
from sqlalchemy.engine import Row
from sqlalchemy.pool import QueuePool
from sqlalchemy.schema import Table

from localtwin.errors import SetupError
from localtwin.world.tables import metadata

SCHEMA = 4
_UPGRADES = {
    2: (
        "ALTER TABLE told RENAME TO stored_headers",
        "ALTER TABLE itwins ADD COLUMN modified VARCHAR",
        "ALTER TABLE itwins ADD COLUMN modified_by VARCHAR",
        "ALTER TABLE tasks ADD COLUMN document JSON",
        "UPDATE itwins SET modified = created, modified_by = created_by",
    ),
    3: (
        "ALTER TABLE grants ADD COLUMN nonce VARCHAR NOT NULL DEFAULT ''",
        "ALTER TABLE grants ADD COLUMN signed_in VARCHAR NOT NULL DEFAULT ''",
    ),
    4: (
        "ALTER TABLE sources ADD COLUMN origin VARCHAR NOT NULL DEFAULT ''",
        "UPDATE sources SET origin = file_id",
        "ALTER TABLE tasks ADD COLUMN origin VARCHAR NOT NULL DEFAULT ''",
        "UPDATE tasks SET origin = file_id",
    ),
}
"""What brings a file of the version before to a version; new tables are created anyway."""
_READERS = 8  # more threads than this never read at once on the machines this runs on
_WAIT_S = 30  # a writer that waits longer than this has met a defect, not a queue


class Database:
    """Opens `file`, creating it when needed; readers see the last commit (WAL).

    A commit survives a power cut: what was answered 201 must not be gone afterwards.
    """

    def __init__(self, file: Path) -> None:
        file.touch(mode=0o600)  # its owner's only, as are the logs beside it that follow it
        self._writer = _engine(file, size=1, begin="BEGIN IMMEDIATE")
        self._reader = _engine(file, size=_READERS, begin="BEGIN")
        _prepare(self._writer, file)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield the writing connection; commits at the end, rolls back on an exception."""
        with self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one consistent state."""
        with self._reader.connect() as connection:
            yield connection

    def one(self, query: Select[Any]) -> Row[Any] | None:
        """Return the first row of `query`, or None."""
        with self.read() as connection:
            return connection.execute(query).first()

    def all(self, query: Select[Any]) -> list[Row[Any]]:
        """Return every row of `query`."""
        with self.read() as connection:
            return list(connection.execute(query))

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        self._writer.dispose()


def next_seq(connection: Connection, table: Table) -> int:
    """Return the next creation number of `table`; only inside a write."""
    last = connection.execute(select(func.max(table.c.seq))).scalar()
    return int(last or 0) + 1


def _engine(file: Path, *, size: int, begin: str) -> Engine:
    engine = create_engine(
        f"sqlite:///{file}",
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=_WAIT_S,
        connect_args={"check_same_thread": False, "timeout": _WAIT_S},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _prepare(engine: Engine, file: Path) -> None:
    with engine.begin() as connection:
        found = connection.exec_driver_sql("PRAGMA user_version").scalar() or 0
        if found > SCHEMA:
            raise SetupError(f"{file} was written by a newer localtwin; update, or use another")
        for version in range(found + 1, SCHEMA + 1) if found else ():
            for statement in _UPGRADES[version]:
                connection.exec_driver_sql(statement)
        metadata.create_all(connection)
        for index in [index for table in metadata.sorted_tables for index in table.indexes]:
            index.create(connection, checkfirst=True)  # newer than the file, perhaps
        connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA}")
