"""Fetches diagnostic reports from their signed links.

Source: Synchronization API, "Get reports" (sasUri); Azure Blob Storage REST, "Get Blob".
"""

from __future__ import annotations

from typing import Final

import httpx

from . import blob_wire, faults
from .links import is_loopback

REPORT_MAX: Final = 4 * 1024 * 1024  # bytes; one that is longer helps nobody, and is not read
_READ: Final = "read a diagnostic report"


class ReportReader:
    """Reads reports; safe to share between threads."""

    def __init__(self, http: httpx.Client) -> None:
        """`http` must not sign requests nor follow redirects; the caller owns and closes it."""
        self._http = http

    def read(self, url: str) -> bytes:
        """Return a report as it is. Raises CloudError."""
        body = bytearray()
        try:
            parsed = httpx.URL(url)
            if parsed.scheme != "https" and not is_loopback(parsed.host):
                raise faults.refused(_READ, "its link is not encrypted")
            with self._http.stream("GET", parsed) as response:
                if response.status_code != 200:
                    response.read()
                    raise blob_wire.error_of(_READ, response)
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > REPORT_MAX:
                        raise faults.refused(_READ, "it is too long")
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise faults.error_from(_READ, exc) from exc
        return bytes(body)
