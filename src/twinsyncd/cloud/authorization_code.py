"""Lets a person sign in with a browser: authorization code with PKCE, back to this machine.

Sources: iTwin Platform, "Authorization: native applications" (S256, offline_access); RFC 7636;
RFC 8252, 7.3 (loopback redirect), 8.1 and 8.9 (state, one request).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from ..core.model import Failure, Fault
from ..errors import CloudError
from ..redact import redact
from . import faults, wire
from .auth_base import OPERATION, SCOPE
from .auth_issuer import Issuer
from .members import Unreadable
from .values import Grant

SCOPES: Final = f"{SCOPE} offline_access"
_CLAIMS: Final = ("email", "preferred_username", "name", "sub")  # the first is what people know


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in: the page to open, and what the answer must bring back."""

    url: str
    redirect_url: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)


def begin(issuer: Issuer, client_id: str, redirect_url: str) -> Attempt:
    """Return a new try; the browser comes back to `redirect_url`. Raises CloudError."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_url,
        "scope": SCOPES,
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).decode("ascii").rstrip("="),
        "code_challenge_method": "S256",
    }
    try:
        page = issuer.authorization_endpoint().copy_merge_params(query)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise faults.error_from(OPERATION, exc) from exc
    return Attempt(str(page), redirect_url, state, verifier)


def is_answer(attempt: Attempt, query: dict[str, str]) -> bool:
    """Return whether what the browser brought back belongs to this try, and to no other."""
    given = query.get("state", "")
    return hmac.compare_digest(given.encode(), attempt.state.encode())


def redeem(issuer: Issuer, client_id: str, attempt: Attempt, query: dict[str, str]) -> Grant:
    """Return the tokens for what the browser brought back. Raises CloudError."""
    if "code" not in query:
        reason = query.get("error_description") or query.get("error") or "no code was given"
        raise _refused(f"the sign-in service did not sign you in: {redact(reason)}")
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "redirect_uri": attempt.redirect_url,
        "code": query["code"],
        "code_verifier": attempt.verifier,
    }
    try:
        response = issuer.http.post(issuer.token_endpoint(), data=form)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise faults.error_from(OPERATION, exc) from exc
    if response.status_code != 200:
        raise faults.error_of(OPERATION, response, subject=f"the sign-in service {issuer.url}")
    try:
        grant = wire.grant(response.content)
    except Unreadable as exc:
        raise faults.unreadable(OPERATION, exc, response) from exc
    if not grant.refresh_token:
        message = (
            "the sign-in service gave no refresh token, so twinsyncd could work for an hour only; "
            "let the application have the scope offline_access"
        )
        raise _refused(message)
    return grant


def account_of(access_token: str) -> str:
    """Return whom the token belongs to, for people to read; "" if that cannot be seen.

    Nothing is decided by it, so the signature is not checked.
    """
    try:
        body = access_token.split(".")[1]
        claims: Any = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        names = (str(claims[name]) for name in _CLAIMS if claims.get(name))
        return next(names, "")
    except (IndexError, ValueError, binascii.Error, AttributeError, TypeError):
        return ""


def _refused(message: str) -> CloudError:
    return CloudError(OPERATION, Failure(Fault.UNAUTHORISED, message))
