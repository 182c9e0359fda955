"""Sends a file's bytes to the signed URL, without a bearer token, one block in memory.

Small content goes in one request; larger content in blocks that stay invisible until the block
list is committed. Where the host, or a proxy before it, refuses the size of a request (413), the
blocks get smaller. Nothing is committed before the content is verified, and a commit is bound to
the blob as it was found, so that a request given up long ago cannot overwrite newer content.
Source: Azure Blob Storage REST, "Put Blob", "Put Block", "Put Block List", "Get Block List",
"Specifying conditional headers".
"""

from __future__ import annotations

import base64
import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

import httpx

from ..core.content import Content
from ..errors import FileMoved
from . import blob_wire, faults
from .retries import Sleep, retrying
from .upload_hosts import UploadHosts

BLOCK_BYTES: Final = 4 * 1024 * 1024
"""Bounds memory per upload; large enough that per-request cost vanishes, small enough to repeat."""

BLOCK_LEAST_BYTES: Final = 64 * 1024  # a proxy that refuses even this lets no file through
BLOCKS_MAX: Final = 50_000  # of one committed blob; beyond 195 GiB the blocks grow
REWRITE_MAX_BYTES: Final = 64 * 1024 * 1024  # the longest content that is read back into memory
_UPLOAD: Final = "upload a file's content"
_LOST_RACE: Final = {409, 412}  # BlobAlreadyExists, ConditionNotMet
_OCTETS: Final = "application/octet-stream"

Condition = Mapping[str, str]
_ABSENT: Final[Condition] = {"If-None-Match": "*"}


@dataclass(slots=True)
class Limits:
    """What the host and this machine can take; shared by all uploads.

    `block_bytes`: the largest block that the host accepts, as far as is known.
    """

    block_bytes: float = math.inf
    blocks_max: int = BLOCKS_MAX
    rewrite_max_bytes: int = REWRITE_MAX_BYTES


