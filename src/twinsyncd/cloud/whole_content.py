"""A content that goes out in one request, read from the drive while it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..core.content import Content
from .upload_limits import MEBIBYTE

PIECE_BYTES: Final = MEBIBYTE


class WholeContent:
    """Yields the pieces of a content as often as it is asked for them, each time from the start.

    The last piece comes once all is verified: a request that lacks it is none for the host, so what
    it holds stays as it was.
    """

    def __init__(self, content: Content) -> None:
        """Read nothing yet."""
        self._content = content
        self.size_bytes = content.size_bytes

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces. Raises FileMoved before the last one, and DiskError."""
        last = b""
        for piece in self._content.chunks(PIECE_BYTES):
            if last:
                yield last
            last = piece
        self._content.verify()
        if last:
            yield last
