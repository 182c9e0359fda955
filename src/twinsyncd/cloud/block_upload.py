"""Sends a large content in blocks, several at a time, each read and hashed once.

Blocks stay invisible until their list is committed, which happens after the content is verified.
What the host holds already, from a broken upload or of the content before, is not sent again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ..core.content import Content
from . import blob_wire
from .blob_calls import ABSENT, UPLOAD, BlobCalls, Condition, expect
from .block_names import NOTHING_HELD, Held, block_id
from .sender_threads import SenderThreads
from .upload_budget import Cancelled, UploadBudget
from .upload_limits import MEBIBYTE, Limits, block_bytes, signed_block_bytes

PIECE_BYTES: Final = MEBIBYTE  # read, hashed and sent as one; blocks consist of whole pieces


class BlockUpload:
    """One content under way; `send` is called once."""

    def __init__(
        self, calls: BlobCalls, budget: UploadBudget, threads: SenderThreads, limits: Limits
    ) -> None:
        """Send nothing yet."""
        self._calls = calls
        self._budget = budget
        self._threads = threads
        self._limits = limits
        self._held: Held = NOTHING_HELD
        self._sizes: Mapping[str, int] = {}  # of the blocks that need not be sent again
        self._is_cleared = self._is_unseen = False
        self._changed = threading.Condition()
        self._under_way = 0
        self._error: BaseException | None = None
        self._size_bytes = 0
        self._ids: dict[int, Sequence[str]] = {}  # by the offset where each block starts

    def send(self, content: Content, url: str, *, first: bool) -> None:
        """Bring the content to the blob, or leave the blob as it was; raises as `Blobs.upload`."""
        ids, found = self.bring(content, url, first=first)
        self._calls.commit_blocks(ids, found)

    def bring(
        self, content: Content, url: str, *, first: bool, unseen: bool = False
    ) -> tuple[list[str], Condition]:
        """Send what the host lacks; return the ids of all blocks, verified, and what was there.

        `unseen`: not even the same content may be committed again, so blocks that another program
        left raise CloudError.
        """
        self._is_unseen = unseen
        self._size_bytes = content.size_bytes
        if first:
            self._held = Held({}, {})  # a blob that is new holds nothing: no need to ask
        else:
            self._look()
        found = ABSENT if first else self._found()
        block = self._block_bytes(signed_block_bytes(url))
        with self._budget.memory(3 * block):  # one being read, one ready, one under way
            try:
                for offset, pieces in _blocks(content, block):
                    self._begin(offset, pieces)
                self._wait_for(1)
            except BaseException as exc:
                self._give_up(exc)
                self._wait_for(1, quietly=True)
                raise
        content.verify()
        return [name for _, names in sorted(self._ids.items()) for name in names], found

    def send_piece(self, data: bytes, found: Condition) -> None:
        """Commit a small content, already verified, in blocks as small as they must be."""
        self._size_bytes = len(data)
        self._look()
        self._calls.commit_blocks(self._put(block_id(0, [data]), 0, [data]), found)

    def _look(self) -> None:
        self._held = self._calls.held() if self._limits.lists_blocks else NOTHING_HELD
        if self._held.has_foreign:
            self._clear()
        self._sizes = self._held.sizes()
        self._calls.has_blocks = bool(self._sizes)

    def _found(self) -> Condition:
        """Return the condition "as it is now"; mostly the list of its blocks has said how."""
        return {"If-Match": self._held.etag} if self._held.etag else self._calls.as_found()

    def _clear(self) -> None:
        if self._is_unseen:
            raise blob_wire.foreign_blocks(UPLOAD)
        self._is_cleared = True
        self._calls.drop_uncommitted(self._limits)
        self._held = self._held.without_uncommitted()
        self._sizes = self._held.sizes()

    def _block_bytes(self, signed_bytes: int) -> int:
        """Return the size of all blocks: that of an earlier upload, if its blocks are there."""
        earlier = self._held.first_block_bytes(self._size_bytes) or 0
        size = max(block_bytes(self._size_bytes), earlier)
        return self._allowed(min(size, signed_bytes))

    def _allowed(self, block: int) -> int:
        """Return the block size, smaller where the host wants it so; raises if too many result."""
        allowed = int(min(block, self._limits.block_bytes))
        if math.ceil(self._size_bytes / allowed) > self._limits.blocks_max:
            raise blob_wire.too_many_blocks(UPLOAD, allowed)
        return allowed

    def _begin(self, offset: int, pieces: Sequence[bytes]) -> None:
        """Name a block and send it, on another thread, unless the host holds it."""
        size = sum(map(len, pieces))
        # Without the right to list, foreign blocks show only when the first block is refused.
        self._wait_for(1 if not self._held.is_known and not self._calls.has_blocks else None)
        try:
            extra = self._budget.enter_block(
                size, lambda: not self._under_way, lambda: self._error is not None
            )
        except Cancelled:
            assert self._error is not None
            raise self._error from None
        with self._changed:
            self._under_way += 1
        self._threads.begin(lambda: self._carry_out(offset, pieces, extra))

    def _carry_out(self, offset: int, pieces: Sequence[bytes], extra: int) -> None:
        sent = 0
        try:
            if self._error is None:
                name, size = block_id(offset, pieces), sum(map(len, pieces))
                if self._sizes.get(name) == size:
                    self._ids[offset] = [name]
                    self._calls.sent(size)
                else:
                    self._ids[offset] = self._put(name, offset, pieces)
                    sent = size
        except BaseException as exc:  # noqa: BLE001 - raised again where the file is read
            self._give_up(exc)
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()
            self._budget.leave_block(extra, sent)

    def _put(self, name: str, offset: int, pieces: Sequence[bytes]) -> list[str]:
        """Send a block, in smaller ones where its size is refused; returns the ids of them all."""
        size = sum(map(len, pieces))
        if size <= self._limits.block_bytes:
            if self._sizes.get(name) == size:
                return [name]
            response = self._calls.put_block(name, pieces)
            if self._may_clear() and blob_wire.has_foreign_blocks(response):
                self._clear()
                response = self._calls.put_block(name, pieces)
            if response.status_code != 413 or not self._limits.refused(size):
                expect(response, 201)
                self._calls.has_blocks = True
                return [name]
        return [
            each
            for start, part in _parts(pieces, self._allowed(size))
            for each in self._put(block_id(offset + start, part), offset + start, part)
        ]

    def _may_clear(self) -> bool:
        """Return whether foreign blocks may be there still; then no other block is under way."""
        return not self._held.is_known and not self._is_cleared and not self._calls.has_blocks

    def _give_up(self, error: BaseException) -> None:
        self._error = self._error or error
        self._budget.wake()

    def _wait_for(self, fewer_than: int | None, *, quietly: bool = False) -> None:
        """Wait until fewer blocks than that are under way; raises what went wrong with one."""
        with self._changed:
            if fewer_than is not None:
                self._changed.wait_for(lambda: self._under_way < fewer_than)
        if self._error is not None and not quietly:
            raise self._error


def _blocks(content: Content, size_bytes: int) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Yield the blocks of a content: where each starts, and the pieces it consists of."""
    piece_bytes = min(PIECE_BYTES, size_bytes)
    pieces: list[bytes] = []
    offset = collected = 0
    for piece in content.chunks(piece_bytes):
        pieces.append(piece)
        collected += len(piece)
        if collected >= size_bytes:
            yield offset, pieces
            offset, collected, pieces = offset + collected, 0, []
    if pieces:
        yield offset, pieces


def _parts(pieces: Sequence[bytes], size_bytes: int) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Yield the same bytes in blocks of at most that size, with where each starts."""
    data = b"".join(pieces)
    for start in range(0, len(data), size_bytes):
        yield start, [data[start : start + size_bytes]]
