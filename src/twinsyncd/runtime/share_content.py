"""Settled content that is read on its share's threads, one piece ahead of whoever sends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from ..core.content import Content
from ..errors import ShareSilent
from .share_threads import ShareThreads


class ShareContent:
    """A context manager like the content it wraps; holds two pieces in memory at most."""

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Content]],
        threads: ShareThreads,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        """`opened` returns the content, to be entered; it is called on the share's threads.

        `taken` is called with every piece, by whoever takes it.
        """
        self._opened = opened
        self._threads = threads
        self._taken = taken
        self._ahead: Future[bytes] | None = None

    def __enter__(self) -> Self:
        """Open it. Raises FileMoved, DiskError."""

        def enter() -> tuple[AbstractContextManager[Content], Content]:
            context = self._opened()
            return context, context.__enter__()

        self._context, self._content = self._threads.call(enter)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it; if the share is silent, once it answers."""
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
        self._finish_reading()
        pieces = self._content.chunks(size_bytes)

        def read() -> bytes:
            return next(pieces, b"")

        self._ahead = self._threads.submit(read)
        while piece := self._threads.result(self._ahead):
            self._ahead = self._threads.submit(read)
            self._taken()
            yield piece

    def verify(self) -> None:
        """Raise FileMoved unless exactly the settled content was read and is still there."""
        self._finish_reading()
        self._threads.call(self._content.verify)

    def _finish_reading(self) -> None:
        """Wait for the piece that is read ahead; only one thread may read at a time."""
        if self._ahead is not None:
            self._threads.wait_for(self._ahead)
