"""The blob endpoint behind upload and download URLs.

Source: Blob service REST API, "Put Blob", "Put Block", "Put Block List", "Get Block List",
"Get Blob", "Get Blob Properties"; a signed URL is the authorization.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import IO

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from localtwin.api.blobs.bodies import (
    block_list,
    declared_size,
    parse_block_list,
    parse_range,
    receive,
    size_limit,
)
from localtwin.api.blobs.checksums import Claimed, asked_of_range, check_md5, checksum_headers
from localtwin.api.blobs.errors import blob_refused
from localtwin.api.blobs.headers import (
    conditions_of,
    http_date,
    kept_headers,
    property_headers,
    refuse_unsupported,
    written_headers,
)
from localtwin.api.storage.shapes import BLOB_PATH
from localtwin.errors import BlobRefusal
from localtwin.ids import new_guid
from localtwin.world.blobs.blob_records import Blob
from localtwin.world.blobs.contents import sums_of
from localtwin.world.blobs.signed_urls import SIGNED_VERSION, Grant
from localtwin.world.world import World

_BLOCK_LIST_BYTES = 8 << 20  # 50,000 ids of 64 bytes, in base64, in XML
_READ_BYTES = 1 << 20


def install(app: FastAPI, world: World) -> None:
    """Add the endpoint to `app`."""
    endpoint = BlobEndpoint(world)
    methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]
    app.add_route(BLOB_PATH + "/{blob}", endpoint.serve, methods=methods, include_in_schema=False)


class BlobEndpoint:
    """Serves one blob per URL."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def serve(self, request: Request) -> Response:
        """Answer one request."""
        try:
            grant = self._world.signer.check(
                request.url.path, request.query_params, now=self._world.clock()
            )
            refuse_unsupported(request)
            response = await self._dispatch(request, grant)
        except BlobRefusal as refusal:
            now = self._world.clock()
            return blob_refused(refusal, now=now, head=request.method == "HEAD")
        response.headers["x-ms-request-id"] = new_guid()
        client_id = request.headers.get("x-ms-client-request-id")
        if client_id is not None:
            response.headers["x-ms-client-request-id"] = client_id
        response.headers["x-ms-version"] = request.headers.get("x-ms-version", SIGNED_VERSION)
        return response

    async def _dispatch(self, request: Request, grant: Grant) -> Response:
        blob, operation = request.path_params["blob"], request.query_params.get("comp")
        if request.method == "PUT":
            grant.require("w")
            match operation:
                case None:
                    return await self._put(request, blob, grant)
                case "block":
                    return await self._put_block(request, blob, grant)
                case "blocklist":
                    return await self._put_block_list(request, blob)
        elif request.method in {"GET", "HEAD"}:
            grant.require("r")
            if operation is None:
                return await run_in_threadpool(self._get, request, blob, grant)
            if operation == "blocklist":
                return await run_in_threadpool(self._get_block_list, request, blob)
        else:
            raise BlobRefusal("UnsupportedHttpVerb")
        raise BlobRefusal("InvalidQueryParameterValue")

    async def _put(self, request: Request, blob: str, grant: Grant) -> Response:
        kind = request.headers.get("x-ms-blob-type")
        if kind is None:
            raise BlobRefusal("MissingRequiredHeader", HeaderName="x-ms-blob-type")
        if kind.lower() != "blockblob":
            raise BlobRefusal("InvalidHeaderValue", HeaderName="x-ms-blob-type", HeaderValue=kind)
        size = declared_size(request, size_limit(grant.version, block=False))
        conditions, headers = conditions_of(request), kept_headers(request)
        claimed = Claimed.of(request.headers)
        with self._world.blobs.receive(summed=claimed.crc64 is not None) as incoming:
            await receive(request, incoming, size=size)
            claimed.check(incoming.sums)
            if headers.md5 is not None and incoming.md5 is not None:
                check_md5(headers.md5, incoming.md5)
            put = partial(self._world.blobs.put, blob, incoming, headers, conditions)
            written = await run_in_threadpool(put)  # it waits for the disk
        return Response(
            status_code=201, headers=written_headers(written) | checksum_headers(incoming.sums)
        )

    async def _put_block(self, request: Request, blob: str, grant: Grant) -> Response:
        block = request.query_params.get("blockid")
        if block is None:
            raise BlobRefusal("InvalidQueryParameterValue")
        size = declared_size(request, size_limit(grant.version, block=True))
        # Hashing costs more than receiving; the service, too, hashes a block only when asked.
        claimed = Claimed.of(request.headers)
        hashed, summed = claimed.md5 is not None, claimed.crc64 is not None
        with self._world.blobs.receive(hashed=hashed, summed=summed) as incoming:
            await receive(request, incoming, size=size)
            claimed.check(incoming.sums)
            await run_in_threadpool(self._world.blobs.stage, blob, block, incoming)
        headers = {"x-ms-request-server-encrypted": "true"} | checksum_headers(incoming.sums)
        return Response(status_code=201, headers=headers)

    async def _put_block_list(self, request: Request, blob: str) -> Response:
        declared_size(request, _BLOCK_LIST_BYTES)
        claimed = Claimed.of(request.headers)
        body = await request.body()
        claimed.check(sums_of(body))
        entries = parse_block_list(body)
        written = await run_in_threadpool(
            self._world.blobs.commit, blob, entries, kept_headers(request), conditions_of(request)
        )
        return Response(status_code=201, headers=written_headers(written))

    def _get_block_list(self, request: Request, blob: str) -> Response:
        wanted = request.query_params.get("blocklisttype", "committed").lower()
        if wanted not in {"committed", "uncommitted", "all"}:
            raise BlobRefusal("InvalidQueryParameterValue")
        found, committed, staged = self._world.blobs.blocks(blob)
        body = block_list(
            None if wanted == "uncommitted" else committed,
            None if wanted == "committed" else staged,
        )
        headers = {"x-ms-blob-content-length": str(found.size_bytes if found else 0)}
        if found is not None:
            headers |= {"ETag": found.etag, "Last-Modified": http_date(found.modified)}
        return Response(body, 200, headers, media_type="application/xml")

    def _get(self, request: Request, blob: str, grant: Grant) -> Response:
        if request.method == "HEAD":  # of what may still be in parts
            part = self._asked(request, self._world.blobs.get(blob), grant)
            return Response(status_code=part.status, headers=part.headers)
        found, content = self._world.blobs.open(blob)
        with ExitStack() as closing:
            closing.enter_context(content)
            response = _read(request, self._asked(request, found, grant), content)
            if isinstance(response, ContentResponse):
                closing.pop_all()  # it closes the content itself
        return response

    def _asked(self, request: Request, found: Blob, grant: Grant) -> Part:
        conditions_of(request, reading=True).check(found)
        given = request.headers.get("x-ms-range") or request.headers.get("range")
        part = parse_range(given, found.size_bytes)
        stored = self._world.blobs.stored_headers(found)
        headers = property_headers(found, stored, grant.disposition)
        first, last = part or (0, found.size_bytes - 1)
        headers["Content-Length"] = str(last - first + 1)
        if part is None:
            return Part(first, found.size_bytes, 200, headers)
        headers["Content-Range"] = f"bytes {first}-{last}/{found.size_bytes}"
        if found.md5:  # the header would mean the range's own
            headers["x-ms-blob-content-md5"] = headers.pop("Content-MD5")
        return Part(first, last - first + 1, 206, headers)


@dataclass(frozen=True, slots=True)
class Part:
    """The requested range of a content, and the status and headers of the answer."""

    first: int
    size: int
    status: int
    headers: dict[str, str]


class ContentResponse(StreamingResponse):
    """Sends a range of a content, and closes the content in every case."""

    def __init__(self, content: IO[bytes], part: Part) -> None:
        super().__init__(_pieces(content, part), part.status, part.headers)
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._content:
            await super().__call__(scope, receive, send)


def _read(request: Request, part: Part, content: IO[bytes]) -> Response:
    checksum = asked_of_range(request.headers, part.size if part.status == 206 else None)
    if checksum is None:
        return ContentResponse(content, part)
    data = b"".join(_pieces(content, part))
    stored = checksum_headers(sums_of(data))[checksum]
    return Response(data, part.status, part.headers | {checksum: stored})


def _pieces(content: IO[bytes], part: Part) -> Iterator[bytes]:
    content.seek(part.first)
    left = part.size
    while left > 0 and (data := content.read(min(left, _READ_BYTES))):
        left -= len(data)
        yield data
