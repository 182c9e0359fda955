"""A blob host that drops what it is sent, to measure a client and not a disk.

`python -m benchmarks.null_sink` prints its port and serves until it is ended. It keeps the ids and
sizes of blocks, so that an upload can be resumed, and `GET /figures` returns what it received.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

BUFFER_BYTES: Final = 1 << 20
DATE: Final = "Fri, 27 Nov 2026 12:00:00 GMT"


class Received:
    """What the sink was sent, by blob."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.body_bytes = 0
        self.requests = 0
        self.uncommitted: dict[str, dict[str, int]] = {}
        self.committed: dict[str, dict[str, int]] = {}
        self.commits = 0

    def answer(self, method: str, target: str, body: bytes, size_bytes: int) -> tuple[int, bytes]:
        """Return status and body of the answer to a request whose body is all there."""
        self.requests += 1
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match method, query.get("comp"):
            case "GET", None if parts.path == "/figures":
                return 200, json.dumps({"bytes": self.body_bytes, "commits": self.commits}).encode()
            case "GET", "blocklist":
                return 200, self._listed(parts.path)
            case "PUT", "block":
                self.uncommitted.setdefault(parts.path, {})[query["blockid"]] = size_bytes
                return 201, b""
            case "PUT", "blocklist":
                self._commit(parts.path, body)
                return 201, b""
            case "PUT", _:
                self.committed[parts.path] = {}
                self.commits += 1
                return 201, b""
            case _:
                return (200 if parts.path in self.committed else 404), b""

    def _commit(self, path: str, body: bytes) -> None:
        names = re.findall(rb"<Latest>([^<]+)</Latest>", body)
        known = self.committed.get(path, {}) | self.uncommitted.pop(path, {})
        self.committed[path] = {name.decode(): known[name.decode()] for name in names}
        self.commits += 1

    def _listed(self, path: str) -> bytes:
        def section(name: str, blocks: Mapping[str, int]) -> str:
            each = (f"<Block><Name>{n}</Name><Size>{s}</Size></Block>" for n, s in blocks.items())
            return f"<{name}>{''.join(each)}</{name}>"

        inner = section("CommittedBlocks", self.committed.get(path, {}))
        inner += section("UncommittedBlocks", self.uncommitted.get(path, {}))
        return f'<?xml version="1.0" encoding="utf-8"?><BlockList>{inner}</BlockList>'.encode()


class Connection(asyncio.BufferedProtocol):
    """One connection; bodies of blocks are received into one buffer, again and again."""

    def __init__(self, received: Received) -> None:
        """Expect a request."""
        self._received = received
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._head = b""
        self._request = ("", "")
        self._left = self._size = 0
        self._kept: list[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where the next bytes go."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Consume what came."""
        data = self._view[:nbytes]
        while data:
            data = self._take(data) if self._left else self._read_head(data)

    def _take(self, data: memoryview) -> memoryview:
        taken = data[: self._left]
        if self._kept is not None:
            self._kept.append(bytes(taken))
        self._left -= len(taken)
        self._received.body_bytes += len(taken)
        if not self._left:
            self._answer()
        return data[len(taken) :]

    def _read_head(self, data: memoryview) -> memoryview:
        before = len(self._head)
        self._head += bytes(data)
        head, found, _ = self._head.partition(b"\r\n\r\n")
        if not found:
            return data[:0]
        rest = data[len(head) + 4 - before :]
        self._head = b""
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
        self._request = (first.split()[0], first.split()[1])
        self._left = self._size = int(headers.get("content-length", "0"))
        self._kept = [] if "comp=blocklist" in first else None
        assert self._transport is not None
        if "100-continue" in headers.get("expect", ""):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self._left:
            self._answer()
        return rest

    def _answer(self) -> None:
        assert self._transport is not None
        body = b"".join(self._kept or [])
        method, target = self._request
        status, text = self._received.answer(method, target, body, self._size)
        head = (
            f'HTTP/1.1 {status} Done\r\nETag: "1"\r\nLast-Modified: {DATE}\r\nDate: {DATE}\r\n'
            f"x-ms-version: 2019-07-07\r\nContent-Type: application/xml\r\n"
            f"Content-Length: {len(text)}\r\n\r\n"
        )
        self._transport.write(head.encode("ascii") + (text if method != "HEAD" else b""))


async def serve() -> None:
    """Serve until cancelled."""
    received = Received()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(received), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
