"""The next part of a path that somebody types, from the files that the journal knows."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from ..core.model import ABSENT, SourceKey
from . import tables
from .database import open_read_only
from .location import JournalLocation

ROWS_MAX: Final = 5000  # read per key press; a larger folder is completed from its first ones


def next_parts(where: JournalLocation, source: SourceKey, typed: str) -> list[str]:
    """Return the folders (ending with "/") and files of a source that begin with `typed`.

    Raises JournalError.
    """
    files = tables.files.c
    fitting = (files.source == source) & files.path.startswith(typed, autoescape=True)
    query = select(files.path).where(fitting, files.seen != ABSENT).order_by(files.path)
    engine = open_read_only(where)
    try:
        with engine.connect() as connection:
            paths = connection.execute(query.limit(ROWS_MAX)).scalars().all()
    finally:
        engine.dispose()
    return list(dict.fromkeys(_cut(path, len(typed)) for path in paths))


def _cut(path: str, start: int) -> str:
    """Return the path up to the next folder after `start`."""
    end = path.find("/", start)
    return path if end < 0 else path[: end + 1]
