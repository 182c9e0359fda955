"""Bounds how long the head of an answer may take, from its first byte waited for to its last.

The time-out of httpx is that of a single read: a server that sends its headers drop by drop meets
every one, and h11 takes 100 KB of them. httpcore has no time-out for the whole either, so what it
reads through shortens each read to what is left. Source: httpcore, "Network Backends", 2026-11.
"""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import httpcore
import httpx

HEAD_S: Final = 150.0  # more than any single read may take


class HeadTransport(httpx.BaseTransport):
    """One transport that serves one request at a time, with a limit for the heads it reads."""

    def __init__(
        self,
        transport: httpx.HTTPTransport,
        *,
        head_s: float = HEAD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the place of what `transport` reads through. `clock` gives monotonic seconds."""
        self._transport = transport
        self._limit = _Limit(head_s, clock)
        pool = transport._pool
        pool._network_backend = _Backend(pool._network_backend, self._limit)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it and return the answer once its head is complete. Raises ReadTimeout."""
        self._limit.begin()
        try:
            return self._transport.handle_request(request)
        finally:
            self._limit.end()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


class _Limit:
    def __init__(self, head_s: float, clock: Callable[[], float]) -> None:
        self._head_s = head_s
        self._clock = clock
        self._is_read = False
        self._end_s = math.inf

    def begin(self) -> None:
        """Begin to count at the next read: what is sent before may be large."""
        self._is_read, self._end_s = True, math.inf

    def end(self) -> None:
        """Count no more: the head is complete."""
        self._is_read = False

    def shortened(self, timeout_s: float | None) -> float | None:
        """Return the time-out of a read. Raises ReadTimeout if nothing is left."""
        if not self._is_read:
            return timeout_s
        now_s = self._clock()
        if self._end_s == math.inf:
            self._end_s = now_s + self._head_s
        if now_s >= self._end_s:
            raise httpcore.ReadTimeout(f"no whole answer began within {self._head_s:.0f} s")
        return min(self._end_s - now_s, math.inf if timeout_s is None else timeout_s)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, limit: _Limit) -> None:
        self._stream = stream
        self._limit = limit

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._limit.shortened(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _Stream(stream, self._limit)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend, limit: _Limit) -> None:
        self._backend = backend
        self._limit = limit

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._limit)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)
