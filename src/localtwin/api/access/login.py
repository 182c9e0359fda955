"""The sign-in page and the consent page; both return the browser to the program that asked.

The first signs a program in, the second lets runs act for a user who is not there.
Source: iTwin Platform, "Authorization code with PKCE"; RFC 8252: only loopback addresses;
Synchronization API, "Get authorization information".
"""

from __future__ import annotations

from html import escape
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Query
from starlette.responses import HTMLResponse, RedirectResponse, Response

from localtwin.api.pages.html import Html, message, refusal, tag
from localtwin.errors import Unauthorised
from localtwin.faults import Fault
from localtwin.world.access.clients import NATIVE_CLIENT, SCOPES
from localtwin.world.access.grants import Consent
from localtwin.world.world import World

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_FIELDS = ("client_id", "redirect_uri", "scope", "state", "code_challenge", "nonce")
_PROMPTS = {"none", "login", "consent", "select_account"}
# The page is shown for all but none, so login, consent and select_account need no more code.
HEADERS = {"Cache-Control": "no-store"}
_SIGN_IN = (
    "A program on this computer wants to work with your local iTwin Platform as "
    "<b>Local User</b>. Your browser then returns to <code>{}</code>."
)
_CONSENT = (
    "Synchronization wants to bring files into your local iModels as <b>{}</b>, also while "
    "nobody is there. Connections for which this was not agreed to end their runs with an error."
)
SIGN_IN_RULE = (
    f"Programs let a person sign in with the client id {NATIVE_CLIENT} and a redirect address on "
    "http://127.0.0.1, http://localhost or http://[::1], with any port."
)


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
        nonce: str = "",
        prompt: str = "",
        response_mode: str = "query",
        request: str = "",
        request_uri: str = "",
    ) -> Response:
        """Show the page, or the error of the request."""
        problem = _problem(client_id, redirect_uri)
        if problem is not None:
            return refusal(problem)
        if response_type != "code":
            return _back(redirect_uri, state, error="unsupported_response_type")
        if code_challenge_method != "S256" or not code_challenge:
            return _back(redirect_uri, state, error="invalid_request")
        if not set(scope.split()) <= SCOPES:
            return _back(redirect_uri, state, error="invalid_scope")
        refused = _unsupported(prompt, response_mode, request, request_uri)
        if refused is not None:
            return _back(redirect_uri, state, error=refused)
        values = (client_id, redirect_uri, scope, state, code_challenge, nonce)
        fields = dict(zip(_FIELDS, values, strict=True))
        text = _SIGN_IN.format(escape(redirect_uri))
        return _page("Sign in to localtwin", text, "Sign in", fields)

    @routes.post("/connect/authorize")
    def agree(
        *,
        client_id: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        scope: Annotated[str, Form()],
        code_challenge: Annotated[str, Form()],
        state: Annotated[str, Form()] = "",
        nonce: Annotated[str, Form()] = "",
    ) -> Response:
        """Return to the program with a code."""
        problem = _problem(client_id, redirect_uri)
        if problem is not None:
            return refusal(problem)
        code = world.grants.code(Consent(client_id, redirect_uri, scope, code_challenge, nonce))
        return _back(redirect_uri, state, code=code)

    _consent_routes(routes, world)
    return routes


def _consent_routes(routes: APIRouter, world: World) -> None:
    @routes.get("/connect/consent")
    def ask_consent(asked: Annotated[str, Query(alias="request")]) -> Response:
        """Show the page that asks for consent."""
        try:
            who = world.access.consent_asked(asked)
        except Unauthorised as denied:
            return refusal(denied.message)
        text = _CONSENT.format(escape(who.name))
        return _page("Let synchronization run", text, "Agree", {"request": asked})

    @routes.post("/connect/consent")
    def consent(asked: Annotated[str, Form(alias="request")]) -> Response:
        """Let runs act for the user, and return to the program that asked."""
        try:
            who = world.access.consent_asked(asked)
        except Unauthorised as denied:
            return refusal(denied.message)
        world.grants.authorise_runs(who.user_id)
        # What the person agrees to ends the rehearsal, or a client would ask them for ever.
        world.faults.remove(Fault.UNAUTHENTICATED_RUN, Fault.EXPIRED_AUTHORIZATION)
        if not who.redirect_url:
            return message("Thank you", tag("p", "You may close this page."))
        return RedirectResponse(who.redirect_url, 303, HEADERS)


def _unsupported(prompt: str, response_mode: str, request: str, request_uri: str) -> str | None:
    """Return the error for what this server does not do, None when the request has none of it.

    Every sign-in shows the page, so prompt=none always answers that a login is required.
    Source: OpenID Connect Core 1.0, sections 3.1.2.1, 3.1.2.6 and 6.
    """
    prompts = set(prompt.split())
    if request:
        return "request_not_supported"
    if request_uri:
        return "request_uri_not_supported"
    if response_mode != "query" or not prompts <= _PROMPTS:
        return "invalid_request"
    if "none" in prompts:
        return "login_required" if len(prompts) == 1 else "invalid_request"
    return None


def _page(title: str, text: str, button: str, fields: dict[str, str]) -> HTMLResponse:
    """Return a page with one button; `text` is markup."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    form = Html(f'<form method="post">{hidden}<button>{escape(button)}</button></form>')
    return message(title, tag("p", Html(text)), form)


def is_on_this_computer(address: str) -> bool:
    """Return whether a browser may be sent there: a program on this computer, any port."""
    try:
        target = urlsplit(address)
    except ValueError:  # brackets that are no IPv6 address
        return False
    return target.scheme == "http" and target.hostname in _LOOPBACK and not target.fragment


def _problem(client_id: str, redirect_uri: str) -> str | None:
    if client_id != NATIVE_CLIENT:
        return f"Unknown client. {SIGN_IN_RULE}"
    if not is_on_this_computer(redirect_uri):
        return f"The redirect address is not on this computer. {SIGN_IN_RULE}"
    return None


def _back(redirect_uri: str, state: str, **values: str) -> Response:
    query = urlencode(values | ({"state": state} if state else {}))
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{query}", 302, HEADERS)
