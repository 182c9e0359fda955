"""Turns every error of the database, on reading and on writing, into one JournalError."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from ..errors import JournalDamaged, JournalError

_HINTS: Final = (
    ("locked", "another program has the journal open; close it (a backup, a database browser)"),
    ("no space left", "free some space on the disk that holds the state folder"),
    ("disk is full", "free some space on the disk that holds the state folder"),
    ("disk i/o error", "check the disk that holds the state folder: its space and its health"),
    ("permission denied", "give the daemon's account write access to the state folder"),
    ("readonly", "give the daemon's account write access to the state folder"),
    ("unable to open", "check that the state folder exists and that this account may use it"),
)
"""Signs of what may end by itself, or once somebody mends the disk; with the way out."""

_DAMAGED: Final = ("not a database", "malformed")
_OF_THE_DISK: Final = ("i/o", "is full", "no space", "readonly", "read-only", "unable to open")
MOVED_AWAY: Final = "a new one is made, and every file is compared with Storage anew"
_BEGIN_ANEW: Final = (
    "start the daemon, or run: twinsyncd sync; it sets the damaged one aside, and compares every"
    " file with Storage anew; if that was done within the last hour: check the disk, move it away"
)
FULL_BYTES: Final = 256 * 1024  # what SQLite needs for its shared memory and a small commit

_BUGS: Final = (DataError, IntegrityError, ProgrammingError)
"""Errors that our own statements cause; they are not translated, so that they show as bugs."""


def translate_errors(engine: Engine, file: Path) -> None:
    """Make every database error of the engine a JournalError that names the file and a way out."""

    def translate(context: ExceptionContext) -> JournalError | None:
        found = context.sqlalchemy_exception
        if not isinstance(found, DatabaseError) or isinstance(found, _BUGS):
            return None
        return journal_error(file, context.original_exception)

    event.listen(engine, "handle_error", translate)


def journal_error(file: Path, cause: BaseException) -> JournalError:
    """Return what a person should know of a database error."""
    text = str(cause)
    message = f"the journal {file} cannot be used: {text}"
    if any(sign in text.lower() for sign in _DAMAGED):
        return JournalDamaged(message, hint=_BEGIN_ANEW)
    if found := _of_the_disk(file, text.lower()):
        return found
    hint = next((hint for sign, hint in _HINTS if sign in text.lower()), "")
    return JournalError(message, hint=hint, may_pass=bool(hint))


def _of_the_disk(file: Path, text: str) -> JournalError | None:
    """Return what the disk shows to be the reason: SQLite's own words name only what it was at."""
    if not any(sign in text for sign in _OF_THE_DISK):
        return None
    folder = file.parent
    if not folder.exists():
        message = f"the journal {file} cannot be used: the state folder {folder} does not exist"
        return JournalError(message, hint=_hint_of("unable to open"), may_pass=True)
    try:
        free_bytes = shutil.disk_usage(folder).free
    except OSError:
        return None
    if _is_read_only(folder):
        why, hint = "its disk is mounted read-only", "mount it for writing"
    elif free_bytes < FULL_BYTES:
        why, hint = "its disk is full", _hint_of("disk is full")
    else:
        return None
    return JournalError(f"the journal {file} cannot be used: {why}", hint=hint, may_pass=True)


def _is_read_only(folder: Path) -> bool:
    if sys.platform == "win32":
        return False  # a disk there has no such state
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _hint_of(sign: str) -> str:
    return dict(_HINTS)[sign]
