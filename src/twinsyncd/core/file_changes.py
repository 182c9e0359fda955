"""How a file's row changes when it goes, moves to another id, or is well again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .model import (
    ABSENT,
    IN_DOUBT,
    NO_ID,
    STAYS,
    Digest,
    FileRow,
    Fingerprint,
    Now,
    OnDelete,
    StorageId,
)


def with_storage_id(row: FileRow, storage_id: StorageId) -> FileRow:
    """Return the row with another id in Storage, which no run has processed yet.

    It is no source file of the connection either; the ids that it leaves behind are remembered
    until they are out of the connection, also those that nobody knows to be in: the answer to a
    request may have been lost.
    """
    if storage_id == row.storage_id:
        return row
    earlier = dict.fromkeys((*row.replaces, row.storage_id))
    left = tuple(each for each in earlier if each not in (storage_id, NO_ID))
    return replace(row, storage_id=storage_id, replaces=left, in_connection=False, synced=ABSENT)


def exchanged(origin: FileRow, row: FileRow) -> tuple[FileRow, FileRow]:
    """Return the rows of two files of which each is now what the other one was in the cloud.

    The first is that of `row`. If its file was nothing there, nothing is left of an `origin` that
    is not on the drive any more.
    """
    heir = _with_identity(row, origin)
    if row.storage_id:
        return heir, _with_identity(origin, row)
    is_there = origin.seen not in (ABSENT, origin.stored)
    return heir, _with_identity(origin, FileRow(origin.key)) if is_there else FileRow(origin.key)


def _with_identity(row: FileRow, other: FileRow) -> FileRow:
    """Return the row as what the other one is in the cloud, where it has the other one's name.

    What the service refused was the file's earlier id, so it is tried again; what the drive refuses
    stays.
    """
    place = other.moved_from or other.key
    return replace(
        row,
        stored=other.stored,
        synced=other.synced,
        storage_id=other.storage_id,
        in_connection=other.in_connection,
        replaces=other.replaces,
        version=other.version,
        moved_from=place if other.storage_id and place != row.key else None,
        aside="",
        attempts=0,
        note="",
        next_try_s=0.0,
    )


def with_content(row: FileRow, digest: Digest, look: Fingerprint, now: Now) -> FileRow:
    """Return the row of a file that was read whole; with another content it begins anew."""
    row = replace(row, fingerprint=look, hashed_s=now.wall_s, removing=OnDelete.KEEP)
    return row if row.seen == digest else replace(row, seen=digest, seen_s=now.wall_s, **NO_TROUBLE)


def without_file(row: FileRow) -> FileRow:
    """Return the row of a file that is no longer on the drive; what is in the cloud stays."""
    return replace(row, seen=ABSENT, fingerprint=None, **NO_TROUBLE)


def leaving(row: FileRow) -> FileRow:
    """Return the row of a file that is, or may be, out of its connection: no run keeps it up.

    What runs brought of it may stay in the iModel: no call takes that out, and what becomes of it
    is not documented.
    """
    return replace(row, synced=ABSENT, note=STAYS if row.synced != ABSENT else row.note)


def out_of_cloud(row: FileRow) -> FileRow:
    """Return the row of a file that was taken out of its connection, or deleted in Storage.

    If its elements stay in the iModel, so does its id: should the file come back, it is restored
    from the recycle bin, and nothing is doubled.
    """
    removing = row.removing
    row = replace(row, removing=OnDelete.KEEP, in_connection=False, replaces=())
    if removing is OnDelete.DELETE:
        storage_id = row.storage_id if row.note == STAYS else NO_ID
        row = replace(row, storage_id=storage_id, stored=ABSENT, version="")
    return replace(row, synced=ABSENT)


def is_proven(row: FileRow) -> bool:
    """Return whether nothing is left to do for what is on the drive."""
    return row.seen == row.stored == row.synced != ABSENT and row.moved_from is None


LEFT: Final = (
    "Storage and the connection still hold it, and this journal does not know when it left the "
    "drive"
)


def is_leftover(row: FileRow) -> bool:
    """Return whether it is set aside since the cloud has it and the drive does not.

    What is gone may be set aside for another reason: a store that was under way was refused.
    """
    return row.seen == ABSENT and row.aside == LEFT


def may_retry(row: FileRow) -> bool:
    """Return whether trying the file again, as a person asks, can change anything."""
    return bool(row.aside or row.unread or is_proven(row)) and not is_leftover(row)


def doubted(row: FileRow) -> FileRow:
    """Return the row of a file that is stored and run again, whatever is remembered of it.

    As after a store that broke off: should it be renamed or go meanwhile, its id goes along.
    """
    return replace(row, stored=IN_DOUBT, synced=ABSENT, version="")


NO_TROUBLE: Final[Mapping[str, Any]] = {
    "attempts": 0,
    "aside": "",
    "unread": "",
    "aside_since_s": 0.0,
    "note": "",
    "next_try_s": 0.0,
}
"""The columns of a file that nothing is wrong with, as of a new content."""
