"""Settled content that is read on its share's threads, ahead of whoever sends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from itertools import islice
from types import TracebackType
from typing import Final, Self

from ..core.content import Content
from ..errors import FileMoved, ShareSilent
from .share_threads import ShareThreads

AHEAD_BYTES: Final = 4 * 1024 * 1024  # read by one job: a job for each MiB would cost more
WHOLE_BYTES: Final = 64 * 1024  # read and proven when it is opened; one of each upload is held


class ShareContent:
    """A context manager like the content it wraps.

    It holds one batch of pieces while the next is read: AHEAD_BYTES each, or one larger piece.
    Each job costs two changes of threads, so a small file is opened, read, verified and closed by
    one.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Content]],
        threads: ShareThreads,
        taken: Callable[[], None] = lambda: None,
        sent: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`opened` returns the content, to be entered; it is called on the share's threads.

        `taken` is called with every piece, by whoever takes it; `sent` gets the bytes that went
        out.
        """
        self._opened = opened
        self._threads = threads
        self._taken = taken
        self._sent = sent
        self._whole: bytes | None = None  # of a small file, which is closed again
        self._ahead: Future[list[bytes]] | None = None
        self._is_taken = True  # whatever was read; it may have been read ahead

    def __enter__(self) -> Self:
        """Open it. Raises FileMoved, DiskError."""
        self._context, self._content, self._whole = self._threads.call(self._open)
        return self

    def _open(self) -> tuple[AbstractContextManager[Content], Content, bytes | None]:
        context = self._opened()
        content = context.__enter__()
        if content.size_bytes > WHOLE_BYTES:
            return context, content, None
        try:
            whole = b"".join(content.chunks(WHOLE_BYTES))
            content.verify()
        finally:
            context.__exit__(None, None, None)
        return context, content, whole

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it; if the share is silent, once it answers."""
        if self._whole is not None:
            return
        context = self._context

        def close() -> None:
            context.__exit__(None, None, None)

        self._finish_reading()
        if self._ahead is not None and isinstance(self._ahead.exception(), ShareSilent):
            self._threads.close_later(close)  # a thread that hangs still uses it
            return
        try:
            self._threads.call(close)
        except ShareSilent:
            self._threads.close_later(close)

    @property
    def size_bytes(self) -> int:
        """The length according to the fingerprint."""
        return self._content.size_bytes

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the file from its start in pieces of `size_bytes`, the last one shorter.

        Asking again starts from the start. Raises FileMoved, DiskError.
        """
        if self._whole is not None:
            yield from self._parts(self._whole, size_bytes)
            return
        self._finish_reading()
        pieces = self._content.chunks(size_bytes)

        def read(count: int = max(AHEAD_BYTES // size_bytes, 1)) -> list[bytes]:
            return list(islice(pieces, count))

        self._is_taken = False
        left = self.size_bytes
        self._ahead = self._threads.submit(lambda: read(1))
        while batch := self._threads.result(self._ahead):
            left -= sum(map(len, batch))
            self._ahead = self._threads.submit(read) if left > 0 else _nothing()
            for piece in batch:
                self._taken()
                yield piece
        self._is_taken = True

    def note_sent(self, size_bytes: int) -> None:
        """Note that so many more bytes went out."""
        self._sent(size_bytes)

    def verify(self) -> None:
        """Raise FileMoved unless exactly the settled content was read and is still there."""
        self._finish_reading()
        if not self._is_taken:
            raise FileMoved("the content was not sent to its end")
        if self._whole is None:
            self._threads.call(self._content.verify)

    def _parts(self, whole: bytes, size_bytes: int) -> Iterator[bytes]:
        self._is_taken = False
        for start in range(0, len(whole), size_bytes):
            self._taken()
            yield whole[start : start + size_bytes]
        self._is_taken = True

    def _finish_reading(self) -> None:
        """Wait for the piece that is read ahead; only one thread may read at a time."""
        if self._ahead is not None:
            self._threads.wait_for(self._ahead)


def _nothing() -> Future[list[bytes]]:
    """Return the end of a content of which everything was read."""
    ended: Future[list[bytes]] = Future()
    ended.set_result([])
    return ended
