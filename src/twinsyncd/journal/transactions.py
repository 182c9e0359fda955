"""Transactions that write: each takes the journal's write lock before its first statement.

A transaction that reads first and writes then fails at once with "database is locked", however
long it would wait, if another connection commits between the two.
Source: SQLite documentation, "Transaction", 2.2 (read-only transactions that become write
transactions), read 2026-11.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine

from .errors import journal_error

_OPTION: Final = "twinsyncd_writes"


def for_writing(engine: Engine) -> Engine:
    """Return the engine, on the same connections, whose transactions all take the write lock."""
    return engine.execution_options(**{_OPTION: True})


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """Open a transaction that writes; it is committed at the end, or rolled back."""
    return for_writing(engine).begin()


def begin_translated(file: Path) -> Callable[[Connection], None]:
    """Return what begins a transaction; whoever holds the lock too long is a JournalError.

    It does without SQLAlchemy's statement handling, which costs more than SQLite's.
    """

    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_OPTION)
        begun = connection.connection.cursor()
        try:
            begun.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        except sqlite3.Error as exc:
            raise journal_error(file, exc) from exc
        finally:
            begun.close()

    return begin
