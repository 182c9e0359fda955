"""Opens addresses of other programs; those of this computer without a proxy.

A proxy elsewhere would look for the program on its own computer.
"""

from __future__ import annotations

import ipaddress
import urllib.request
from contextlib import AbstractContextManager
from http.client import HTTPResponse
from urllib.parse import urlsplit


def open_address(
    request: urllib.request.Request, *, timeout_s: float
) -> AbstractContextManager[HTTPResponse]:
    """Return the answer; raises what `urllib.request.urlopen` does."""
    is_here = _is_here(request.full_url)
    proxies: dict[str, str] | None = {} if is_here else None  # None: those of the environment
    handler = urllib.request.ProxyHandler(proxies)
    opened: AbstractContextManager[HTTPResponse] = urllib.request.build_opener(handler).open(
        request, timeout=timeout_s
    )
    return opened


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
