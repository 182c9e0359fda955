"""Reads a journal where SQLite can make no shared memory beside it: on a full or read-only disk.

Whoever has the journal open keeps that shared memory, so without it nobody writes. What is in the
log beside the file would be missed, so the log must be empty.
Source: sqlite.org/uri.html, "immutable"; sqlite.org/wal.html, "Read-Only Databases", read 2026-11.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Dialect

_OF_THE_DISK: Final = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
}


def reading_on_any_disk(file: Path) -> Callable[..., sqlite3.Connection]:
    """Return what connects an engine, read-only, to the journal in `file`."""

    def connect(
        dialect: Dialect, _record: object, arguments: list[str], options: dict[str, Any]
    ) -> sqlite3.Connection:
        connection = _connected(dialect, arguments, options)
        try:
            connection.execute("PRAGMA schema_version")
        except sqlite3.OperationalError as exc:
            connection.close()
            if exc.sqlite_errorcode & 0xFF not in _OF_THE_DISK or not _is_still(file):
                raise
            uri = arguments[0].replace("mode=ro", "immutable=1")
            return _connected(dialect, [uri, *arguments[1:]], options)
        return connection

    return connect


def _connected(
    dialect: Dialect, arguments: list[str], options: dict[str, Any]
) -> sqlite3.Connection:
    connection = dialect.connect(*arguments, **options)
    assert isinstance(connection, sqlite3.Connection)
    connection.isolation_level = None  # the engine begins transactions itself
    return connection


def _is_still(file: Path) -> bool:
    """Return whether all that was committed is in the file itself."""
    try:
        return file.with_name(f"{file.name}-wal").stat().st_size == 0
    except FileNotFoundError:
        return True
