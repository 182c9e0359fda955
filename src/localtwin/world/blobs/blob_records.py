"""The record of a blob: which content it has, and what a new content replaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from localtwin.world.blobs import stored_headers
from localtwin.world.blobs.blocks import committed_rows
from localtwin.world.blobs.content_parts import Slice
from localtwin.world.tables import blobs, committed_blocks, items, staged_blocks

# Built once: every upload runs them.
_FIND = select(blobs).where(blobs.c.id == bindparam("wanted"))
_INSERT = insert(blobs)
_UNSTAGE = (
    delete(staged_blocks)
    .where(staged_blocks.c.blob == bindparam("wanted"))
    .returning(staged_blocks.c.content)
)


_SHOW_CONTENT = (
    update(items)
    .where(items.c.guid == bindparam("of"), items.c.complete)
    .values(size_bytes=bindparam("size"), modified=bindparam("moment"))
)


@dataclass(frozen=True, slots=True)
class Blob:
    """A committed blob."""

    id: str
    content: str
    size_bytes: int
    etag: str
    content_type: str
    md5: str | None
    created: str
    modified: str


def find_blob(connection: Connection, blob: str) -> Blob | None:
    """Return the committed blob, None if there is none."""
    row = connection.execute(_FIND, {"wanted": blob}).first()
    return None if row is None else Blob(**row._mapping)


def replace_content(
    connection: Connection,
    row: dict[str, Any],
    blocks: Sequence[tuple[str, Slice]],
    before: Blob | None,
) -> list[str]:
    """Write the row of a blob with its committed blocks; returns the contents to drop."""
    blob = row["id"]
    old = list(connection.execute(_UNSTAGE, {"wanted": blob}).scalars())
    if before is None:
        connection.execute(_INSERT, row)
    else:
        old.append(before.content)
        stored_headers.delete_of(connection, [before.content])
        row["created"] = before.created
        connection.execute(update(blobs).where(blobs.c.id == blob).values(row))
        connection.execute(delete(committed_blocks).where(committed_blocks.c.blob == blob))
    if blocks:
        connection.execute(insert(committed_blocks), committed_rows(blob, blocks))
    # An update takes effect without the call of complete, so the file must show it at once.
    # Source: Synchronization sample app, which never makes that call.
    shown = {"of": blob, "size": row["size_bytes"], "moment": row["modified"]}
    connection.execute(_SHOW_CONTENT, shown)
    return old
