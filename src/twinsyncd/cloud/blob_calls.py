"""The requests to one blob: its signed URL, renewed when it is refused, and what the blob holds.

Nothing is committed but on the condition that the blob is still as it was found, so that a request
given up long ago cannot overwrite newer content.
Source: Azure Blob Storage REST, "Put Blob", "Put Block", "Put Block List", "Get Block List",
"Specifying conditional headers", "Common error codes".
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

import httpx
import structlog

from ..errors import CloudError
from . import blob_wire, faults
from .block_names import NOTHING_HELD, Held
from .request_limit import LOAD
from .send_rate import SendRate, paced
from .upload_budget import UploadBudget
from .upload_limits import Limits
from .whole_content import WholeContent

UPLOAD: Final = "upload a file's content"
OCTETS: Final = "application/octet-stream"
_LOST_RACE: Final = {409, 412}  # BlobAlreadyExists, ConditionNotMet

log = structlog.get_logger()

Condition = Mapping[str, str]
Body = Sequence[bytes] | WholeContent
ABSENT: Final[Condition] = {"If-None-Match": "*"}


class BlobCalls:
    """Calls about one blob; safe to share between threads."""

    def __init__(
        self,
        http: httpx.Client,
        policy: Callable[..., httpx.Response],
        budget: UploadBudget,
        url: httpx.URL,
        fresh_url: Callable[[], httpx.URL],
        *,
        rates: Sequence[SendRate] = (),
        sent: Callable[[int], None] = lambda _: None,
        renew_s: float = math.inf,
    ) -> None:
        """`policy` repeats a call; `fresh_url` is called when the URL is no longer accepted.

        `rates` limit how fast content is sent; `sent` gets the bytes of every piece that went out.
        `renew_s`: how old a URL gets before it is renewed, so that none is refused [s].
        """
        self._http = http
        self._policy = policy
        self._budget = budget
        self._url = url
        self._fresh_url = fresh_url
        self._rates = rates
        self.sent = sent
        self._renewing = threading.Lock()
        self._renew_s = renew_s
        self._since_s = budget.now_s()  # when the URL was given
        self.has_blocks = False  # of use only if a renewed URL names the same blob

    def put(self, data: Body, found: Condition) -> httpx.Response:
        """Make `data` the blob's content, if the blob is as found or as found again."""
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": OCTETS}
        return self._commit({}, headers, data, found)

    def put_block(self, name: str, pieces: Body) -> httpx.Response:
        """Send one block, which nobody sees until it is in a committed list."""
        return self.send("PUT", {"comp": "block", "blockid": name}, {}, pieces)

    def commit_blocks(self, ids: Sequence[str], found: Condition) -> None:
        """Make these blocks, in this order, the blob's content. Raises CloudError."""
        headers = {"Content-Type": "application/xml", "x-ms-blob-content-type": OCTETS}
        body = [blob_wire.block_list(ids)]
        expect(self._commit({"comp": "blocklist"}, headers, body, found), 201)

    def held(self) -> Held:
        """Return the blocks that the host holds of the blob."""
        query = {"comp": "blocklist", "blocklisttype": "all"}
        response = self.send("GET", query, {}, ())
        if response.status_code == 404:
            return Held({}, {})
        if response.status_code != 200:
            return NOTHING_HELD
        body = response.content
        etag = response.headers.get("etag", "")
        return Held(blob_wire.uncommitted(body), dict(blob_wire.committed(body)), etag=etag)

    def as_found(self) -> Condition:
        """Return the condition "as it is now"; none if the URL may not look."""
        response = self.send("HEAD", {}, {}, ())
        if response.status_code == 404:
            return ABSENT
        etag = response.headers.get("etag", "")
        return {"If-Match": etag} if response.status_code == 200 and etag else {}

    def drop_uncommitted(self, limits: Limits) -> None:
        """Commit again what the blob holds, which drops all uncommitted blocks.

        Another program left blocks whose ids are of another length, so the host takes none of
        ours. The content stays as it is: its own block list, the same bytes, or nothing at all.
        Source: Azure Blob Storage REST, "Put Block" (ids of one length), "Put Block List".
        """
        found = self.as_found()
        query = {"comp": "blocklist", "blocklisttype": "committed"}
        response = self.send("GET", query, {}, ())
        listed = blob_wire.committed(response.content) if response.status_code == 200 else []
        if listed or found == ABSENT:
            self.commit_blocks([name for name, _ in listed], found)
            return
        most = limits.rewrite_max_bytes
        held = self.send("GET", {}, {"Range": f"bytes=0-{most}"}, ())
        is_empty = held.status_code == 416  # no byte of the range exists
        if held.status_code not in {200, 206, 416} or len(held.content) > most:
            raise blob_wire.foreign_blocks(UPLOAD)
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": OCTETS}
        data = b"" if is_empty else held.content
        expect(self.send("PUT", {}, {**headers, **found}, [data]), 201)

    def _commit(
        self, query: Mapping[str, str], headers: Mapping[str, str], body: Body, found: Condition
    ) -> httpx.Response:
        """Commit if the blob is still as found; if it is not, look again and try once more.

        The blob may be another than expected because a repeated commit met its own effect.
        """
        response = self.send("PUT", query, {**headers, **found}, body)
        if response.status_code in _LOST_RACE:
            response = self.send("PUT", query, {**headers, **self.as_found()}, body)
        return response

    def send(
        self, method: str, query: Mapping[str, str], headers: Mapping[str, str], body: Body
    ) -> httpx.Response:
        """Send to the URL, and once more to a fresh one when it is not accepted.

        Source: Azure Blob Storage REST, "Common error codes" (403: expired or not yet valid).
        """
        url = self._young_url()
        response = self._policy(self._call, method, url, query, headers, body)
        if response.status_code == 403 and method == "PUT":
            url = self._renewed(url)
            response = self._policy(self._call, method, url, query, headers, body)
        return response

    def _call(
        self,
        method: str,
        url: httpx.URL,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: Body,
    ) -> httpx.Response:
        begun_s = self._budget.now_s()
        size = {"Content-Length": str(_length(body))} if method == "PUT" else {}
        try:
            target, content = _extended(url, query), self._stream(body)
            response = self._http.request(
                method, target, headers={**headers, **size}, content=content
            )
        except httpx.TimeoutException as exc:
            self._budget.was_too_much(begun_s)
            raise faults.error_from(UPLOAD, exc) from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from(UPLOAD, exc) from exc
        if response.status_code in LOAD:
            self._budget.was_too_much(begun_s)
        if response.status_code == 429 or response.status_code >= 500:
            raise blob_wire.error_of(UPLOAD, response)
        self._budget.went_well()
        return response

    def _stream(self, body: Body) -> Iterable[bytes] | None:
        """Return the pieces one by one: joined they would be copied, and again for each send."""
        return self._counted(body) if _length(body) else None

    def _counted(self, body: Body) -> Iterator[bytes]:
        for piece in paced(body, self._rates):
            yield piece
            self.sent(len(piece))

    def _young_url(self) -> httpx.URL:
        """Return the URL, renewed if it is old; one that cannot be renewed may do for a while."""
        url = self._url
        if self._budget.now_s() - self._since_s < self._renew_s:
            return url
        try:
            return self._renewed(url)
        except CloudError as exc:
            self._since_s = self._budget.now_s()
            log.info("upload.url_not_renewed", reason=exc.failure.message)
            return url

    def _renewed(self, refused: httpx.URL) -> httpx.URL:
        """Return a fresh URL instead of the refused one; several threads ask for one only."""
        with self._renewing:
            if self._url != refused:
                return self._url
            fresh = self._fresh_url()
            is_elsewhere = (refused.host, refused.path) != (fresh.host, fresh.path)
            if self.has_blocks and is_elsewhere:
                message = "the service moved the file; the upload starts again"
                raise faults.unclear(UPLOAD, message)
            self._url, self._since_s = fresh, self._budget.now_s()
            return fresh


def _length(body: Body) -> int:
    return body.size_bytes if isinstance(body, WholeContent) else sum(map(len, body))


def expect(response: httpx.Response, status: int) -> None:
    """Raise CloudError unless the host answered with this status."""
    if response.status_code != status:
        raise blob_wire.error_of(UPLOAD, response)


def _extended(url: httpx.URL, query: Mapping[str, str]) -> httpx.URL | str:
    """Return the URL with more parameters; the signed ones stay letter for letter."""
    return f"{url}{'&' if '?' in str(url) else '?'}{urlencode(query)}" if query else url