class Blobs:
    """Uploads to signed URLs; safe to share between threads."""

    def __init__(
        self,
        http: httpx.Client,
        *,
        sleep: Sleep = time.sleep,
        hosts: UploadHosts | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`http` must not sign requests nor follow redirects; the caller owns and closes it."""
        assert http.auth is None, "the token must never reach the blob host"
        assert not http.follow_redirects, "a redirect would take the content to another host"
        self._http = http
        self._retrying = retrying(sleep)
        self._hosts = hosts or UploadHosts()
        self._limits = limits or Limits()

    def upload(
        self, content: Content, url: str, fresh_url: Callable[[], str], *, first: bool
    ) -> None:
        """Bring the whole content to the blob behind `url`, or leave the blob as it was.

        `first`: the blob is new, so nothing is there yet. `fresh_url` is called when the URL is
        no longer accepted. Raises FileMoved before anything is committed when the content is
        not the settled one, and CloudError; a transient one leaves open what the blob holds.
        """
        self._hosts.check(url)

        def fresh() -> str:
            renewed = fresh_url()
            self._hosts.check(renewed)
            return renewed

        upload = _Upload(self._http, self._retrying, url, fresh, self._limits)
        if content.size_bytes <= min(BLOCK_BYTES, self._limits.block_bytes):
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
        limits: Limits,
    ) -> None:
        self._http = http
        self._policy = policy
        self._url = url
        self._fresh_url = fresh_url
        self._limits = limits
        self._waiting: Mapping[str, int] = {}  # uncommitted blocks of an earlier attempt: size
        self._blocks_sent = False
        self._cleared = False

    def put_blob(self, content: Content, *, first: bool) -> None:
        data = _whole(content)
        content.verify()
        found = _ABSENT if first else self._as_found()
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": _OCTETS}
        response = self._commit({}, headers, data, found)
        if response.status_code == 413 and self._halve(len(data)):
            self._commit_blocks(self._put_piece(0, data), found)
        else:
            self._expect(response, 201)

    def put_blocks(self, content: Content, *, first: bool) -> None:
        found = _ABSENT if first else self._as_found()
        self._waiting = self._uncommitted()
        self._blocks_sent = bool(self._waiting)
        ids: list[str] = []
        for piece in content.chunks(block_bytes(content.size_bytes)):
            ids += self._put_piece(len(ids), piece)
        content.verify()
        self._commit_blocks(ids, found)

    def _commit_blocks(self, ids: Sequence[str], found: Condition) -> None:
        headers = {"Content-Type": "application/xml", "x-ms-blob-content-type": _OCTETS}
        query = {"comp": "blocklist"}
        self._expect(self._commit(query, headers, blob_wire.block_list(ids), found), 201)

    def _put_piece(self, number: int, piece: bytes) -> list[str]:
        """Send a piece, in smaller blocks where its size is refused; returns the blocks' ids.

        `number` is that of its first block.
        """
        ids: list[str] = []
        while piece or not ids:
            block = piece[: int(min(self._limits.block_bytes, len(piece)))]
            name = block_id(number + len(ids), block)
            if number + len(ids) >= self._limits.blocks_max:
                raise blob_wire.too_many_blocks(_UPLOAD, len(block))
            if self._put_block(name, block):
                ids.append(name)
                piece = piece[len(block) :]
        return ids

    def _put_block(self, name: str, block: bytes) -> bool:
        """Send one block; False if it must be tried again, smaller or without foreign blocks."""
        if self._waiting.get(name) == len(block):
            return True
        response = self._send("PUT", {"comp": "block", "blockid": name}, {}, block)
        if response.status_code == 413 and self._halve(len(block)):
            return False
        if blob_wire.has_foreign_blocks(response) and not self._cleared:
            self._drop_uncommitted()
            return False
        self._expect(response, 201)
        self._blocks_sent = True
        return True

    def _halve(self, refused_bytes: int) -> bool:
        """Lower the limit below a size that was refused; False if it is the least already."""
        if refused_bytes <= BLOCK_LEAST_BYTES:
            return False
        lower = max(refused_bytes // 2, BLOCK_LEAST_BYTES)
        self._limits.block_bytes = min(self._limits.block_bytes, lower)
        return True

    def _drop_uncommitted(self) -> None:
        """Commit again what the blob holds, which drops all uncommitted blocks; once per upload.

        Another program left blocks whose ids are of another length, so the host takes none of
        ours. The content stays as it is: its own block list, the same bytes, or nothing at all.
        Source: Azure Blob Storage REST, "Put Block" (ids of one length), "Put Block List".
        """
        self._cleared, self._waiting, self._blocks_sent = True, {}, False
        found = self._as_found()
        response = self._send("GET", {"comp": "blocklist", "blocklisttype": "committed"}, {}, b"")
        ids = blob_wire.committed(response.content) if response.status_code == 200 else []
        if ids or found == _ABSENT:
            self._commit_blocks(ids, found)
            return
        most = self._limits.rewrite_max_bytes
        held = self._send("GET", {}, {"Range": f"bytes=0-{most}"}, b"")
        is_empty = held.status_code == 416  # no byte of the range exists
        if held.status_code not in {200, 206, 416} or len(held.content) > most:
            raise blob_wire.foreign_blocks(_UPLOAD)
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": _OCTETS}
        data = b"" if is_empty else held.content
        self._expect(self._send("PUT", {}, {**headers, **found}, data), 201)

    def _uncommitted(self) -> Mapping[str, int]:
        """Return the blocks an earlier attempt left behind; none if the URL may not list them."""
        query = {"comp": "blocklist", "blocklisttype": "uncommitted"}
        response = self._send("GET", query, {}, b"")
        return blob_wire.uncommitted(response.content) if response.status_code == 200 else {}

    def _commit(
        self, query: Mapping[str, str], headers: Mapping[str, str], body: bytes, found: Condition
    ) -> httpx.Response:
        """Commit if the blob is still as found; if it is not, look again and try once more.

        The blob may be another than expected because a repeated commit met its own effect.
        """
        response = self._send("PUT", query, {**headers, **found}, body)
        if response.status_code in _LOST_RACE:
            response = self._send("PUT", query, {**headers, **self._as_found()}, body)
        return response

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
