"""A line of a fixed round trip and rate in front of a server, on loopback and in user space.

`python -m benchmarks.delaying_line HOST:PORT ROUND_TRIP_S BYTES_PER_S` prints its own port and
relays until it is ended; then it prints how many bytes it carried to the server. All connections
share the rate, each direction has its own. A new connection costs one round trip. Left out: loss,
TCP's slow start, TLS.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import deque
from typing import Final

BACKLOG_S: Final = 0.02  # data that waits for the line; a real sender is held back likewise


class Direction:
    """One direction of the line: what is sent next leaves when the line is free."""

    def __init__(self, bytes_per_s: float) -> None:
        """Start idle."""
        self.carried_bytes = 0
        self._bytes_per_s = bytes_per_s
        self._free_s = 0.0

    def leaves_s(self, size_bytes: int, earliest_s: float) -> float:
        """Return when the last of so many bytes has left [s of the loop's clock]."""
        self.carried_bytes += size_bytes
        self._free_s = max(earliest_s, self._free_s) + size_bytes / self._bytes_per_s
        return self._free_s


class End(asyncio.Protocol):
    """One end of a relayed connection: what it receives reaches its peer later."""

    def __init__(self, direction: Direction, delay_s: float, open_s: float) -> None:
        """`open_s`: when the connection counts as made [s of the loop's clock]."""
        self.peer: End | None = None
        self.transport: asyncio.Transport | None = None
        self._direction = direction
        self._delay_s = delay_s
        self._open_s = open_s
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque()
        self._ended = False  # the other side sends nothing more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Let the data arrive at the peer when the line has carried it."""
        assert self.transport is not None
        now_s = self._loop.time()
        leaves_s = self._direction.leaves_s(len(data), max(now_s, self._open_s))
        self._waiting.append(data)
        self._loop.call_at(leaves_s + self._delay_s, self._arrive)
        if leaves_s - now_s > BACKLOG_S:
            self.transport.pause_reading()
            self._loop.call_at(leaves_s - BACKLOG_S, self._resume)

    def eof_received(self) -> bool:
        """Pass the end on, after what is still on its way."""
        self._ended = True
        self._waiting.append(b"")
        self._loop.call_at(
            self._direction.leaves_s(0, self._loop.time()) + self._delay_s, self._arrive
        )
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the peer, unless it closes after what is still on its way."""
        if not self._ended and self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()

    def _arrive(self) -> None:
        data = self._waiting.popleft()
        if self.peer is None or self.peer.transport is None or self.peer.transport.is_closing():
            return
        if data:
            self.peer.transport.write(data)
        elif self.peer._ended:
            self.peer.transport.close()
        else:
            self.peer.transport.write_eof()

    def _resume(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()


async def serve(host: str, port: int, round_trip_s: float, bytes_per_s: float) -> None:
    """Relay every connection to the server until cancelled."""
    loop = asyncio.get_running_loop()
    up, down = Direction(bytes_per_s), Direction(bytes_per_s)
    tasks: set[asyncio.Task[None]] = set()

    async def connect(near: End) -> None:
        _, far = await loop.create_connection(lambda: End(down, round_trip_s / 2, 0.0), host, port)
        near.peer, far.peer = far, near
        assert near.transport is not None
        near.transport.resume_reading()

    class Near(End):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            assert self.transport is not None
            self.transport.pause_reading()
            task = loop.create_task(connect(self))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await loop.create_server(
        lambda: Near(up, round_trip_s / 2, loop.time() + round_trip_s), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    print(up.carried_bytes, flush=True)


if __name__ == "__main__":
    target, round_trip, rate = sys.argv[1:]
    name, _, number = target.rpartition(":")
    asyncio.run(serve(name, int(number), float(round_trip), float(rate)))
