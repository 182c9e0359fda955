"""Decides whether a file's content may go to the host of an upload URL.

The service names the host, so whoever can change its answers could collect the office's files.
The first host that is seen is kept for the life of the process: a later one must be the same, or
one below the same domain (the service has several storage accounts). The configuration may name
the hosts instead.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

import httpx
import structlog

from ..core.model import Failure, Fault
from ..errors import CloudError
from .links import is_below, is_loopback

_OPERATION = "upload a file's content"

log = structlog.get_logger()


class UploadHosts:
    """The hosts that may get content; safe to share between threads."""

    def __init__(self, allowed: Collection[str] = ()) -> None:
        """`allowed`: host names, or domains whose hosts are allowed; empty: the first one seen."""
        self._allowed = tuple(allowed)
        self._first = ""
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def check(self, url: str) -> httpx.URL:
        """Return the URL as it is sent to, if content may go there.

        Raises CloudError, which stops all uploads, if not.
        """
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as exc:
            message = f"the service sent an upload address that is not valid: {exc}"
            raise CloudError(_OPERATION, Failure(Fault.TRANSIENT, message)) from exc
        host = parsed.host
        if parsed.scheme != "https" and not is_loopback(host):
            raise _stop(f"the service sent an upload address without encryption, on {host}")
        with self._lock:
            if host in self._seen:
                return parsed
            if not self._is_expected(host):
                raise _stop(
                    f"the service names another upload host, {host}, than before, "
                    f"{self._first or ', '.join(self._allowed)}; if that is right, add it to "
                    "upload_hosts in [platform] and restart twinsyncd"
                )
            self._first = self._first or host
            self._seen.add(host)
        log.info("upload.host_seen", host=host)
        return parsed

    def _is_expected(self, host: str) -> bool:
        if self._allowed:
            return any(is_below(host, allowed) for allowed in self._allowed)
        if not self._first or is_loopback(host):
            return not self._first or is_loopback(self._first)
        domain = self._first.partition(".")[2]
        return "." in domain and is_below(host, domain)


def _stop(message: str) -> CloudError:
    """Return the error; a person must look, so the lane halts as for refused credentials."""
    return CloudError(_OPERATION, Failure(Fault.UNAUTHORISED, message))
