"""Turns the rows of the core into columns and back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from ..core.model import (
    BlindSpot,
    FileKey,
    FileRow,
    Fingerprint,
    LaneRow,
    Need,
    OnDelete,
    Phase,
    SourceRow,
    StorageId,
    need,
)


def from_file(row: FileRow) -> dict[str, Any]:
    """Return the columns of a file row."""
    look = row.fingerprint
    return {
        "source": row.key.source,
        "path": row.key.path,
        "folder": row.key.path.rpartition("/")[0],
        "size_bytes": look.size_bytes if look else None,
        "mtime_ns": look.mtime_ns if look else None,
        "file_id": str(look.file_id if look else 0),
        "ctime_ns": look.ctime_ns if look else 0,
        "hashed_s": row.hashed_s,
        "seen": row.seen,
        "stored": row.stored,
        "synced": row.synced,
        "covered": row.covered,
        "storage_id": row.storage_id,
        "in_connection": row.in_connection,
        "attempts": row.attempts,
        "aside": row.aside,
        "unread": row.unread,
        "aside_since_s": row.aside_since_s,
        "seen_s": row.seen_s,
        "note": row.note,
        "next_try_s": row.next_try_s,
        "version": row.version,
        "replaces": " ".join(row.replaces),
        "removing": row.removing.value,
        "moved_source": row.moved_from.source if row.moved_from else "",
        "moved_path": row.moved_from.path if row.moved_from else "",
        "is_open": need(row) is not Need.NOTHING or bool(row.covered),
    }


def to_file(row: RowMapping) -> FileRow:
    """Return the file row of these columns."""
    return FileRow(
        key=FileKey(row["source"], row["path"]),
        fingerprint=to_fingerprint(row),
        seen=row["seen"],
        stored=row["stored"],
        synced=row["synced"],
        covered=row["covered"],
        storage_id=row["storage_id"],
        hashed_s=row["hashed_s"],
        in_connection=row["in_connection"],
        attempts=row["attempts"],
        aside=row["aside"],
        unread=row["unread"],
        aside_since_s=row["aside_since_s"],
        seen_s=row["seen_s"],
        note=row["note"],
        next_try_s=row["next_try_s"],
        version=row["version"],
        replaces=tuple(map(StorageId, row["replaces"].split())),
        removing=OnDelete(row["removing"]),
        moved_from=_moved_from(row),
    )


def _moved_from(row: RowMapping) -> FileKey | None:
    return FileKey(row["moved_source"], row["moved_path"]) if row["moved_source"] else None


def to_fingerprint(row: RowMapping) -> Fingerprint | None:
    """Return the fingerprint in these columns; None before the first hash."""
    if row["mtime_ns"] is None:
        return None
    return Fingerprint(row["size_bytes"], row["mtime_ns"], int(row["file_id"]), row["ctime_ns"])


def to_source(row: RowMapping) -> SourceRow:
    """Return the source row of these columns."""
    values = {
        **row,
        "examples": tuple(row["examples"]),
        "drives_inside": tuple((path, identity) for path, identity in row["drives_inside"]),
        "blind": tuple(BlindSpot(**spot) for spot in row["blind"]),
        "doubted": tuple(row["doubted"]),
        "missed": tuple((path, since_s) for path, since_s in row["missed"]),
    }
    return SourceRow(**values)


def to_lane(row: RowMapping) -> LaneRow:
    """Return the lane row of these columns."""
    values = dict(row)
    return LaneRow(**{**values, "phase": Phase(values["phase"])})
