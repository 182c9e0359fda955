"""Refuses requests under a name that is not this server's.

A page of another site can make its own name resolve to this computer; the browser then sends that
name, and lets the page read the answers (DNS rebinding). So every request must name a loopback
address, localhost, or a host that the server was started for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_MISDIRECTED = 421


class HostCheck:
    """Passes requests to `app` that name this computer or one of `hosts`; `*.` matches a label."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            for name, value in scope["headers"]:
                if name == b"host" and not self._is_ours(
                    host := host_name(value.decode("latin-1"))
                ):
                    await _refused(host)(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        wildcard = f"*.{host.partition('.')[2]}"
        return is_loopback(host) or host in self._hosts or wildcard in self._hosts


def host_name(header: str) -> str:
    """Return the host of a Host header in lower case, without port and brackets."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def is_loopback(host: str) -> bool:
    """Return whether the name or address always means this computer."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refused(host: str) -> JSONResponse:
    text = (
        f"{host!r} is not a name of this server. Use 127.0.0.1, localhost, or a name of the "
        "certificate that it was started with."
    )
    return JSONResponse({"error": {"code": "MisdirectedRequest", "message": text}}, _MISDIRECTED)
