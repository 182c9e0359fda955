"""A bad network between the daemon and localtwin: an HTTP proxy that breaks what it is told to.

It keeps the Host header, so every link that localtwin hands out leads through it as well. One
request per connection keeps it simple. It takes no decision: a fault is armed with the number of
requests to let pass before. And it is a witness: it knows each content that was committed.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from .overheard import Overheard

T = TypeVar("T")

HEAD_BYTES: Final = 1 << 20  # no head of ours is near that
DELAY_S: Final = 0.4
_LENGTH: Final = re.compile(rb"^content-length:\s*(\d+)", re.IGNORECASE | re.MULTILINE)
_CONNECTION: Final = re.compile(rb"^connection:[^\r]*\r\n", re.IGNORECASE | re.MULTILINE)
_BLOCK: Final = re.compile(rb"<(?:Latest|Uncommitted|Committed)>([^<]+)</")


class Fault(StrEnum):
    """What may happen to one request."""

    DROPPED_REQUEST = "dropped request"  # before it had an effect
    DROPPED_ANSWER = "dropped answer"  # after it had its effect
    CUT_REQUEST = "cut request"  # in the middle of its body
    CUT_ANSWER = "cut answer"  # in the middle
    DELAY = "delay"


LOSING_ANSWERS: Final = {Fault.DROPPED_ANSWER, Fault.CUT_ANSWER}


@dataclass(frozen=True, slots=True)
class Commit:
    """A content that became a blob's; `blob` is the last part of its path, times are wall clock."""

    blob: str
    digest: str
    at_s: float  # when the answer to the request was there
    asked_s: float = math.inf  # when the request was


@dataclass(slots=True)
class _Request:
    head: bytes
    body: bytes
    asked_s: float  # wall clock, before it was read and perhaps delayed

    @property
    def line(self) -> tuple[str, str]:
        method, target, _ = self.head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        return method, target


@dataclass(slots=True)
class Witness:
    """Follows uploads and knows what was committed to which blob."""

    commits: list[Commit] = field(default_factory=list)
    _blocks: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def saw(self, method: str, target: str, body: bytes, asked_s: float) -> None:
        """Take note of a write to a blob that the server answered with success."""
        url = urlsplit(target)
        if method != "PUT" or not url.path.startswith("/blobs/"):
            return
        blob = unquote(url.path.rpartition("/")[2])
        query = parse_qs(url.query)
        part = query.get("comp", [""])[0]
        if part == "block":
            self._blocks[blob, query["blockid"][0]] = body
            return
        if part == "blocklist":
            names = [name.decode("ascii") for name in _BLOCK.findall(body)]
            if any((blob, name) not in self._blocks for name in names):
                return  # a block whose answer never came; what it holds is proved at rest
            body = b"".join(self._blocks[blob, name] for name in names)
        for key in [key for key in self._blocks if key[0] == blob]:
            del self._blocks[key]
        digest = hashlib.sha256(body).hexdigest()
        self.commits.append(Commit(blob, digest, time.time(), asked_s))


class Proxy:
    """Forwards to `upstream_port` on this machine while the context lasts."""

    def __init__(self, upstream_port: int) -> None:
        """MakeObserver on a free port of the loopback address from `__enter__` on."""
        self.witness = Witness()
        self.overheard = Overheard()
        self.done: Counter[Fault] = Counter()
        self.lost_s: list[float] = []  # when an answer was lost, wall clock
        self._upstream_port = upstream_port
        self._armed: list[tuple[int, Fault]] = []
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def arm(self, fault: Fault, after: int) -> None:
        """Let the fault happen to the request after the next `after` ones."""
        with self._lock:
            self._armed.append((after, fault))

    def _take(self) -> Fault | None:
        with self._lock:
            due = next((each for each in self._armed if each[0] <= 0), None)
            if due is not None:
                self._armed.remove(due)
            self._armed = [(after - 1, fault) for after, fault in self._armed]
        return due[1] if due else None

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(timeout=30)

    async def _end(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one request and its answer; whatever breaks is a broken connection."""
        try:
            request = await _read(reader)
            self.overheard.note(request.head, time.monotonic())
            answer = await self._answer(request, self._take())
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _answer(self, request: _Request, fault: Fault | None) -> bytes:
        """Return the bytes that the client gets, none if the connection just ends."""
        if fault is not None:
            self.done[fault] += 1
        if fault is Fault.DROPPED_REQUEST:
            return b""
        if fault is Fault.CUT_REQUEST:
            await self._forward(request.head, request.body[: len(request.body) // 2], cut=True)
            return b""
        if fault is Fault.DELAY:
            await asyncio.sleep(DELAY_S)
        answer = await self._forward(request.head, request.body)
        if answer[9:10] == b"2":
            self.witness.saw(*request.line, request.body, request.asked_s)
        if fault in LOSING_ANSWERS:
            self.lost_s.append(time.time())
            return b"" if fault is Fault.DROPPED_ANSWER else answer[: len(answer) // 2]
        return answer

    async def _forward(self, head: bytes, body: bytes, *, cut: bool = False) -> bytes:
        """Return localtwin's whole answer; `cut` ends the connection after what was sent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        try:
            writer.write(_CONNECTION.sub(b"", head)[:-2] + b"Connection: close\r\n\r\n" + body)
            await writer.drain()
            return b"" if cut else await reader.read()
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> _Request:
    head, asked_s = b"", time.time()
    while not head.endswith(b"\r\n\r\n"):
        line = await reader.readline()
        if not line or len(head) > HEAD_BYTES:
            raise asyncio.IncompleteReadError(head, None)
        head += line
    length = _LENGTH.search(head)
    body = await reader.readexactly(int(length[1])) if length else b""
    return _Request(head, body, asked_s)
