"""The login page: a person agrees, and the browser returns to the program that asked.

Source: iTwin Platform, "Authorization code with PKCE"; RFC 8252: only loopback addresses.
"""

from __future__ import annotations

from html import escape
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from localtwin.world.access import NATIVE_CLIENT, SCOPES
from localtwin.world.grants import Consent
from localtwin.world.world import World

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_FIELDS = ("client_id", "redirect_uri", "scope", "state", "code_challenge")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Frame-Options": "DENY",
}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>localtwin: sign in</title>
<style>body{{font:16px system-ui;max-width:26rem;margin:15vh auto}}
button{{font:inherit;padding:.5rem 1.5rem}}</style>
<h1>Sign in to localtwin</h1>
<p>A program on this computer wants to work with your local iTwin Platform as
<b>Local User</b>. It will be told at <code>{target}</code>.</p>
<form method="post">{fields}<button>Sign in</button></form></html>"""


def router(world: World) -> APIRouter:
    """Return the routes of the login page."""
    routes = APIRouter(tags=["IMS"])

    @routes.get("/connect/authorize")
    def ask(
        *,
        client_id: str,
        redirect_uri: str,
        response_type: str = "",
        scope: str = "",
        state: str = "",
        code_challenge: str = "",
        code_challenge_method: Annotated[str, Query()] = "",
    ) -> Response:
        """Show the page, or say what is wrong with the request."""
        problem = _problem(client_id, redirect_uri)
        if problem is not None:
            return HTMLResponse(f"<h1>{escape(problem)}</h1>", 400, _HEADERS)
        if response_type != "code":
            return _back(redirect_uri, state, error="unsupported_response_type")
        if code_challenge_method != "S256" or not code_challenge:
            return _back(redirect_uri, state, error="invalid_request")
        if not set(scope.split()) <= SCOPES:
            return _back(redirect_uri, state, error="invalid_scope")
        values = (client_id, redirect_uri, scope, state, code_challenge)
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in zip(_FIELDS, values, strict=True)
        )
        return HTMLResponse(
            _PAGE.format(target=escape(redirect_uri), fields=fields), headers=_HEADERS
        )

    @routes.post("/connect/authorize")
    def agree(
        client_id: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        scope: Annotated[str, Form()],
        code_challenge: Annotated[str, Form()],
        state: Annotated[str, Form()] = "",
    ) -> Response:
        """Return to the program with a code."""
        problem = _problem(client_id, redirect_uri)
        if problem is not None:
            return HTMLResponse(f"<h1>{escape(problem)}</h1>", 400, _HEADERS)
        code = world.grants.code(Consent(client_id, redirect_uri, scope, code_challenge))
        return _back(redirect_uri, state, code=code)

    return routes


def _problem(client_id: str, redirect_uri: str) -> str | None:
    if client_id != NATIVE_CLIENT:
        return "Unknown client."
    target = urlsplit(redirect_uri)
    if target.scheme != "http" or target.hostname not in _LOOPBACK or target.fragment:
        return "The redirect address is not on this computer."
    return None


def _back(redirect_uri: str, state: str, **values: str) -> Response:
    query = urlencode(values | ({"state": state} if state else {}))
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{query}", 302, _HEADERS)
