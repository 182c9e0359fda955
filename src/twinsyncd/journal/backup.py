"""Copies the journal before a new version of the program changes its tables.

Whoever installs the older version again gets its journal back with it. SQLite's own backup is
used, which is right even if the former daemon left a write-ahead log behind.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from .errors import journal_error

KEPT: Final = 2  # of the newest ones: the way back is to the former version, at most the one before


def backup_of(file: Path, version: str) -> Path:
    """Return where the journal's copy of that version lies."""
    return file.with_name(f"{file.stem}.before-upgrade-{version}{file.suffix}")


def back_up(file: Path, version: str) -> Path:
    """Copy the journal, which stands at this migration; return the copy. Raises JournalError.

    A copy that is not whole never has the copy's name.
    """
    copy = backup_of(file, version)
    begun = copy.with_name(f"{copy.name}.part")
    try:
        begun.unlink(missing_ok=True)
        os.close(os.open(begun, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(file)) as whole, closing(sqlite3.connect(begun)) as target:
            whole.backup(target)
        begun.replace(copy)
        _delete_older(file)
    except (sqlite3.Error, OSError) as exc:
        begun.unlink(missing_ok=True)
        raise journal_error(file, exc) from exc
    return copy


def _delete_older(file: Path) -> None:
    copies = file.parent.glob(backup_of(file, "*").name)
    for old in sorted(copies)[:-KEPT]:
        old.unlink()
