"""IMS: discovery, keys and tokens.

Source: iTwin Platform, "Authorization"; OpenID Connect Discovery 1.0; RFC 6749.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Form, Request
from starlette.responses import JSONResponse

from localtwin.api.links import origin
from localtwin.world.access import LIFETIME, SCOPE
from localtwin.world.world import World

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def router(world: World) -> APIRouter:
    """Return the routes of IMS."""
    routes = APIRouter(tags=["IMS"])

    @routes.get("/.well-known/openid-configuration")
    async def discovery(request: Request) -> JSONResponse:
        """Tell where everything is."""
        return JSONResponse(_discovery(origin(request)))

    @routes.get("/.well-known/openid-configuration/jwks")
    async def keys() -> JSONResponse:
        """Return the keys that verify tokens."""
        return JSONResponse(world.access.public_keys())

    @routes.post("/connect/token")
    def token(
        request: Request,
        grant_type: Annotated[str, Form()] = "",
        client_id: Annotated[str, Form()] = "",
        client_secret: Annotated[str, Form()] = "",
        scope: Annotated[str, Form()] = SCOPE,
    ) -> JSONResponse:
        """Return an access token to a service client."""
        basic = _basic(request.headers.get("authorization", ""))
        known_id, secret = basic or (client_id, client_secret)
        if grant_type != "client_credentials":
            return _oauth_error(400, "unsupported_grant_type", "Only client_credentials.")
        if not world.access.knows(known_id, secret):
            return _oauth_error(401 if basic else 400, "invalid_client", "Unknown client or secret")
        if not set(scope.split()) <= {SCOPE}:
            return _oauth_error(400, "invalid_scope", f"Only {SCOPE}.")
        return JSONResponse(
            {
                "access_token": world.access.issue(known_id, issuer=origin(request)),
                "expires_in": int(LIFETIME.total_seconds()),
                "token_type": "Bearer",
                "scope": SCOPE,
            },
            headers=_NO_STORE,
        )

    return routes


def _discovery(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/connect/authorize",
        "token_endpoint": f"{issuer}/connect/token",
        "userinfo_endpoint": f"{issuer}/connect/userinfo",
        "jwks_uri": f"{issuer}/.well-known/openid-configuration/jwks",
        "scopes_supported": [SCOPE],
        "claims_supported": ["sub"],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    }


def _basic(header: str) -> tuple[str, str] | None:
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


def _oauth_error(status: int, code: str, description: str) -> JSONResponse:
    headers = dict(_NO_STORE)
    if status == 401:
        headers["WWW-Authenticate"] = "Basic"
    return JSONResponse({"error": code, "error_description": description}, status, headers)
