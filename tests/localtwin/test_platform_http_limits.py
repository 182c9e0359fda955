"""Connections that stall, flood or never end; and those that are merely slow."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from platform_scene import signing_key
from uvicorn.server import ServerState

from localtwin.http_limits import HttpLimits, LimitedProtocol
from localtwin.ids import pair_id
from localtwin.serve import Ready, Settings, serving
from localtwin.world.world import write_private

SHORT = HttpLimits(check_interval_s=0.05, connections=12)
HEAD = b"POST /connect/token HTTP/1.1\r\nHost: localhost\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """A server with short limits."""
    data: Path = tmp_path_factory.mktemp("impatient")
    write_private(data / "token.pem", signing_key())
    with serving(Settings(data, job_module="platform_jobs", workers=1, http_limits=SHORT)) as ready:
        yield ready


@pytest.fixture
def upload_url(local: Ready) -> str:
    """Where the content of a new file goes."""
    with httpx.Client(base_url=local.api_url) as http:
        form = {"grant_type": "client_credentials", "scope": "itwin-platform"}
        login = (local.client_id, local.client_secret)
        token = http.post("/connect/token", data=form, auth=login).json()["access_token"]
        root = pair_id(local.itwin_id, local.itwin_id)
        made = http.post(
            f"/storage/folders/{root}/files",
            json={"displayName": "bridge.dgn"},
            headers={"Authorization": f"Bearer {token}"},
        )
    url: str = made.json()["_links"]["uploadUrl"]["href"]
    return url


def connected(local: Ready) -> socket.socket:
    address = urlsplit(local.api_url)
    assert address.hostname is not None
    assert address.port is not None
    return socket.create_connection((address.hostname, address.port), timeout=20)


def read_all(client: socket.socket) -> bytes:
    """Return what comes until the server closes the connection."""
    answer = b""
    while more := client.recv(1 << 20):
        answer += more
    return answer


def said(local: Ready, *pieces: bytes) -> bytes:
    """Send the pieces and return what came back until the server closed the connection."""
    answer = b""
    with connected(local) as client:
        try:
            for piece in pieces:
                client.sendall(piece)
            answer = read_all(client)
        except (ConnectionResetError, BrokenPipeError):
            pass
    return answer


@pytest.mark.parametrize(
    "begun",
    [b"", b"\r\n", b"GET", HEAD, HEAD + FORM + b"Content-Length: 10\r\n\r\nhalf",
     HEAD + FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhal"],
    ids=["nothing", "empty line", "a word", "half a head", "half a body", "half a chunk"],
)  # fmt: skip
def test_a_client_that_falls_silent_is_let_go(local: Ready, begun: bytes) -> None:
    """Each of them would hold a connection for ever."""
    assert said(local, begun).startswith(b"HTTP/1.1 408 ") == (begun != b"")


def test_an_upload_that_falls_silent_leaves_nothing_behind(local: Ready, upload_url: str) -> None:
    """What came of it is no content and costs no disk."""
    target = urlsplit(upload_url)
    line = f"PUT {target.path}?{target.query} HTTP/1.1\r\n"
    head = f"{line}Host: localhost\r\nContent-Length: 300000\r\n"

    answer = said(local, head.encode() + b"x-ms-blob-type: BlockBlob\r\n\r\n" + b"x" * 200_000)

    with httpx.Client() as http:
        assert http.get(upload_url).headers["x-ms-error-code"] == "BlobNotFound"
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert [file for file in (local.data / "blobs").rglob("*") if file.is_file()] == []


def test_a_client_that_does_not_listen_is_let_go(local: Ready, upload_url: str) -> None:
    """A download that nobody takes would hold its file open for ever."""
    httpx.put(upload_url, content=b"x" * (32 << 20), headers={"x-ms-blob-type": "BlockBlob"})
    target = urlsplit(upload_url)
    request = f"GET {target.path}?{target.query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with connected(local) as deaf:
        deaf.sendall(request)

        for _ in range(3):  # other clients, who are let go meanwhile
            said(local, b"")

        assert len(read_all(deaf)) < 32 << 20


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ((b"GET / HTTP/1.1\r\nX: ", *[b"x" * 65536] * 8), b"431"),
        ((b"GET / HTTP/1.1\r\n", *[b"X: y\r\n" * 10_000] * 8), b"431"),
        ((b"GET /", *[b"x" * 65536] * 8), b"4"),
        (
            (
                HEAD + FORM + b"Transfer-Encoding: chunked\r\n\r\n",
                *[b"4000\r\n" + b"x" * 0x4000 + b"\r\n"] * 1100,
            ),
            b"4",
        ),
        (
            (
                HEAD + FORM + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
                *[b"X: y\r\n" * 100_000] * 30,
            ),
            b"4",
        ),
    ],
    ids=["long header", "many headers", "long path", "endless body", "endless trailers"],
)
def test_a_flood_is_refused(local: Ready, pieces: tuple[bytes, ...], status: bytes) -> None:
    """Memory is bounded whatever is sent; the client may or may not get an answer."""
    answer = said(local, *pieces)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 " + status)


def test_one_client_too_many_is_turned_away(local: Ready) -> None:
    """Before the process runs out of descriptors, and without harm to the others."""
    crowd = [connected(local) for _ in range(SHORT.connections)]
    try:
        assert said(local, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""
    finally:
        for client in crowd:
            client.close()


@pytest.mark.parametrize(
    "target",
    ["*", "/blobs/../../../../etc/passwd", "/blobs/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
     "/blobs/azuresqldbecpluginstorage/ProjectShare/File/..%2f..%2fcredentials.json",
     "/blobs/azuresqldbecpluginstorage/ProjectShare/File/%00", "//etc/passwd", "/%ff%fe",
     "file:///etc/passwd", "/..%5c..%5ccredentials.json", "/credentials.json"],
)  # fmt: skip
def test_no_path_leads_out_of_the_served_world(local: Ready, target: str) -> None:
    """Whoever reaches the port may be any page in the user's browser."""
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    answer = said(local, request.encode())

    assert answer.split(b" ")[1] in {b"400", b"403", b"404"}
    assert b"root:" not in answer
    assert local.client_secret.encode() not in answer


