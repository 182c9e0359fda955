"""Block blobs: whole contents, staged blocks, and the list that makes blocks a content.

Source: Blob service REST API, "Put Blob", "Put Block", "Put Block List", "Get Block List".
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.engine import Row

from localtwin.errors import BlobRefusal
from localtwin.world.blobs import stored_headers
from localtwin.world.blobs.blob_records import Blob, find_blob, replace_content
from localtwin.world.blobs.blocks import (
    check_block_id,
    delete_abandoned,
    delete_incomplete,
    stage,
)
from localtwin.world.blobs.conditions import Conditions
from localtwin.world.blobs.content_parts import Slice
from localtwin.world.blobs.contents import Contents, Incoming
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.tables import blobs, committed_blocks, items, staged_blocks

_COMMITTED_BLOCKS = 50_000


@dataclass(frozen=True, slots=True)
class Block:
    """A block as Get Block List names it."""

    id: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers that a writer sent with the content; `stored` is returned to readers verbatim."""

    content_type: str = "application/octet-stream"
    md5: str | None = None
    stored: Mapping[str, str] = field(default_factory=dict)


class Blobs:
    """All blobs of the world; every change is one transaction."""

    def __init__(self, database: Database, contents: Contents, clock: Clock) -> None:
        self._database = database
        self._contents = contents
        self._clock = clock

    def receive(self, *, hashed: bool = True, summed: bool = False) -> Incoming:
        """Return a content to write the request's body to."""
        return self._contents.receive(hashed=hashed, summed=summed)

    def get(self, blob: str) -> Blob:
        """Return the committed blob; raises BlobRefusal BlobNotFound."""
        row = self._database.one(select(blobs).where(blobs.c.id == blob))
        if row is None:
            raise BlobRefusal("BlobNotFound")
        return Blob(**row._mapping)

    def file(self, blob: Blob) -> Path:
        """Return the blob's content on disk; joined first, if it is in parts yet."""
        return self._contents.whole(blob.content)

    def stored_headers(self, blob: Blob) -> dict[str, str]:
        """Return the headers that its writer stored with the content."""
        return stored_headers.headers_of(self._database, blob.content)

    def open(self, blob: str) -> tuple[Blob, IO[bytes]]:
        """Return the committed blob and its content, to be closed; raises BlobRefusal BlobNotFound.

        What is open stays readable, whoever replaces it.
        """
        found = self.get(blob)
        while True:
            try:
                return found, self.file(found).open("rb")
            except FileNotFoundError:
                newer = self.get(blob)
                if newer.content == found.content:
                    raise
                found = newer

    def put(self, blob: str, body: Incoming, headers: Headers, conditions: Conditions) -> Blob:
        """Make `body` the blob's content and delete its staged blocks."""
        name = body.keep(durable=True)
        row = self._row(blob, name, body.size_bytes, replace(headers, md5=body.md5))
        self._replace(row, (), headers.stored, conditions)
        return Blob(**row)

    def stage(self, blob: str, block: str, body: Incoming) -> None:
        """Keep `body` as an uncommitted block; a block of the same id is replaced."""
        check_block_id(block)
        name = body.keep(durable=False)  # its commit syncs it
        row = {
            "blob": blob,
            "block": block,
            "content": name,
            "size_bytes": body.size_bytes,
            "staged": stamp(self._clock()),
        }
        try:
            with self._database.write() as connection:
                old = stage(connection, row)
        except BaseException:
            self._contents.drop([name])
            raise
        self._contents.drop(old)

    def commit(
        self,
        blob: str,
        entries: Sequence[tuple[str, str]],
        headers: Headers,
        conditions: Conditions,
    ) -> Blob:
        """Make the listed blocks the blob's content; blocks not listed are deleted.

        `entries` are (list, block id), list being Committed, Uncommitted or Latest.
        """
        if len(entries) > _COMMITTED_BLOCKS:
            raise BlobRefusal("BlockListTooLong")
        conditions.check(self._find(blob))
        slices = self._slices(blob, entries)
        try:
            name = self._contents.join(slices)
        except FileNotFoundError as replaced:  # by somebody else, since they were looked up
            raise BlobRefusal("InvalidBlockList") from replaced
        row = self._row(blob, name, sum(part.size_bytes for part in slices), headers)
        blocks = [(block, part) for (_, block), part in zip(entries, slices, strict=True)]
        self._replace(row, blocks, headers.stored, conditions)
        return Blob(**row)

    def blocks(self, blob: str) -> tuple[Blob | None, list[Block], list[Block]]:
        """Return the blob if committed, its committed blocks in order, and the staged ones."""
        with self._database.read() as connection:
            found = find_blob(connection, blob)
            committed = connection.execute(
                select(committed_blocks)
                .where(committed_blocks.c.blob == blob)
                .order_by(committed_blocks.c.position)
            ).all()
            staged = connection.execute(
                select(staged_blocks)
                .where(staged_blocks.c.blob == blob)
                .order_by(staged_blocks.c.block)
            ).all()
        if found is None and not staged:
            raise BlobRefusal("BlobNotFound")
        return found, [_block(row) for row in committed], [_block(row) for row in staged]

    def delete_records(self, connection: Connection, blob_ids: Sequence[str]) -> list[str]:
        """Delete the records of blobs; returns the contents to `drop` after the commit."""
        found: list[str] = []
        for blob in blob_ids:
            for table, column in ((blobs, blobs.c.id), (staged_blocks, staged_blocks.c.blob)):
                gone = delete(table).where(column == blob).returning(table.c.content)
                found += connection.execute(gone).scalars()
            connection.execute(delete(committed_blocks).where(committed_blocks.c.blob == blob))
        stored_headers.delete_of(connection, found)
        return found

    def drop(self, contents: Sequence[str]) -> None:
        """Delete contents that no record refers to any more."""
        self._contents.drop(contents)

    def sweep(self) -> None:
        """Delete blobs without a file, and contents without a blob: a crash may leave both.

        And the blocks of uploads that were abandoned, or that a power cut left incomplete.
        """
        orphans = select(blobs.c.id).where(blobs.c.id.not_in(select(items.c.guid)))
        with self._database.write() as connection:
            self.delete_records(connection, connection.execute(orphans).scalars().all())
            delete_abandoned(connection, self._clock())
            delete_incomplete(connection, self._contents.size)
        used = self._database.all(select(blobs.c.content)) + self._database.all(
            select(staged_blocks.c.content)
        )
        self._contents.sweep({row.content for row in used})

    def _find(self, blob: str) -> Blob | None:
        with self._database.read() as connection:
            return find_blob(connection, blob)

    def _row(self, blob: str, name: str, size_bytes: int, headers: Headers) -> dict[str, Any]:
        now = stamp(self._clock())
        return {
            "id": blob,
            "content": name,
            "size_bytes": size_bytes,
            "etag": f'"0x{time.time_ns():X}"',
            "content_type": headers.content_type,
            "md5": headers.md5,
            "created": now,
            "modified": now,
        }

    def _replace(
        self,
        row: dict[str, Any],
        blocks: Sequence[tuple[str, Slice]],
        headers: Mapping[str, str],
        conditions: Conditions,
    ) -> None:
        try:
            with self._database.write() as connection:
                before = find_blob(connection, row["id"])
                conditions.check(before)
                old = replace_content(connection, row, blocks, before)
                stored_headers.record(connection, row["content"], headers)
        except BaseException:
            self._contents.drop([row["content"]])
            raise
        self._contents.drop(old)

    def _slices(self, blob: str, entries: Sequence[tuple[str, str]]) -> list[Slice]:
        with self._database.read() as connection:
            found = find_blob(connection, blob)
            committed = {
                row.block: Slice(found.content, row.offset, row.size_bytes)
                for row in connection.execute(
                    select(committed_blocks).where(committed_blocks.c.blob == blob)
                )
                if found is not None
            }
            staged = {
                row.block: Slice(row.content, 0, row.size_bytes)
                for row in connection.execute(
                    select(staged_blocks).where(staged_blocks.c.blob == blob)
                )
            }
        pools = {"Committed": committed, "Uncommitted": staged, "Latest": committed | staged}
        try:
            return [pools[kind][block] for kind, block in entries]
        except KeyError as missing:
            raise BlobRefusal("InvalidBlockList") from missing


def _block(row: Row[Any]) -> Block:
    return Block(row.block, row.size_bytes)
