"""Sends a file's bytes to the signed URL, without a bearer token, one block in memory.

Small content goes in one request; larger content in blocks that stay invisible until the block
list is committed. Nothing is committed before the content is verified, and a commit is bound to
the blob as it was found, so that a request given up long ago cannot overwrite newer content.
Source: Azure Blob Storage REST, "Put Blob", "Put Block", "Put Block List", "Get Block List",
"Specifying conditional headers".
"""

from __future__ import annotations

import base64
import hashlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

import httpx

from ..core.content import Content
from ..errors import FileMoved
from . import blob_wire, faults
from .retries import Sleep, retrying

BLOCK_BYTES: Final = 4 * 1024 * 1024
"""Bounds memory per upload; large enough that per-request cost vanishes, small enough to repeat."""

BLOCKS_MAX: Final = 50_000  # of one committed blob; beyond 195 GiB the blocks grow
_UPLOAD: Final = "upload a file's content"
_LOST_RACE: Final = {409, 412}  # BlobAlreadyExists, ConditionNotMet

Condition = Mapping[str, str]
_ABSENT: Final[Condition] = {"If-None-Match": "*"}


class Blobs:
    """Uploads to signed URLs; safe to share between threads."""

    def __init__(self, http: httpx.Client, *, sleep: Sleep = time.sleep) -> None:
        """`http` must not sign requests; the caller owns and closes it."""
        assert http.auth is None, "the token must never reach the blob host"
        self._http = http
        self._retrying = retrying(sleep)

    def upload(
        self, content: Content, url: str, fresh_url: Callable[[], str], *, first: bool
    ) -> None:
        """Bring the whole content to the blob behind `url`, or leave the blob as it was.

        `first`: the blob is new, so nothing is there yet. `fresh_url` is called when the URL is
        no longer accepted. Raises FileMoved before anything is committed when the content is
        not the settled one, and CloudError; a transient one leaves open what the blob holds.
        """
        upload = _Upload(self._http, self._retrying, url, fresh_url)
        if content.size_bytes <= BLOCK_BYTES:
            upload.put_blob(content, first=first)
        else:
            upload.put_blocks(content, first=first)


class _Upload:
    """One upload under way: where it goes now, and how to get a fresh URL for it."""

    def __init__(
        self,
        http: httpx.Client,
        policy: Callable[..., httpx.Response],
        url: str,
        fresh_url: Callable[[], str],
    ) -> None:
        self._http = http
        self._policy = policy
        self._url = url
        self._fresh_url = fresh_url
        self._blocks_sent = False

    def put_blob(self, content: Content, *, first: bool) -> None:
        data = _whole(content)
        content.verify()
        found = _ABSENT if first else self._as_found()
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
        self._commit({}, headers, data, found)

    def put_blocks(self, content: Content, *, first: bool) -> None:
        found = _ABSENT if first else self._as_found()
        waiting = self._uncommitted()
        ids = []
        for index, block in enumerate(content.chunks(block_bytes(content.size_bytes))):
            name = block_id(index, block)
            ids.append(name)
            if waiting.get(name) != len(block):
                self._expect(self._send("PUT", {"comp": "block", "blockid": name}, {}, block), 201)
                self._blocks_sent = True
        content.verify()
        headers = {
            "Content-Type": "application/xml",
            "x-ms-blob-content-type": "application/octet-stream",
        }
        self._commit({"comp": "blocklist"}, headers, blob_wire.block_list(ids), found)

    def _uncommitted(self) -> Mapping[str, int]:
        """Return the blocks an earlier attempt left behind; none if the URL may not list them."""
        query = {"comp": "blocklist", "blocklisttype": "uncommitted"}
        response = self._send("GET", query, {}, b"")
        found = blob_wire.uncommitted(response.content) if response.status_code == 200 else {}
        self._blocks_sent = bool(found)
        return found

    def _commit(
        self, query: Mapping[str, str], headers: Mapping[str, str], body: bytes, found: Condition
    ) -> None:
        """Commit if the blob is still as found; if it is not, look again and try once more.

        The blob may be another than expected because a repeated commit met its own effect.
        """
        response = self._send("PUT", query, {**headers, **found}, body)
        if response.status_code in _LOST_RACE:
            response = self._send("PUT", query, {**headers, **self._as_found()}, body)
        self._expect(response, 201)

    def _as_found(self) -> Condition:
        """Return the condition "as it is now"; none if the URL may not look."""
        response = self._send("HEAD", {}, {}, b"")
        if response.status_code == 404:
            return _ABSENT
        etag = response.headers.get("etag", "")
        return {"If-Match": etag} if response.status_code == 200 and etag else {}

    def _send(
        self, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> httpx.Response:
        """Send to the URL, and once more to a fresh one when it is not accepted.

        Source: Azure Blob Storage REST, "Common error codes" (403: expired or not yet valid).
        """
        response: httpx.Response = self._policy(self._calls, method, query, headers, body)
        if response.status_code == 403 and method == "PUT":
            self._renew()
            response = self._policy(self._calls, method, query, headers, body)
        return response

    def _calls(
        self, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> httpx.Response:
        try:
            url = _extended(self._url, query)
            response = self._http.request(method, url, headers=headers, content=body or None)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from(_UPLOAD, exc) from exc
        if response.status_code == 429 or response.status_code >= 500:
            raise blob_wire.error_of(_UPLOAD, response)
        return response

    def _renew(self) -> None:
        """Get a fresh URL; blocks sent so far are of use only if it names the same blob."""
        old = httpx.URL(self._url)
        self._url = self._fresh_url()
        new = httpx.URL(self._url)
        if self._blocks_sent and (old.host, old.path) != (new.host, new.path):
            raise faults.unclear(_UPLOAD, "the service moved the file; the upload starts again")

    def _expect(self, response: httpx.Response, status: int) -> None:
        if response.status_code != status:
            raise blob_wire.error_of(_UPLOAD, response)


def block_id(index: int, block: bytes) -> str:
    """Return the block's id: base64 of its position and digest, of one length for all.

    Named by their own bytes, blocks left by a broken upload can only count as what they
    are, and a late repetition of one changes nothing.
    """
    name = f"{index:06d}-{hashlib.sha256(block).hexdigest()[:32]}"
    return base64.b64encode(name.encode("ascii")).decode("ascii")


def block_bytes(size_bytes: int) -> int:
    """Return the block size for a content: a whole number of MiB, so that the count suffices."""
    mebibyte = 1024 * 1024
    return max(BLOCK_BYTES, math.ceil(size_bytes / BLOCKS_MAX / mebibyte) * mebibyte)


def _extended(url: str, query: Mapping[str, str]) -> str:
    """Return the URL with more parameters; the signed ones stay letter for letter."""
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}" if query else url


def _whole(content: Content) -> bytes:
    """Return all bytes of a small content; never more than a block, whatever the file does."""
    data = b""
    for chunk in content.chunks(BLOCK_BYTES):
        data += chunk
        if len(data) > content.size_bytes:
            raise FileMoved("the file grew while it was being read")
    return data
