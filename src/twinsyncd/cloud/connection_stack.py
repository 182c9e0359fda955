"""Gives each request the connection that became free last, at a cost that does not grow.

httpcore's pool examines all its connections at the start and at the end of every request, and asks
the system about each idle one. With the dozens of connections that small files use, that costs more
processor time than the requests themselves.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

import httpx


class ConnectionStack(httpx.BaseTransport):
    """Transports that are used by one request at a time; may be used from any thread."""

    def __init__(
        self,
        opened: Callable[[], httpx.BaseTransport],
        *,
        most: int,
        idle_s: float,
        answer_s: float = math.inf,
        downloads: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`opened` returns another transport, which needs to serve one request at a time.

        At most `most` are in use at a time. One that was not used for `idle_s` [s] is closed by the
        next request. A body that takes longer than `answer_s` [s] is given up: a server that sends
        it drop by drop meets every time-out of single reads. `downloads`: what is got may be large,
        and takes as long as it takes. `clock` gives monotonic seconds.
        """
        self._opened = opened
        self._idle_s = idle_s
        self._answer_s = answer_s
        self._downloads = downloads
        self._clock = clock
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._free: deque[tuple[httpx.BaseTransport, float]] = deque()  # since when [s]
        self._is_closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return the answer; its end makes the connection free again.

        Raises PoolTimeout when all were in use for too long.
        """
        patience_s = request.extensions.get("timeout", {}).get("pool")
        if not self._places.acquire(timeout=patience_s):
            raise httpx.PoolTimeout("all connections are in use", request=request)
        transport = None
        try:
            transport = self._take()
            response = transport.handle_request(request)
        except BaseException:
            self._give_back(transport)
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)
        stream = self._in_time(response.stream, request)
        response.stream = _Answer(response.stream, stream, lambda: self._give_back(transport))
        return response

    def close(self) -> None:
        """Close all connections; those in use close when their answers end."""
        with self._lock:
            self._is_closed = True
            free, self._free = self._free, deque()
        for transport, _ in free:
            transport.close()

    def _in_time(self, body: Iterable[bytes], request: httpx.Request) -> Iterator[bytes]:
        """Yield the body. Raises ReadTimeout when it takes too long."""
        is_long = self._downloads and request.method == "GET"
        end_s = math.inf if is_long else self._clock() + self._answer_s
        for piece in body:
            if self._clock() > end_s:
                text = f"the answer was not complete after {self._answer_s:.0f} s"
                raise httpx.ReadTimeout(text, request=request)
            yield piece

    def _take(self) -> httpx.BaseTransport:
        old: list[httpx.BaseTransport] = []
        with self._lock:
            while self._free and self._free[0][1] + self._idle_s < self._clock():
                old.append(self._free.popleft()[0])
            taken = self._free.pop()[0] if self._free else None
        for transport in old:
            transport.close()
        return taken or self._opened()

    def _give_back(self, transport: httpx.BaseTransport | None) -> None:
        with self._lock:
            is_kept = transport is not None and not self._is_closed
            if is_kept and transport is not None:
                self._free.append((transport, self._clock()))
        if transport is not None and not is_kept:
            transport.close()
        self._places.release()


class _Answer(httpx.SyncByteStream):
    """The `body` of an answer; `ended` is called once, when it is closed."""

    def __init__(
        self, stream: httpx.SyncByteStream, body: Iterator[bytes], ended: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._body = body
        self._ended: Callable[[], None] | None = ended

    def __iter__(self) -> Iterator[bytes]:
        return self._body

    def close(self) -> None:
        ended, self._ended = self._ended, None
        try:
            self._stream.close()
        finally:
            if ended is not None:
                ended()
