"""The blob endpoint behind upload and download URLs.

Source: Blob service REST API, "Put Blob", "Put Block", "Put Block List", "Get Block List",
"Get Blob", "Get Blob Properties"; a signed URL stands for the authorization.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial
from typing import IO

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from localtwin.api.blob_bodies import (
    block_list,
    declared_size,
    parse_block_list,
    parse_range,
    receive,
    size_limit,
)
from localtwin.api.blob_checksums import (
    Claimed,
    asked_of_range,
    check_md5,
    check_md5_form,
    checksum_headers,
)
from localtwin.api.blob_errors import blob_refused
from localtwin.api.promptly import promptly
from localtwin.api.storage_shapes import BLOB_PATH
from localtwin.errors import BlobRefusal
from localtwin.ids import new_guid
from localtwin.world.blobs import Blob, Headers
from localtwin.world.conditions import Conditions
from localtwin.world.contents import sums_of
from localtwin.world.signing import SIGNED_VERSION, Grant
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
            response = await self._dispatch(request, grant)
        except BlobRefusal as refusal:
            now = self._world.clock()
            return blob_refused(refusal, now=now, head=request.method == "HEAD")
        response.headers["x-ms-request-id"] = new_guid()
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
        conditions = _conditions(request)
        claimed, stored = Claimed.of(request.headers), _stored_md5(request)
        with self._world.blobs.receive(summed=claimed.crc64 is not None) as incoming:
            await receive(request, incoming, size=size)
            claimed.check(incoming.sums)
            if stored is not None and incoming.md5 is not None:
                check_md5(stored, incoming.md5)
            headers = Headers(_content_type(request))
            put = partial(self._world.blobs.put, blob, incoming, headers, conditions)
            written = await promptly(self._world, put)
        return Response(
            status_code=201, headers=_written(written) | checksum_headers(incoming.sums)
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
        headers = Headers(_content_type(request), _stored_md5(request))
        written = await run_in_threadpool(
            self._world.blobs.commit, blob, entries, headers, _conditions(request)
        )
        return Response(status_code=201, headers=_written(written))

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
            headers |= {"ETag": found.etag, "Last-Modified": _http_date(found.modified)}
        return Response(body, 200, headers, media_type="application/xml")

    def _get(self, request: Request, blob: str, grant: Grant) -> Response:
        found, content = self._world.blobs.open(blob)
        with ExitStack() as closing:
            closing.enter_context(content)
            response = _read(request, found, content, grant.disposition)
            if isinstance(response, ContentResponse):
                closing.pop_all()  # it closes the content itself
        return response


class ContentResponse(StreamingResponse):
    """Sends a range of a content, and closes it however that ends."""

    def __init__(
        self, content: IO[bytes], first: int, size: int, *, status: int, headers: dict[str, str]
    ) -> None:
        super().__init__(_pieces(content, first, size), status, headers)
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._content:
            await super().__call__(scope, receive, send)


def _read(request: Request, found: Blob, content: IO[bytes], disposition: str | None) -> Response:
    _conditions(request, reading=True).check(found)
    given = request.headers.get("x-ms-range") or request.headers.get("range")
    part = parse_range(given, found.size_bytes)
    headers = _properties(found, disposition)
    first, last = part or (0, found.size_bytes - 1)
    headers["Content-Length"] = str(last - first + 1)
    if part is not None:
        headers["Content-Range"] = f"bytes {first}-{last}/{found.size_bytes}"
        if found.md5:  # the header would mean the range's own
            headers["x-ms-blob-content-md5"] = headers.pop("Content-MD5")
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    size = None if part is None else last - first + 1
    checksum = asked_of_range(request.headers, size)
    if checksum is None:
        return ContentResponse(content, first, last - first + 1, status=status, headers=headers)
    data = b"".join(_pieces(content, first, last - first + 1))
    headers[checksum] = checksum_headers(sums_of(data))[checksum]
    return Response(data, status, headers)


def _pieces(content: IO[bytes], first: int, size: int) -> Iterator[bytes]:
    content.seek(first)
    while size > 0 and (data := content.read(min(size, _READ_BYTES))):
        size -= len(data)
        yield data


def _conditions(request: Request, *, reading: bool = False) -> Conditions:
    headers = request.headers
    return Conditions(
        if_match=headers.get("if-match"),
        if_none_match=headers.get("if-none-match"),
        if_modified_since=_date(headers.get("if-modified-since")),
        if_unmodified_since=_date(headers.get("if-unmodified-since")),
        reading=reading,
    )


def _stored_md5(request: Request) -> str | None:
    """Return the MD5 to keep with the content, if the client says one."""
    md5 = request.headers.get("x-ms-blob-content-md5")
    if md5 is not None:
        check_md5_form(md5)
    return md5


def _content_type(request: Request) -> str:
    headers = request.headers
    stored = headers.get("x-ms-blob-content-type")
    if stored is None and "comp" not in request.query_params:
        stored = headers.get("content-type")
    return stored or "application/octet-stream"


def _written(blob: Blob) -> dict[str, str]:
    headers = {
        "ETag": blob.etag,
        "Last-Modified": _http_date(blob.modified),
        "x-ms-request-server-encrypted": "true",
    }
    return headers if blob.md5 is None else headers | {"Content-MD5": blob.md5}


def _properties(blob: Blob, disposition: str | None) -> dict[str, str]:
    headers = _written(blob) | {
        "Accept-Ranges": "bytes",
        "Content-Type": blob.content_type,
        "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": _http_date(blob.created),
        "x-ms-lease-state": "available",
        "x-ms-lease-status": "unlocked",
    }
    if disposition is not None:
        headers["Content-Disposition"] = disposition
    return headers


def _http_date(moment: str) -> str:
    return format_datetime(datetime.fromisoformat(moment).astimezone(UTC), usegmt=True)


def _date(header: str | None) -> datetime | None:
    if header is None:
        return None
    try:
        moment = parsedate_to_datetime(header)
    except ValueError as invalid:
        raise BlobRefusal("InvalidHeaderValue", HeaderValue=header) from invalid
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
