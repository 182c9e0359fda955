"""The pages where a person agrees, and the browser returns to the program that asked.

One signs in a program; the other lets runs act for a user while nobody is there.
Source: iTwin Platform, "Authorization code with PKCE"; RFC 8252: only loopback addresses;
Synchronization API, "Get authorization information".
"""

from __future__ import annotations

from html import escape
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from localtwin.errors import Unauthorised
from localtwin.world.access.clients import NATIVE_CLIENT, SCOPES
from localtwin.world.access.grants import Consent
from localtwin.world.world import World

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_FIELDS = ("client_id", "redirect_uri", "scope", "state", "code_challenge")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Frame-Options": "DENY",
}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>localtwin</title>
<style>body{{font:16px system-ui;max-width:26rem;margin:15vh auto}}
button{{font:inherit;padding:.5rem 1.5rem}}</style>
<h1>{title}</h1><p>{text}</p>
<form method="post">{fields}<button>{button}</button></form></html>"""
_SIGN_IN = (
    "A program on this computer wants to work with your local iTwin Platform as "
    "<b>Local User</b>. Your browser then returns to <code>{}</code>."
)
_CONSENT = (
    "Synchronization wants to bring files into your local iModels as <b>{}</b>, also while "
    "nobody is there. Connections for which this was not agreed to end their runs with an error."
)
_AGREED = "<!doctype html><title>localtwin</title><p>Thank you. You may close this page.</p>"


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
        fields = dict(zip(_FIELDS, values, strict=True))
        text = _SIGN_IN.format(escape(redirect_uri))
        return _page("Sign in to localtwin", text, "Sign in", fields)

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

    _consent_routes(routes, world)
    return routes


def _consent_routes(routes: APIRouter, world: World) -> None:
    @routes.get("/connect/consent")
    def ask_consent(asked: Annotated[str, Query(alias="request")]) -> Response:
        """Show who is asked to let runs act in their name."""
        try:
            who = world.access.consent_asked(asked)
        except Unauthorised as refusal:
            return HTMLResponse(f"<h1>{escape(refusal.message)}</h1>", 400, _HEADERS)
        text = _CONSENT.format(escape(who.name))
        return _page("Let synchronization run", text, "Agree", {"request": asked})

    @routes.post("/connect/consent")
    def consent(asked: Annotated[str, Form(alias="request")]) -> Response:
        """Let runs act for the user, and return to the program that asked."""
        try:
            who = world.access.consent_asked(asked)
        except Unauthorised as refusal:
            return HTMLResponse(f"<h1>{escape(refusal.message)}</h1>", 400, _HEADERS)
        world.grants.authorise_runs(who.user_id)
        if not who.redirect_url:
            return HTMLResponse(_AGREED, headers=_HEADERS)
        return RedirectResponse(who.redirect_url, 303, _HEADERS)


def _page(title: str, text: str, button: str, fields: dict[str, str]) -> HTMLResponse:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    page = _PAGE.format(title=title, text=text, button=button, fields=hidden)
    return HTMLResponse(page, headers=_HEADERS)


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
