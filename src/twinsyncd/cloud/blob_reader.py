"""Reads a stored content back from its signed URL, a chunk at a time, to compare it.

Source: Azure Blob Storage REST, "Get Blob".
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final

import httpx

from ..core.model import Digest
from . import blob_wire, faults
from .retries import Sleep, retrying
from .upload_hosts import UploadHosts

_READ: Final = "read a file's content back"


class BlobReader:
    """Reads from signed URLs; safe to share between threads."""

    def __init__(
        self,
        http: httpx.Client,
        *,
        sleep: Sleep = time.sleep,
        hosts: UploadHosts | None = None,
    ) -> None:
        """`http` must not sign requests nor follow redirects; the caller owns and closes it."""
        self._http = http
        self._retrying = retrying(sleep)
        self._hosts = hosts or UploadHosts()

    def digest(self, fresh_url: Callable[[], str]) -> Digest:
        """Return the SHA-256 of the whole content. Raises CloudError.

        `fresh_url` is called for each try, since a signed URL lives for an hour only.
        """
        digest: Digest = self._retrying(self._digest, fresh_url)
        return digest

    def _digest(self, fresh_url: Callable[[], str]) -> Digest:
        url = fresh_url()
        self._hosts.check(url)
        hashed, received = hashlib.sha256(), 0
        try:
            with self._http.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
                if response.status_code != 200:
                    response.read()
                    raise blob_wire.error_of(_READ, response)
                for chunk in response.iter_raw():
                    hashed.update(chunk)
                    received += len(chunk)
                expected = response.headers.get("content-length", "")
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from(_READ, exc) from exc
        if expected.isdecimal() and int(expected) != received:
            raise faults.unclear(_READ, f"{received} of {expected} bytes arrived")
        return Digest(hashed.hexdigest())
