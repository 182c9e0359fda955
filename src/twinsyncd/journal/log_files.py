"""The files that SQLite keeps beside a journal, and what a file holds without them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def log_of(file: Path) -> Path:
    """Return where the journal's write-ahead log lies."""
    return file.with_name(f"{file.name}-wal")


def delete_log(file: Path) -> None:
    """Delete the log and its index, of a journal that is no longer there. Raises OSError."""
    for beside in (log_of(file), file.with_name(f"{file.name}-shm")):
        beside.unlink(missing_ok=True)


def holds_a_journal(file: Path) -> bool:
    """Return whether the file is one, whatever log lies beside it.

    An empty database is none: whoever looks for a file that is gone makes one.
    """
    if not file.exists():
        return False
    name = f"file:{quote(str(file.absolute()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(name, uri=True)) as alone:
            tables = alone.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        return True  # it is something, and not ours to overwrite
    return bool(tables[0])
