"""Finds out what the platform's documentation leaves open, by harmless experiments.

All of it happens in a folder of its own at the top of the iTwin's Storage, which is deleted
afterwards, out of the recycle bin as well. Nothing that exists is touched, no run is started.
Sources: Storage API, "Create file", "Update file content", "Complete file upload"; Azure Blob
Storage REST, "Put Block", "Get Block List", read 2026-11.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlencode

import httpx

from ..core.model import StorageId
from ..errors import CloudError
from . import blob_wire, faults
from .client import Platform
from .platform_profile import LAG_MAX_S, PlatformProfile
from .retries import Sleep
from .upload_hosts import UploadHosts
from .values import Upload

FOLDER: Final = "twinsyncd-probe"  # with a random number; whatever is left of it may be deleted
_LOOK_S: Final = 0.5
_DATA: Final = b"written by: twinsyncd check --probe"
_BLOCK: Final = base64.b64encode(b"block-00").decode()
_RATE_WORDS: Final = ("ratelimit", "rate-limit", "retry-after")


@dataclass(slots=True)
class StorageProbe:
    """One series of experiments; `http` must not sign requests nor follow redirects."""

    platform: Platform
    http: httpx.Client
    hosts: UploadHosts
    sleep: Sleep = time.sleep
    now: Callable[[], float] = time.monotonic
    left_over: str = field(default="", init=False)  # why the folder could not be deleted

    def examine(self, itwin_id: str) -> PlatformProfile:
        """Return what was found out. Raises CloudError when not even a file can be made."""
        headers = self.platform.answer_headers(itwin_id)
        rate = sorted(name for name in headers if any(word in name for word in _RATE_WORDS))
        profile = PlatformProfile(api_url=self.platform.api_url, rate_headers=tuple(rate))
        with self._scratch_folder(itwin_id) as folder:
            first = self.platform.create_file(folder, "probe.txt")
            profile = replace(profile, lists_unfinished=self._lists(folder, first.storage_id))
            profile = self._with_urls(profile, first)
            lag_s = self._lag_s(folder)
        return replace(profile, listing_lag_s=lag_s)

    @contextmanager
    def _scratch_folder(self, itwin_id: str) -> Iterator[str]:
        root = self.platform.root_folder(itwin_id)
        made = self.platform.create_folder(root, f"{FOLDER}-{uuid.uuid4().hex[:8]}")
        try:
            yield made.id
        finally:
            self._delete(made.id, made.name)

    def _delete(self, folder_id: str, name: str) -> None:
        try:
            self.platform.delete_folder(folder_id)
            self.platform.purge_folder(folder_id)
        except CloudError as exc:
            self.left_over = f"the folder {name} could not be deleted: {exc.failure.message}"

    def _lists(self, folder: str, storage_id: StorageId) -> bool:
        return any(each.id == storage_id for each in self.platform.list_folder(folder))

    def _with_urls(self, profile: PlatformProfile, first: Upload) -> PlatformProfile:
        if self._put_block(first.url) != 201:
            return profile  # the host is not what was expected: nothing can be concluded
        profile = replace(profile, lists_blocks=self._lists_block(first.url))
        try:
            second = self.platform.update_content(first.storage_id)
        except CloudError as exc:
            refused = exc.status in {400, 404, 409, 422}
            return replace(profile, reopens_unfinished=False if refused else None)
        places = [(url.host, url.path) for url in (httpx.URL(first.url), httpx.URL(second.url))]
        status = self._put_block(first.url)
        return replace(
            profile,
            reopens_unfinished=True,
            second_url_same_blob=places[0] == places[1],
            second_url_voids_first={201: False, 403: True}.get(status),
        )

    def _lag_s(self, folder: str) -> float | None:
        """Return how long a completed file is missing in its folder's listing [s]."""
        upload = self.platform.create_file(folder, "complete.txt")
        headers = {"x-ms-blob-type": "BlockBlob"}
        if self._send("PUT", upload.url, {}, headers, _DATA).status_code != 201:
            return None
        self.platform.complete(upload)
        begun_s = self.now()
        while True:
            if self._lists(folder, upload.storage_id):
                return self.now() - begun_s
            if self.now() - begun_s > LAG_MAX_S:
                return None
            self.sleep(_LOOK_S)

    def _put_block(self, url: str) -> int:
        query = {"comp": "block", "blockid": _BLOCK}
        return self._send("PUT", url, query, {}, _DATA).status_code

    def _lists_block(self, url: str) -> bool:
        query = {"comp": "blocklist", "blocklisttype": "uncommitted"}
        response = self._send("GET", url, query, {}, b"")
        return response.status_code == 200 and _BLOCK in blob_wire.uncommitted(response.content)

    def _send(
        self, method: str, url: str, query: dict[str, str], headers: dict[str, str], data: bytes
    ) -> httpx.Response:
        self.hosts.check(url)
        link = f"{url}{'&' if '?' in url else '?'}{urlencode(query)}" if query else url
        body = data if method == "PUT" else None
        try:
            return self.http.request(method, link, headers=headers, content=body)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from("probe the storage host", exc) from exc
