"""Blocks of a blob: their ids, how they are staged, and where each is once committed.

Source: Blob service REST API, "Put Block", remarks on block ids, number and life of blocks.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from localtwin.errors import BlobRefusal
from localtwin.world.blobs.content_parts import Slice
from localtwin.world.clock import stamp
from localtwin.world.tables import staged_blocks

_BLOCK_ID_BYTES = 64
_STAGED_BLOCKS = 100_000
_STAGED_FOR = timedelta(days=7)  # after the last block of the blob


def check_block_id(block: str) -> None:
    """Raise BlobRefusal unless `block` is the base64 of 1 to 64 bytes."""
    try:
        raw = base64.b64decode(block, validate=True)
    except (binascii.Error, ValueError):
        raise _bad_id(block, "Not a valid base64 string.") from None
    if not 0 < len(raw) <= _BLOCK_ID_BYTES:
        raise _bad_id(block, f"Not between 1 and {_BLOCK_ID_BYTES} bytes.")


def _bad_id(block: str, reason: str) -> BlobRefusal:
    return BlobRefusal(
        "InvalidQueryParameterValue",
        QueryParameterName="blockid",
        QueryParameterValue=block,
        Reason=reason,
    )


def stage(connection: Connection, row: dict[str, Any]) -> list[str]:
    """Record a staged block; returns the contents it replaces."""
    of_blob = staged_blocks.c.blob == row["blob"]
    count, shortest, longest = connection.execute(
        select(
            func.count(),
            func.min(func.length(staged_blocks.c.block)),
            func.max(func.length(staged_blocks.c.block)),
        ).where(of_blob)
    ).one()
    if count and not shortest == longest == len(row["block"]):
        raise BlobRefusal("InvalidBlobOrBlock")
    if count >= _STAGED_BLOCKS:
        raise BlobRefusal("BlockCountExceedsLimit")
    same = of_blob & (staged_blocks.c.block == row["block"])
    old = connection.execute(select(staged_blocks.c.content).where(same)).scalars().all()
    statement = upsert(staged_blocks).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["blob", "block"], set_=row))
    return list(old)


def delete_abandoned(connection: Connection, now: datetime) -> None:
    """Delete the records of staged blocks of uploads that were abandoned for a week."""
    left = select(staged_blocks.c.blob).group_by(staged_blocks.c.blob)
    abandoned = left.having(func.max(staged_blocks.c.staged) < stamp(now - _STAGED_FOR))
    connection.execute(delete(staged_blocks).where(staged_blocks.c.blob.in_(abandoned)))


def delete_incomplete(connection: Connection, size_of: Callable[[str], int | None]) -> None:
    """Delete the records of staged blocks whose content did not survive a power cut whole.

    `size_of` returns the bytes that are there of a content, None when there is no file.
    """
    rows = connection.execute(
        select(
            staged_blocks.c.blob,
            staged_blocks.c.block,
            staged_blocks.c.content,
            staged_blocks.c.size_bytes,
        )
    ).all()
    for row in rows:
        if size_of(row.content) != row.size_bytes:
            same = (staged_blocks.c.blob == row.blob) & (staged_blocks.c.block == row.block)
            connection.execute(delete(staged_blocks).where(same))


def committed_rows(blob: str, blocks: Sequence[tuple[str, Slice]]) -> list[dict[str, Any]]:
    """Return the records of a committed list: where in the content each block is."""
    rows, offset = [], 0
    for position, (block, part) in enumerate(blocks):
        rows.append(
            {
                "blob": blob,
                "position": position,
                "block": block,
                "offset": offset,
                "size_bytes": part.size_bytes,
            }
        )
        offset += part.size_bytes
    return rows
