"""What is known of the files below one folder, for people. Any process may read."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from ..core.model import ABSENT, FileKey, FileRow
from . import tables
from .database import open_read_only
from .location import JournalLocation
from .rows import to_file

_FILES = tables.files.c


@dataclass(frozen=True, slots=True)
class FolderView:
    """The files below a folder: how many are known, how many are not synced, some of those."""

    known: int
    open_total: int
    open_files: tuple[FileRow, ...]


def read_folder(where: JournalLocation, folder: FileKey, limit: int) -> FolderView:
    """Return what is known of the files below a folder; the path "" is the whole source.

    Raises JournalError.
    """
    inside = _FILES.source == folder.source
    if folder.path:
        inside &= _FILES.path.startswith(f"{folder.path}/", autoescape=True)
    known = inside & ((_FILES.seen != ABSENT) | (_FILES.unread != ""))
    left = select(tables.files).where(_FILES.is_open, inside).order_by(_FILES.path).limit(limit)
    engine = open_read_only(where)
    try:
        with engine.connect() as connection, connection.begin():
            number = select(func.count()).select_from(tables.files)
            return FolderView(
                known=connection.execute(number.where(known)).scalar_one(),
                open_total=connection.execute(number.where(_FILES.is_open, inside)).scalar_one(),
                open_files=tuple(map(to_file, connection.execute(left).mappings())),
            )
    finally:
        engine.dispose()
