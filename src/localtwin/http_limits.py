"""Limits of one client's connection: ended when it stalls, floods, or never ends.

`serve` uses the limits that uvicorn has: idle keep-alive connections, backlog, time to shut down.
Done here is what it has no setting for: the size of a head (its setting is for its slower parser
only), connections that never send a request (limit_concurrency counts requests), a request that
stops half way, and a client that does not read its answer. Each connection is checked at intervals:
a client on a slow but steady line gets through, one that sends next to nothing does not.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

_FAILED_CHECKS_MAX = 2  # one check may fall into the pause of an honest client
_CONTENTS = b"/blobs/"  # where bodies are large; there the announced length is checked instead


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one client may ask of the server."""

    check_interval_s: float = 15.0
    least_bytes: int = 15 * 500  # between two checks; the slowest modem does better
    head_bytes: int = 64 << 10
    body_bytes: int = 16 << 20  # twice what any API takes: those say so themselves first
    connections: int = 400  # two descriptors each, of the 1,024 that a process usually has


HTTP_LIMITS = HttpLimits()


class Stage(Enum):
    """How much of a request was received."""

    NONE = auto()
    HEAD = auto()
    BODY = auto()


class LimitedProtocol(HttpToolsProtocol):
    """HTTP on one connection, with limits."""

    limits: ClassVar[HttpLimits] = HTTP_LIMITS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Start, unless there are too many connections."""
        super().connection_made(transport)
        self._stage = Stage.NONE
        self._requests = 0
        self._handed_over = False
        self._received = self._begun_at = 0  # bytes of the connection; where the request began
        self._chunked = False
        self._drained = False
        self._failed_checks = 0
        self._last_check = (0, 0, 0)
        self._timer = self.loop.call_later(self.limits.check_interval_s, self._check)
        if len(self.connections) > self.limits.connections:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the checks."""
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Receive bytes; refuse a request that exceeds its limit."""
        if self._stage is Stage.NONE:
            self._begin()
        self._received += len(data)
        super().data_received(data)
        size = self._received - self._begun_at
        if self._stage is Stage.HEAD and size > self.limits.head_bytes:
            self._refuse(431)
        elif self._stage is Stage.BODY and size > self.limits.body_bytes and self._is_bounded():
            self._refuse(413)

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._stage is not Stage.HEAD:
            self._begin()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Pass the request to the application; its body may follow."""
        if not self.url.startswith((b"/", b"http")):
            raise ValueError("a request of the server as a whole, or of another one")
        self._stage = Stage.BODY
        self._chunked = any(name == b"transfer-encoding" for name, _ in self.headers)
        super().on_headers_complete()
        self._handed_over = True

    def on_body(self, body: bytes) -> None:
        """Pass a piece of the body on; a single piece without copying it, which costs a third."""
        if self.cycle.body or self.cycle.response_complete:
            super().on_body(body)
            return
        self.cycle.body = body  # type: ignore[assignment]  # it is only read, and replaced
        if len(body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        self.cycle.message_event.set()

    def on_message_complete(self) -> None:
        """Record that the request was received whole."""
        self._stage = Stage.NONE
        super().on_message_complete()

    def resume_writing(self) -> None:
        """Record that the client has read what was sent."""
        self._drained = True
        super().resume_writing()

    def _begin(self) -> None:
        self._stage = Stage.HEAD
        self._requests += 1
        self._begun_at = self._received

    def _check(self) -> None:
        """End the connection when it made no progress in the last checks."""
        self._timer = self.loop.call_later(self.limits.check_interval_s, self._check)
        buffered = self.transport.get_write_buffer_size()
        requests, received, buffered_before = self._last_check
        not_reading = (
            buffered > 0
            and not self._drained
            and buffered_before - buffered < self.limits.least_bytes
        )
        silent = requests == self._requests and self._is_silent(self._received - received)
        self._failed_checks = self._failed_checks + 1 if not_reading or silent else 0
        self._last_check = (self._requests, self._received, buffered)
        self._drained = False
        if self._failed_checks < _FAILED_CHECKS_MAX:
            return
        if not_reading or self.transport.is_closing():
            self.transport.abort()
        else:
            self._refuse(408)

    def _is_bounded(self) -> bool:
        """Return whether the rest of the body must be limited by its size."""
        return self._chunked or not (self.url.startswith(_CONTENTS) or self._is_answered())

    def _is_silent(self, received: int) -> bool:
        """Return whether we wait for the client, and `received` bytes are too few."""
        match self._stage:
            case Stage.NONE:
                return self._is_answered() and self.timeout_keep_alive_task is None
            case Stage.HEAD:
                return not self.flow.read_paused
            case Stage.BODY if self._is_answered():  # it goes on sending what was refused
                return True
            case Stage.BODY:
                waits = self.flow.read_paused or self.cycle.waiting_for_100_continue
                return not waits and received < self.limits.least_bytes

    def _refuse(self, status: int) -> None:
        """Close, with an answer if the request has none yet."""
        if self._stage is Stage.HEAD:
            waits = self._is_answered()
        else:
            waits = self._stage is Stage.BODY and not self.cycle.response_started
        if not waits:
            self.transport.abort()
        elif not self.transport.is_closing():
            closing = b"content-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + closing)
            self.transport.close()

    def _is_answered(self) -> bool:
        """Return whether no request waits for its answer."""
        return not self._handed_over or self.cycle.response_complete


def limited_protocol(limits: HttpLimits) -> type[LimitedProtocol]:
    """Return the protocol with these limits, for uvicorn to make one of per connection."""
    return type("LimitedProtocol", (LimitedProtocol,), {"limits": limits})
