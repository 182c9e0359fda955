"""IMS: discovery, keys, tokens and user information.

Source: iTwin Platform, "Authorization"; OpenID Connect Discovery 1.0; RFC 6749.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse

from localtwin.api.envelope import refused
from localtwin.api.links import origin
from localtwin.errors import Refusal
from localtwin.world.access.clients import LIFETIME, SCOPE, SCOPES
from localtwin.world.access.grants import Consent, GrantRefused
from localtwin.world.world import World

# What each grant can't do without; an unknown grant and a missing one get different errors.
_NEEDED = {"authorization_code": ("code",), "refresh_token": ("refresh_token",)}
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def router(world: World) -> APIRouter:
    """Return the routes of IMS."""
    routes = APIRouter(tags=["IMS"])

    @routes.get("/.well-known/openid-configuration")
    async def discovery(request: Request) -> JSONResponse:
        """Return the addresses of the endpoints."""
        return JSONResponse(_discovery(origin(request)))

    @routes.get("/.well-known/openid-configuration/jwks")
    async def keys() -> JSONResponse:
        """Return the keys that verify tokens."""
        return JSONResponse(world.access.public_keys())

    @routes.get("/connect/userinfo")
    def user_info(request: Request) -> JSONResponse:
        """Return who the token belongs to."""
        token = request.headers.get("authorization", "").partition(" ")[2]
        try:
            caller = world.access.caller(token, scope="")
        except Refusal as refusal:
            return refused(refusal)
        user = world.users.get(caller.user_id)
        names = {"name": user.display_name, "email": user.email}
        return JSONResponse({"sub": user.id} | names)

    _token_route(routes, world)
    return routes


def _token_route(routes: APIRouter, world: World) -> None:
    @routes.post("/connect/token")
    def token(
        request: Request,
        *,
        grant_type: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
        client_secret: Annotated[str, Form()] = "",
        scope: Annotated[str, Form()] = SCOPE,
        code: Annotated[str, Form()] = "",
        code_verifier: Annotated[str, Form()] = "",
        redirect_uri: Annotated[str, Form()] = "",
        refresh_token: Annotated[str, Form()] = "",
    ) -> JSONResponse:
        """Return an access token."""
        issuer = origin(request)
        given = {"grant_type": grant_type, "code": code, "refresh_token": refresh_token}
        lacking = [name for name in _NEEDED.get(grant_type, ("grant_type",)) if not given[name]]
        if lacking:
            return oauth_error(400, "invalid_request", f"{', '.join(lacking)} is missing.")
        try:
            if grant_type == "authorization_code":
                consent = world.grants.redeem(
                    code, client_id=client_id, redirect_uri=redirect_uri, verifier=code_verifier
                )
                return _user_token(world, issuer, consent)
            if grant_type == "refresh_token":
                consent = world.grants.refresh(refresh_token, client_id=client_id)
                return _user_token(world, issuer, consent)
        except GrantRefused as reason:
            return oauth_error(400, "invalid_grant", str(reason))
        if grant_type != "client_credentials":
            return oauth_error(400, "unsupported_grant_type", "No such grant here.")
        basic = basic_credentials(request.headers.get("authorization", ""))
        known_id, secret = basic or (client_id, client_secret)
        if not world.access.knows(known_id, secret):
            return oauth_error(401 if basic else 400, "invalid_client", "Unknown client or secret")
        if not set(scope.split()) <= {SCOPE}:
            return oauth_error(400, "invalid_scope", f"Only {SCOPE}.")
        return _answer(world.access.issue(known_id, issuer=issuer), SCOPE)


def _user_token(world: World, issuer: str, consent: Consent) -> JSONResponse:
    token = world.access.issue_to_user(consent.client_id, scope=consent.scope, issuer=issuer)
    more = {}
    if "offline_access" in consent.scope.split():
        more["refresh_token"] = world.grants.refresh_token(consent)
    if "openid" in consent.scope.split():
        more["id_token"] = world.access.identify_user(
            consent.client_id, issuer=issuer, nonce=consent.nonce, signed_in=consent.signed_in
        )
    return _answer(token, consent.scope, **more)


def _answer(token: str, scope: str, **more: str) -> JSONResponse:
    body: dict[str, object] = {
        "access_token": token,
        "expires_in": int(LIFETIME.total_seconds()),
        "token_type": "Bearer",
        "scope": scope,
    }
    return JSONResponse(body | more, headers=_NO_STORE)


def _discovery(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/connect/authorize",
        "token_endpoint": f"{issuer}/connect/token",
        "userinfo_endpoint": f"{issuer}/connect/userinfo",
        "jwks_uri": f"{issuer}/.well-known/openid-configuration/jwks",
        "scopes_supported": sorted(SCOPES),
        "claims_supported": ["sub", "name", "email", "nonce", "auth_time"],
        "grant_types_supported": ["client_credentials", "authorization_code", "refresh_token"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "none",
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "end_session_endpoint": f"{issuer}/connect/endsession",
        "revocation_endpoint": f"{issuer}/connect/revocation",
        "introspection_endpoint": f"{issuer}/connect/introspect",
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }


def basic_credentials(header: str) -> tuple[str, str] | None:
    """Return id and secret of a Basic header; both halves are percent-encoded.

    Source: RFC 6749 section 2.3.1, as @itwin/service-authorization does it.
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    client_id, _, secret = text.partition(":")
    return unquote(client_id), unquote(secret)


def oauth_error(status: int, code: str, description: str) -> JSONResponse:
    """Return an error answer of RFC 6749."""
    headers = dict(_NO_STORE)
    if status == 401:
        headers["WWW-Authenticate"] = "Basic"
    return JSONResponse({"error": code, "error_description": description}, status, headers)
