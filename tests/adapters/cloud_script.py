"""A wire that follows a script, a blob host in memory, and contents to send: fakes, no mocks.

Written from the service's documentation, so that a misreading in the client meets resistance.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs

import httpx

from twinsyncd.cloud.blob_reader import BlobReader
from twinsyncd.cloud.blobs import Blobs
from twinsyncd.cloud.client import Platform
from twinsyncd.cloud.request_limit import RequestGate
from twinsyncd.cloud.upload_limits import Limits
from twinsyncd.errors import CloudError, FileMoved

API = "https://api.example.com"
BLOB = "https://store.example.net/container/one?sv=2019-07-07&sp=rw&sig=s1"


@dataclass
class Scene:
    """One request that must come next, and what it is answered with."""

    method: str
    target: str
    answer: httpx.Response | Exception
    check: Callable[[httpx.Request], None] | None = None


@dataclass
class Wire:
    """Answers requests in the order of the script; anything unexpected fails the test."""

    scenes: list[Scene] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)
    naps: list[float] = field(default_factory=list)

    def hears(
        self,
        method: str,
        target: str,
        status: int = 200,
        json: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        check: Callable[[httpx.Request], None] | None = None,
    ) -> Self:
        """Expect a request; a target without a host means the API, one without a query any."""
        answer = httpx.Response(status, json=json, headers=headers, content=content)
        self.scenes.append(Scene(method, target, answer, check))
        return self

    def breaks(self, method: str, target: str, exc: Exception) -> Self:
        """Expect a request that gets no answer."""
        self.scenes.append(Scene(method, target, exc))
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer as the script says."""
        request.read()
        self.requests.append(request)
        url = str(request.url)
        assert self.scenes, f"unexpected: {request.method} {url}"
        scene = self.scenes.pop(0)
        expected = scene.target if "://" in scene.target else API + scene.target
        heard = url if "?" in expected else url.partition("?")[0]
        assert (scene.method, expected) == (request.method, heard)
        if scene.check:
            scene.check(request)
        if isinstance(scene.answer, Exception):
            raise scene.answer
        return scene.answer

    def ended(self) -> None:
        """Fail unless the whole script was played."""
        assert self.scenes == [], f"never came: {[each.target for each in self.scenes]}"

    def client(self) -> httpx.Client:
        """Return a client on this wire."""
        return httpx.Client(transport=httpx.MockTransport(self))

    def platform(self) -> Platform:
        """Return the platform as seen over this wire, unsigned."""
        return Platform(self.client(), api_url=API, sleep=self.naps.append, gate=self.gate())

    def gate(self) -> RequestGate:
        """Return a gate whose time moves on while somebody naps."""
        return RequestGate(24, clock=lambda: sum(self.naps), sleep=self.naps.append)


