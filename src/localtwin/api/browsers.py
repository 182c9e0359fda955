"""Lets pages of any origin call the APIs, as the platform does, and only the APIs.

Tokens are sent in headers, never in cookies, so a page can only do what it has a token for.
Pages for people (the overview, the sign-in, the consent) stay closed to other pages.
"""

from __future__ import annotations

from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_ANY: Final = ("*",)
_OPEN: Final = (
    "/.well-known/",
    "/accesscontrol",
    "/blobs/",
    "/connect/introspect",
    "/connect/revocation",
    "/connect/token",
    "/connect/userinfo",
    "/imodels",
    "/itwins",
    "/storage",
    "/synchronization",
    "/users",
    "/webhooks",
)


class Browsers:
    """Answers the preflight requests of browsers and adds the CORS headers.

    Source: Fetch Standard, "CORS protocol".
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app, allow_origins=_ANY, allow_methods=_ANY, allow_headers=_ANY, expose_headers=_ANY
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_open = scope["type"] == "http" and scope["path"].lower().startswith(_OPEN)
        await (self._open if is_open else self._app)(scope, receive, send)
