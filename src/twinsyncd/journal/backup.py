"""Copies the journal before a new version of the program changes its tables.

Whoever installs the older version again gets its journal back with it. SQLite's own backup is
used, which is right even if the former daemon left a write-ahead log behind.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from .errors import journal_error
from .log_files import delete_log

KEPT: Final = 2  # of the newest ones: the way back is to the former version, at most the one before


def backup_of(file: Path, version: str) -> Path:
    """Return where the journal's copy of that version lies."""
    return file.with_name(f"{file.stem}.before-upgrade-{version}{file.suffix}")


def back_up(file: Path, version: str) -> Path:
    """Copy the journal, which stands at this migration; return the copy. Raises JournalError.

    A copy that is not whole never has the copy's name.
    """
    copy = backup_of(file, version)
    try:
        with closing(sqlite3.connect(file)) as whole:
            copy_database(whole, copy)
        _delete_older(file)
    except (sqlite3.Error, OSError) as exc:
        raise journal_error(file, exc) from exc
    return copy


def copy_database(whole: sqlite3.Connection, copy: Path) -> None:
    """Copy an open database to a file for this account alone. Raises OSError, sqlite3.Error."""
    begun = copy.with_name(f"{copy.name}.part")
    try:
        begun.unlink(missing_ok=True)
        os.close(os.open(begun, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(begun)) as target:
            whole.backup(target)
        begun.replace(copy)
    except (sqlite3.Error, OSError):
        with suppress(OSError):
            begun.unlink(missing_ok=True)
        raise


def put_back(whole: sqlite3.Connection, file: Path) -> None:
    """Write an open journal, whose file was deleted, to its place again. Raises JournalError.

    What is left of its log is of the deleted file, and would be read into the new one.
    """
    try:
        delete_log(file)
        copy_database(whole, file)
    except (sqlite3.Error, OSError) as exc:
        raise journal_error(file, exc) from exc


def _delete_older(file: Path) -> None:
    copies = file.parent.glob(backup_of(file, "*").name)
    for old in sorted(copies)[:-KEPT]:
        old.unlink()