@dataclass
class Bytes:
    """Content in memory; `torn`: the file changed while it was being read."""

    data: bytes
    torn: bool = False
    read: int = 0
    verified: bool = False
    sent: int = 0

    @property
    def size_bytes(self) -> int:
        """The length as promised."""
        return len(self.data)

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the pieces, counting what was read; asked again, from the start."""
        self.read = 0
        for start in range(0, len(self.data), size_bytes):
            piece = self.data[start : start + size_bytes]
            self.read += len(piece)
            yield piece

    def note_sent(self, size_bytes: int) -> None:
        """Count what went out."""
        self.sent += size_bytes

    def verify(self) -> None:
        """Complain about a torn read; must come after the last byte."""
        assert self.read == len(self.data), "verified before everything was read"
        if self.torn:
            raise FileMoved("changed while it was read")
        self.verified = True


@dataclass
class BlobHost:
    """Block blobs as Azure documents them: blocks, lists, ETags, conditions, signatures."""

    signatures: set[str] = field(default_factory=lambda: {"s1"})
    may_read: bool = True
    blobs: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # etag, content
    blocks: dict[str, dict[str, bytes]] = field(default_factory=dict)
    committed: dict[str, dict[str, bytes]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    naps: list[float] = field(default_factory=list)
    lose_answer_of: int = -1  # index of the request that takes effect but is never answered
    commits: int = 0
    largest: int | None = None  # the largest request that a proxy before it lets through

    def client(self, limits: Limits | None = None) -> Blobs:
        """Return an uploader that talks to this host."""
        http = httpx.Client(transport=httpx.MockTransport(self))
        return Blobs(http, sleep=self.naps.append, limits=limits)

    def reader(self) -> BlobReader:
        """Return a reader that talks to this host."""
        http = httpx.Client(transport=httpx.MockTransport(self))
        return BlobReader(http, sleep=self.naps.append)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Take the request, and maybe lose the answer."""
        request.read()
        self.requests.append(request)
        answer = self._answer(request)
        if len(self.requests) - 1 == self.lose_answer_of:
            raise httpx.ReadTimeout("lost", request=request)
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        path = request.url.path
        assert "authorization" not in request.headers, "the token reached the blob host"
        if query.get("sig") not in self.signatures:
            return _blob_error(403, "AuthenticationFailed")
        if self.largest is not None and len(request.content) > self.largest:
            return httpx.Response(413, html="<html><h1>Request Entity Too Large</h1></html>")
        if request.method in {"GET", "HEAD"}:
            return self._look(request, path, query)
        match query.get("comp"):
            case "block":
                name = query["blockid"]
                assert len(base64.b64decode(name, validate=True)) <= 64
                if {len(name)} != {len(name), *map(len, self.blocks.get(path, {}))}:
                    return _blob_error(400, "InvalidBlobOrBlock")
                self.blocks.setdefault(path, {})[name] = request.content
                return httpx.Response(201)
            case "blocklist":
                names = re.findall(r"<Latest>([^<]+)</Latest>", request.content.decode())
                latest = self.committed.get(path, {}) | self.blocks.get(path, {})
                if not set(names) <= set(latest):
                    return _blob_error(400, "InvalidBlockList")
                return self._commit(request, path, {name: latest[name] for name in names})
            case _:
                assert request.headers["x-ms-blob-type"] == "BlockBlob"
                answer = self._commit(request, path, {"": request.content})
                self.committed.pop(path, None) if answer.status_code == 201 else None
                return answer

    def _look(self, request: httpx.Request, path: str, query: dict[str, str]) -> httpx.Response:
        if not self.may_read:
            return _blob_error(403, "AuthorizationPermissionMismatch")
        if query.get("comp") == "blocklist":
            kind = query["blocklisttype"]
            lists = {"committed": self.committed, "uncommitted": self.blocks}
            sections = "".join(
                _section(name, blocks.get(path, {}))
                for name, blocks in lists.items()
                if kind in {name, "all"}
            )
            return httpx.Response(200, text=f"<BlockList>{sections}</BlockList>")
        if path not in self.blobs:
            return httpx.Response(404)
        etag, data = self.blobs[path]
        if request.method == "HEAD":
            return httpx.Response(200, headers={"ETag": etag})
        if "range" not in request.headers:
            stream = httpx.ByteStream(data)  # it is read once, by whoever hashes it
            return httpx.Response(200, stream=stream, headers={"ETag": etag})
        first, last = request.headers["range"].removeprefix("bytes=").split("-")
        if not data:
            return _blob_error(416, "InvalidRange")
        return httpx.Response(206, content=data[int(first) : int(last) + 1])

    def _commit(
        self, request: httpx.Request, path: str, blocks: dict[str, bytes]
    ) -> httpx.Response:
        etag = self.blobs[path][0] if path in self.blobs else None
        if request.headers.get("if-none-match") == "*" and etag:
            return _blob_error(409, "BlobAlreadyExists")
        if request.headers.get("if-match", etag) != etag:
            return _blob_error(412, "ConditionNotMet")
        self.commits += 1
        self.blobs[path] = (f'"{self.commits}"', b"".join(blocks.values()))
        self.blocks.pop(path, None)
        self.committed[path] = blocks
        return httpx.Response(201, headers={"ETag": self.blobs[path][0]})


def _section(kind: str, blocks: Mapping[str, bytes]) -> str:
    each = "".join(
        f"<Block><Name>{name}</Name><Size>{len(data)}</Size></Block>"
        for name, data in blocks.items()
        if name  # a content of one request has no blocks
    )
    return f"<{kind.title()}Blocks>{each}</{kind.title()}Blocks>"


def caught(call: Callable[[], object]) -> CloudError:
    """Return the CloudError that the call must raise."""
    try:
        call()
    except CloudError as exc:
        return exc
    raise AssertionError("no CloudError was raised")


def _blob_error(status: int, code: str) -> httpx.Response:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code></Error>'
    return httpx.Response(status, text=body, headers={"x-ms-error-code": code})
