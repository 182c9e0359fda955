"""Who may see and press what: Host names, the token, forms of ours only, headers of every answer.

A page on the loopback address needs no token, but any page of the internet could send the browser
there: so the Host must be ours (DNS rebinding), and a form must hold a key that only our own pages
show (cross-site requests).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE: Final = "twinsyncd"
SIGNED_IN_S: Final = 30 * 86_400  # after which a person enters the token again
OPEN_PATHS: Final = ("/sign-in", "/static/", "/livez")  # need no token; they show nothing
LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self';"
    " img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Access:
    """The rules of one page. `token` returns "" if none is needed; it may raise OSError."""

    names: frozenset[str]
    token: Callable[[], str] = lambda: ""
    is_secure: bool = False  # served with TLS
    form_key: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def knows(self, host: str) -> bool:
        """Return whether a Host header names this page."""
        return host_name(host) in self.names

    def may_look(self, request: Request) -> bool:
        """Return whether the request has the token, in its header or by its cookie."""
        token = self.token()
        if not token:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(given, token):
            return True
        end, _, sign = request.cookies.get(COOKIE, "").partition(".")
        still = end.isdigit() and int(end) > time.time()
        return still and _same(sign, _sign(token, end))

    def cookie(self, given: str) -> str | None:
        """Return the cookie for whoever enters the token; None if it is another."""
        token = self.token()
        if not token or not _same(given, token):
            return None
        end = str(int(time.time()) + SIGNED_IN_S)
        return f"{end}.{_sign(token, end)}"

    def is_ours(self, request: Request, key: str) -> bool:
        """Return whether a form was sent from a page of ours."""
        origin = request.headers.get("origin")
        host = request.headers.get("host", "")
        same = origin is None or origin.partition("://")[2] == host
        site = request.headers.get("sec-fetch-site", "same-origin")
        return same and site in {"same-origin", "none"} and _same(key, self.form_key)


class Guard:
    """Wraps the page: refuses foreign hosts and people without the token, adds the headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        """Let through what `access` grants."""
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(Request(scope)) or self._app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> ASGIApp | None:
        host = request.headers.get("host", "")
        if not self._access.knows(host):
            text = f"{host_name(host)} is not a name of this page; add it to names in [page]\n"
            return PlainTextResponse(text, 421)
        try:
            allowed = self._access.may_look(request)
        except OSError as exc:
            return PlainTextResponse(f"token_file of [page] cannot be read: {exc.strerror}\n", 503)
        if allowed or request.url.path.startswith(OPEN_PATHS):
            return None
        if "text/html" in Headers(scope=request.scope).get("accept", ""):
            return RedirectResponse("/sign-in", 303)
        challenge = {"WWW-Authenticate": "Bearer"}
        return PlainTextResponse("send the token: Authorization: Bearer ...\n", 401, challenge)


def host_name(host: str) -> str:
    """Return the name in a Host header, lower case, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")


def _sign(token: str, end: str) -> str:
    return hmac.new(token.encode(), f"signed in until {end}".encode(), hashlib.sha256).hexdigest()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