class Looks:
    """A loop whose timers fire when `pass_by` is called."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timers: list[tuple[asyncio.TimerHandle, Callable[[], object]]] = []

    def create_task(self, work: Any, **options: Any) -> asyncio.Task[Any]:
        return self._loop.create_task(work, **options)

    def call_later(self, delay_s: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(0, call, (), self._loop)
        if delay_s == HttpLimits().check_interval_s:
            self._timers.append((handle, call))
        return handle

    def pass_by(self) -> None:
        """Let the time until the next look pass."""
        timers, self._timers = self._timers, []
        for handle, call in timers:
            if not handle.cancelled():
                call()


class Wire(asyncio.Transport):
    """A transport that keeps what is written, and takes from it what a client has read."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.taken = 0
        self.ended = False
        self.paused = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return len(self.written) - self.taken

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.ended

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Call:
    """One connection without a network, to an application under test."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.loop = Looks(asyncio.get_running_loop())
        config = uvicorn.Config(app, ws="none", log_config=None)
        config.load()
        loop = cast("asyncio.AbstractEventLoop", self.loop)
        self.line, self.wire = LimitedProtocol(config, ServerState(), {}, loop), Wire()
        self.line.connection_made(self.wire)

    async def says(self, data: bytes) -> None:
        self.line.data_received(data)
        for _ in range(5):  # the application runs
            await asyncio.sleep(0)


async def until_whole(_scope: Any, receive: Any, send: Any) -> None:
    """Take the body, then answer a little."""
    while (await receive()).get("more_body"):
        pass
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


UPLOAD = b"PUT /blobs/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"


def test_a_slow_but_steady_line_gets_through() -> None:
    """A real client on a bad line needs patience most of all."""

    async def scene() -> bool:
        call = Call(until_whole)
        await call.says(UPLOAD)
        for _ in range(1_000_000 // 10_000):  # some 700 bytes a second
            call.loop.pass_by()
            await call.says(b"x" * 10_000)
        return call.wire.written.startswith(b"HTTP/1.1 200 ") and not call.wire.ended

    assert asyncio.run(scene())


def test_a_drop_now_and_then_is_not_a_steady_line() -> None:
    """A byte before every look would otherwise hold the connection for ever."""

    async def scene() -> bytes:
        call = Call(until_whole)
        await call.says(UPLOAD)
        while not call.wire.ended:
            await call.says(b"x")
            call.loop.pass_by()
        return call.wire.written

    assert asyncio.run(scene()).startswith(b"HTTP/1.1 408 ")


def test_a_server_that_is_slow_itself_blames_nobody() -> None:
    """While it does not read, or works on its answer, the client can do nothing."""
    going_on = asyncio.Event()

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        await going_on.wait()
        await until_whole(scope, receive, send)

    async def scene() -> list[bool]:
        ended = []
        for length in (2, 1_000_000):
            going_on.clear()
            call = Call(busy)
            head = f"PUT /blobs/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
            await call.says(head.encode() + b"x" * min(length, 100_000))
            for _ in range(5):
                call.loop.pass_by()
            ended.append(call.wire.ended)
            going_on.set()
        return ended

    assert asyncio.run(scene()) == [False, False]


def test_a_client_that_waits_to_be_asked_for_the_body_is_not_let_go() -> None:
    """Expect: 100-continue makes the first word ours."""
    going_on = asyncio.Event()

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        await going_on.wait()
        await until_whole(scope, receive, send)

    async def scene() -> tuple[bool, bytes]:
        call = Call(busy)
        await call.says(UPLOAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        for _ in range(5):
            call.loop.pass_by()
        patient = not call.wire.ended
        going_on.set()
        await call.says(b"x" * 1_000_000)
        return patient, call.wire.written

    patient, written = asyncio.run(scene())
    assert patient
    assert b"200 OK" in written


def test_a_slow_reader_is_served_and_a_deaf_one_let_go() -> None:
    """What was taken from the answer counts, however large its pieces are."""

    async def generous(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 1_000_000})

    async def scene() -> list[bool]:
        call = Call(generous)
        await call.says(b"GET /blobs/a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        ended = []
        for taken in (10_000, 10_000, 10_000, 10_000, 0, 0):
            call.wire.taken += taken
            call.loop.pass_by()
            ended.append(call.wire.ended)
        return ended

    assert asyncio.run(scene()) == [False, False, False, False, False, True]


def test_many_quick_requests_on_one_connection_are_no_stall() -> None:
    """A client that happens to be caught in mid-request at every look has done nothing wrong."""

    async def scene() -> bool:
        call = Call(until_whole)
        whole = b"PUT /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok"
        for _ in range(6):
            await call.says(whole[:-1])
            call.loop.pass_by()
            await call.says(whole[-1:])
            call.wire.taken = len(call.wire.written)
        return call.wire.ended

    assert not asyncio.run(scene())
