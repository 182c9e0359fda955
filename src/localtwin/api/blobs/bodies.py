"""Bodies of blob requests: streamed to disk in bounded memory, checked, parsed.

Source: Blob service REST API, "Put Blob", "Put Block", "Put Block List".
"""

from __future__ import annotations

import re
from asyncio import Future, gather, get_running_loop
from collections.abc import Sequence
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, tostring

from fastapi import Request
from starlette.requests import ClientDisconnect

from localtwin.errors import BlobRefusal
from localtwin.world.blobs.block_blobs import Block
from localtwin.world.blobs.contents import Incoming

_MIB = 1 << 20
# Source: Blob service REST API, "Put Blob" and "Put Block", remarks on size by version.
_LIMITS = (
    ("2019-12-12", 5000 * _MIB, 4000 * _MIB),
    ("2016-05-31", 256 * _MIB, 100 * _MIB),
    ("", 64 * _MIB, 4 * _MIB),
)
# Collected before a write: a thread per network packet would cost more than the write.
_WRITE_BYTES = 2 * _MIB
# Written at once: quicker than handing it to a thread.
_INLINE_BYTES = 1 << 16


def size_limit(version: str, *, block: bool) -> int:
    """Return how many bytes one request may carry under a signed version."""
    for since, blob_max, block_max in _LIMITS:
        if version >= since:
            return block_max if block else blob_max
    raise AssertionError("the last entry fits every version")


def declared_size(request: Request, limit: int) -> int:
    """Return the Content-Length; raises BlobRefusal without one or above `limit`."""
    text = request.headers.get("content-length")
    if text is None:
        raise BlobRefusal("MissingContentLengthHeader")
    size = int(text)
    if size > limit:
        raise BlobRefusal("RequestBodyTooLarge")
    return size


async def receive(request: Request, incoming: Incoming, *, size: int) -> None:
    """Write the body to `incoming`; raises BlobRefusal when it is not `size` bytes long.

    While threads write and hash one part, the next is received; there are never more than two.
    """
    pending: Future[list[None]] | None = None
    pieces: list[bytes] = []
    collected = 0
    try:
        async for piece in request.stream():
            pieces.append(piece)
            collected += len(piece)
            if collected >= _WRITE_BYTES:
                if pending is not None:
                    await pending
                pending = _taking(incoming, pieces)
                pieces, collected = [], 0
    except ClientDisconnect as gone:
        raise BlobRefusal("IncompleteBody") from gone
    finally:
        if pending is not None:
            await pending
    if collected < _INLINE_BYTES:
        incoming.write(pieces)
    else:
        await _taking(incoming, pieces)
    if incoming.size_bytes != size:
        raise BlobRefusal("IncompleteBody")


def _taking(incoming: Incoming, pieces: Sequence[bytes]) -> Future[list[None]]:
    loop = get_running_loop()
    return gather(*(loop.run_in_executor(None, step, pieces) for step in incoming.steps))


def parse_block_list(body: bytes) -> list[tuple[str, str]]:
    """Return (list, block id) for every entry of a Put Block List body."""
    if b"<!" in body:  # no block list needs a document type, so no entity can be declared
        raise BlobRefusal("InvalidXmlDocument")
    try:
        root = fromstring(body)  # noqa: S314 (without a document type there is nothing to fear)
    except ParseError as invalid:
        raise BlobRefusal("InvalidXmlDocument") from invalid
    entries = [(entry.tag, (entry.text or "").strip()) for entry in root]
    known = {"Committed", "Uncommitted", "Latest"}
    if root.tag != "BlockList" or any(kind not in known for kind, _ in entries):
        raise BlobRefusal("InvalidXmlDocument")
    return entries


def block_list(committed: Sequence[Block] | None, staged: Sequence[Block] | None) -> bytes:
    """Return the body of Get Block List; None leaves that list out."""
    root = Element("BlockList")
    for name, blocks in (("CommittedBlocks", committed), ("UncommittedBlocks", staged)):
        if blocks is None:
            continue
        group = SubElement(root, name)
        for block in blocks:
            entry = SubElement(group, "Block")
            SubElement(entry, "Name").text = block.id
            SubElement(entry, "Size").text = str(block.size_bytes)
    return b'<?xml version="1.0" encoding="utf-8"?>' + tostring(root)


def parse_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Return the first and the last byte asked for, None for the whole."""
    if header is None:
        return None
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", header.strip())
    if found is None:
        return None
    first = int(found[1])
    last = min(int(found[2]) if found[2] else size_bytes - 1, size_bytes - 1)
    if first > last:
        raise BlobRefusal("InvalidRange")
    return first, last
