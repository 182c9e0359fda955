"""Sends a file's bytes to the signed URL, without a bearer token, in bounded memory.

Small content goes in one request; larger content in blocks that stay invisible until the block
list is committed. Where the host, or a proxy before it, refuses the size of a request (413), the
blocks get smaller. Nothing is committed before the content is verified.
Source: Azure Blob Storage REST, "Put Blob", "Put Block", "Put Block List".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import httpx
import structlog

from ..core.content import Content
from ..errors import CloudError, FileMoved
from . import blob_wire
from .blob_calls import ABSENT, BlobCalls, expect
from .block_upload import BlockUpload
from .retries import Sleep, retrying
from .send_rate import SendRate
from .sender_threads import SenderThreads
from .upload_budget import UploadBudget
from .upload_hosts import UploadHosts
from .upload_limits import BLOCK_BYTES, Limits, signed_put_bytes
from .whole_content import PIECE_BYTES, WholeContent

_SEND_AGAIN: Final = {400, 403, 404, 409, 412}  # blocks that are gone, or a URL that ended

log = structlog.get_logger()


class Blobs:
    """Uploads to signed URLs; safe to share between threads."""

    def __init__(
        self,
        http: httpx.Client,
        *,
        sleep: Sleep = time.sleep,
        hosts: UploadHosts | None = None,
        limits: Limits | None = None,
        budget: UploadBudget | None = None,
        rate: SendRate | None = None,
    ) -> None:
        """`http` must not sign requests nor follow redirects; the caller owns and closes it.

        `rate` limits all uploads together.
        """
        assert http.auth is None, "the token must never reach the blob host"
        assert not http.follow_redirects, "a redirect would take the content to another host"
        self._http = http
        self._retrying = retrying(sleep)
        self._hosts = hosts or UploadHosts()
        self._limits = limits or Limits()
        self.budget = budget or UploadBudget()
        self._rates = () if rate is None else (rate,)
        self._threads = SenderThreads(self.budget.requests_max)

    def upload(
        self,
        content: Content,
        url: str,
        fresh_url: Callable[[], str],
        *,
        first: bool,
        rate: SendRate | None = None,
    ) -> None:
        """Bring the whole content to the blob behind `url`, or leave the blob as it was.

        `first`: the blob is new, so nothing is there yet. `fresh_url` is called when the URL is
        no longer accepted. `rate` limits this upload, with those that share it. Raises FileMoved
        before anything is committed when the content is not the settled one, and CloudError; a
        transient one leaves open what the blob holds.
        """
        calls = self._calls(content, url, fresh_url, rate)
        if content.size_bytes <= min(BLOCK_BYTES, self._limits.block_bytes):
            with self.budget.memory(content.size_bytes):
                self._put_whole(content, calls, first=first)
        else:
            self._send_blocks(content, calls, url, first=first)

    def _send_blocks(self, content: Content, calls: BlobCalls, url: str, *, first: bool) -> None:
        """Send the content in blocks; where the host takes none of ours, in one request.

        Another program's uncommitted blocks end with any content that is put whole. Until then the
        blob stays as it was, also where it may not be read, or is too long to be read back.
        Source: Azure Blob Storage REST, "Put Blob" (remarks: uncommitted blocks are discarded).
        """
        try:
            self._blocks(calls).send(content, url, first=first)
        except CloudError as exc:
            fits = content.size_bytes <= signed_put_bytes(url)
            if not (fits and blob_wire.is_about_foreign_blocks(exc)):
                raise
            log.info("upload.put_whole", size_bytes=content.size_bytes, reason=exc.code)
            with self.budget.memory(2 * PIECE_BYTES), self.budget.request():
                found = ABSENT if first else calls.as_found()
                response = calls.put(WholeContent(content), found)
            if response.status_code == 413:  # there is no other way than blocks
                raise
            expect(response, 201)

    def stage(
        self,
        content: Content,
        url: str,
        fresh_url: Callable[[], str],
        *,
        rate: SendRate | None = None,
    ) -> list[str]:
        """Send the whole content in blocks that nobody sees; return what `commit_staged` takes.

        What the blob holds stays as it is. Raises FileMoved, CloudError.
        """
        calls = self._calls(content, url, fresh_url, rate)
        return self._blocks(calls).bring(content, url, first=False, unseen=True)[0]

    def commit_staged(self, content: Content, blocks: Sequence[str], url: str) -> bool:
        """Make staged blocks the blob's content; False if it must be sent after all.

        The host may have dropped them, or somebody else's content has come meanwhile.
        """
        calls = self._calls(content, url, lambda: url, None)
        try:
            calls.commit_blocks(blocks, calls.as_found())
        except CloudError as exc:
            if exc.status in _SEND_AGAIN:
                return False
            raise
        content.note_sent(content.size_bytes)
        return True

    def etag(self, url: str) -> str:
        """Return the host's mark of what the blob holds; "" if there is none to be seen."""
        checked = self._hosts.check(url)
        calls = BlobCalls(self._http, self._retrying, self.budget, checked, lambda: checked)
        return calls.as_found().get("If-Match", "")

    def _calls(
        self, content: Content, url: str, fresh_url: Callable[[], str], rate: SendRate | None
    ) -> BlobCalls:
        """Return the calls about one blob, which may go to no other host."""
        return BlobCalls(
            self._http,
            self._retrying,
            self.budget,
            self._hosts.check(url),
            lambda: self._hosts.check(fresh_url()),
            rates=self._rates if rate is None else (*self._rates, rate),
            sent=content.note_sent,
            renew_s=self._limits.renew_s,
        )

    def _put_whole(self, content: Content, calls: BlobCalls, *, first: bool) -> None:
        data = _whole(content)
        content.verify()
        found = ABSENT if first else calls.as_found()
        with self.budget.request():
            response = calls.put([data], found)
        if response.status_code == 413 and self._limits.refused(len(data)):
            self._blocks(calls).send_piece(data, found)
        else:
            expect(response, 201)

    def _blocks(self, calls: BlobCalls) -> BlockUpload:
        return BlockUpload(calls, self.budget, self._threads, self._limits)


def _whole(content: Content) -> bytes:
    """Return all bytes of a small content; never more than a block, whatever the file does."""
    data = b""
    for chunk in content.chunks(BLOCK_BYTES):
        data += chunk
        if len(data) > content.size_bytes:
            raise FileMoved("the file grew while it was being read")
    return data
