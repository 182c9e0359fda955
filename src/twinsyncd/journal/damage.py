"""Sets a damaged journal aside, so that a new one can be rebuilt from the drive and the platform.

Nothing in a journal is unique: the files are on the drive and in Storage. A daemon that waits for a
person over it would leave an iModel as it is for weeks. The damaged one is kept, for its history.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from .errors import journal_error
from .location import JournalLocation, Server
from .log_files import delete_log, log_of

AGAIN_S: Final = 3600.0  # one more within this time: the disk is at fault, which a person looks at
_STAMP: Final = "%Y%m%d-%H%M%S"


class SetAside(NamedTuple):
    """A damaged journal that was moved away, and when (wall clock [s])."""

    file: Path
    at_s: float


def set_aside_ones(where: JournalLocation) -> tuple[SetAside, ...]:
    """Return the damaged journals beside this one that were moved away, the newest last.

    On a server none ever are: its administrator restores a backup.
    """
    if isinstance(where, Server):
        return ()
    file = where
    kept = re.compile(rf"{re.escape(file.stem)}\.damaged-(\d{{8}}-\d{{6}}){re.escape(file.suffix)}")
    found = []
    for each in sorted(file.parent.glob(f"{file.stem}.damaged-*{file.suffix}")):
        if named := kept.fullmatch(each.name):
            at = datetime.strptime(named[1], _STAMP).replace(tzinfo=UTC)
            found.append(SetAside(each, at.timestamp()))
    return tuple(found)


def set_aside(file: Path, now_s: float) -> Path | None:
    """Move a damaged journal away, with its log, and return where it is.

    None, and nothing is moved, if SQLite finds nothing wrong with it, or if another one was moved
    away within the last hour. Nobody may have it open. Raises JournalError.
    """
    if not is_damaged(file) or any(now_s - one.at_s < AGAIN_S for one in set_aside_ones(file)):
        return None
    stamp = datetime.fromtimestamp(now_s, UTC).strftime(_STAMP)
    kept = file.with_name(f"{file.stem}.damaged-{stamp}{file.suffix}")
    try:
        if log_of(file).exists():
            log_of(file).rename(log_of(kept))
        file.rename(kept)
        delete_log(file)
    except OSError as exc:
        raise journal_error(file, exc) from exc
    return kept


def is_damaged(file: Path) -> bool:
    """Return whether SQLite finds the file damaged, or no database at all; reads all of it."""
    name = f"file:{quote(str(file.absolute()))}?mode=rw"
    try:
        with closing(sqlite3.connect(name, uri=True)) as alone:
            (found,) = alone.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        return False  # locked, or not to be opened: nothing is known of its content
    except sqlite3.DatabaseError:
        return True
    return bool(found != "ok")
