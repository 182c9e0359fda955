"""Tokens after they were issued: revocation, introspection, and the end of a session.

Source: RFC 7009 (revocation), RFC 7662 (introspection; scope as a list, as the platform's own
client reads it), OpenID Connect RP-Initiated Logout 1.0.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from localtwin.api.access.ims import basic_credentials, oauth_error
from localtwin.api.access.login import HEADERS, is_on_this_computer
from localtwin.api.envelope import empty
from localtwin.api.links import origin
from localtwin.api.pages.html import message, refusal
from localtwin.errors import Refusal
from localtwin.world.access.clients import NATIVE_CLIENT, Caller
from localtwin.world.world import World


def router(world: World) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=["IMS"])
    _revocation(routes, world)
    _introspection(routes, world)
    _end_of_session(routes, world)
    return routes


def _revocation(routes: APIRouter, world: World) -> None:
    @routes.post("/connect/revocation")
    def revoke(
        request: Request,
        token: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
        client_secret: Annotated[str, Form()] = "",
    ) -> Response:
        """Revoke a token; an unknown token is no error (RFC 7009, section 2.2)."""
        client = _client(world, request, client_id, client_secret)
        if client is None:
            return oauth_error(401, "invalid_client", "Unknown client or secret")
        if not token:
            return oauth_error(400, "invalid_request", "token is missing.")
        caller = _caller(world, token)
        if caller is not None and caller.client_id == client:
            world.access.revoke(caller)
        world.grants.revoke(token, client_id=client)
        return empty(200)


def _introspection(routes: APIRouter, world: World) -> None:
    @routes.post("/connect/introspect")
    def introspect(
        request: Request,
        token: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
        client_secret: Annotated[str, Form()] = "",
    ) -> JSONResponse:
        """Return what a token means, to a client with a secret."""
        client = _client(world, request, client_id, client_secret)
        if client is None or client == NATIVE_CLIENT:
            return oauth_error(401, "invalid_client", "Unknown client or secret")
        if not token:
            return oauth_error(400, "invalid_request", "token is missing.")
        return JSONResponse(_introspected(world, token, issuer=origin(request)))


def _introspected(world: World, token: str, *, issuer: str) -> dict[str, Any]:
    caller = _caller(world, token)
    if caller is not None:
        return {
            "active": True,
            "token_type": "Bearer",
            "scope": sorted(caller.scopes),
            "client_id": caller.client_id,
            "sub": caller.user_id,
            "exp": int(caller.expires),
            "iss": issuer,
        }
    found = world.grants.find_refresh_token(token)
    if found is None:
        return {"active": False}
    consent, expires = found
    return {
        "active": True,
        "token_type": "refresh_token",
        "scope": sorted(consent.scope.split()),
        "client_id": consent.client_id,
        "exp": int(expires.timestamp()),
        "iss": issuer,
    }


def _end_of_session(routes: APIRouter, world: World) -> None:
    @routes.get("/connect/endsession")
    def end_session(
        id_token_hint: str = "", post_logout_redirect_uri: str = "", state: str = ""
    ) -> Response:
        """Return to the program; there is no session that would have to end."""
        if id_token_hint and not world.access.signed_by_us(id_token_hint):
            return _wrong("The id_token_hint is not a token of this server.")
        if not post_logout_redirect_uri:
            return message("You are signed out")
        if not is_on_this_computer(post_logout_redirect_uri):
            return _wrong("The redirect address is not on this computer.")
        query = urlencode({"state": state}) if state else ""
        joint = "&" if urlsplit(post_logout_redirect_uri).query else "?"
        target = post_logout_redirect_uri + (joint + query if query else "")
        return RedirectResponse(target, 302, HEADERS)


def _wrong(text: str) -> Response:
    return refusal(text)


def _client(world: World, request: Request, client_id: str, secret: str) -> str | None:
    """Return the client that calls, None unless it proves who it is.

    The native client has no secret, so its id is enough.
    """
    known_id, given = basic_credentials(request.headers.get("authorization", "")) or (
        client_id,
        secret,
    )
    if known_id == NATIVE_CLIENT or world.access.knows(known_id, given):
        return known_id
    return None


def _caller(world: World, token: str) -> Caller | None:
    """Return who the access token belongs to; None when it is not accepted."""
    try:
        return world.access.caller(token, scope="")
    except Refusal:
        return None
