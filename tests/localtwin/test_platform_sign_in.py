"""OpenID Connect beyond the usual way: prompts, nonces, revocation, introspection, sign-out."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from platform_scene import ORIGIN, Clock, Platform, expect, own_document

from localtwin.world.access.clients import NATIVE_CLIENT

pytest_plugins = ["platform_fixtures"]

RETURN = "http://localhost:3301/callback"
VERIFIER = "v" * 43


def authorize(platform: Platform, **changes: str) -> httpx.Response:
    """Ask for the sign-in page as a native program does."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest())
    query = {
        "client_id": NATIVE_CLIENT,
        "redirect_uri": RETURN,
        "response_type": "code",
        "scope": "itwin-platform openid offline_access",
        "state": "s",
        "code_challenge": challenge.decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    return platform.get("/connect/authorize", params=query | changes)


def returned(answer: httpx.Response) -> dict[str, str]:
    """Return what the browser brings back to the program."""
    assert answer.headers["location"].startswith(RETURN)
    return {
        name: values[0]
        for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()
    }


def signed_in(platform: Platform, **changes: str) -> dict[str, Any]:
    """Press the button and return the tokens."""
    page = authorize(platform, **changes)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    code = returned(platform.post("/connect/authorize", data=fields))["code"]
    form = {
        "grant_type": "authorization_code",
        "client_id": NATIVE_CLIENT,
        "redirect_uri": RETURN,
        "code": code,
        "code_verifier": VERIFIER,
    }
    tokens: dict[str, Any] = expect(platform.post("/connect/token", data=form), 200)
    return tokens


def introspected(platform: Platform, token: str) -> dict[str, Any]:
    made = platform.world.credentials
    login = (made.client_id, made.client_secret)
    answer = platform.post("/connect/introspect", data={"token": token}, auth=login)
    found: dict[str, Any] = expect(answer, 200)
    return found


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "guess"}, "invalid_request"),
        ({"request": "e30."}, "request_not_supported"),
        ({"request_uri": "http://localhost/r"}, "request_uri_not_supported"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid everything"}, "invalid_scope"),
    ],
    ids=str,
)
def test_what_is_not_done_is_answered_at_once(
    platform: Platform, changes: dict[str, str], error: str
) -> None:
    """A hidden frame that asks with prompt=none would wait for a page that nobody sees."""
    answer = authorize(platform, **changes)

    assert (answer.status_code, returned(answer)) == (302, {"error": error, "state": "s"})


@pytest.mark.parametrize("prompt", ["login", "consent", "select_account login"])
def test_a_prompt_for_a_page_shows_the_page(platform: Platform, prompt: str) -> None:
    """The page is shown every time, whatever kind of page is asked for."""
    assert "Sign in" in authorize(platform, prompt=prompt).text


def test_the_id_token_carries_nonce_and_time_of_sign_in(platform: Platform, clock: Clock) -> None:
    """A client refuses an id token that does not answer its own request."""
    tokens = signed_in(platform, nonce="n-1")

    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})

    assert claims["nonce"] == "n-1"
    assert claims["auth_time"] == int(clock.now.timestamp())


def test_an_unknown_client_learns_the_rule(platform: Platform) -> None:
    """The one client id and the redirect rule have to be found where one fails."""
    answer = authorize(platform, client_id="spa-1")

    assert answer.status_code == 400
    assert NATIVE_CLIENT in answer.text
    assert "any port" in answer.text


def test_a_revoked_access_token_is_accepted_no_more(platform: Platform) -> None:
    """Signing out of a program must not leave its token good for an hour."""
    token = signed_in(platform)["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    before = platform.get("/itwins", headers=bearer).status_code

    form = {"token": token, "client_id": NATIVE_CLIENT}
    answer = platform.post("/connect/revocation", data=form)

    after = platform.get("/itwins", headers=bearer).status_code
    assert (before, answer.status_code, answer.content, after) == (200, 200, b"", 401)
    assert introspected(platform, token) == {"active": False}


def test_a_revoked_refresh_token_is_spent(platform: Platform) -> None:
    """And revoking one that is not known is no error: it is not accepted either."""
    token = signed_in(platform)["refresh_token"]
    form = {"token": token, "client_id": NATIVE_CLIENT}
    statuses = [platform.post("/connect/revocation", data=form).status_code for _ in range(2)]

    renewal = {"grant_type": "refresh_token", "refresh_token": token, "client_id": NATIVE_CLIENT}
    answer = platform.post("/connect/token", data=renewal)

    assert statuses == [200, 200]
    assert answer.json()["error"] == "invalid_grant"


def test_nobody_revokes_the_token_of_another_client(platform: Platform) -> None:
    """A public client id proves nothing."""
    service = platform.headers["Authorization"].removeprefix("Bearer ")
    form = {"token": service, "client_id": NATIVE_CLIENT}

    revoked = platform.post("/connect/revocation", data=form)
    unknown = platform.post("/connect/revocation", data={"token": service, "client_id": "x"})

    assert revoked.status_code == 200
    assert platform.get("/itwins").status_code == 200
    assert (unknown.status_code, unknown.json()["error"]) == (401, "invalid_client")


def test_a_service_learns_what_a_token_means(platform: Platform, clock: Clock) -> None:
    """Resource servers ask this way instead of checking signatures."""
    tokens = signed_in(platform)

    access = introspected(platform, tokens["access_token"])
    refresh = introspected(platform, tokens["refresh_token"])
    clock.advance(hours=2)
    expired = introspected(platform, tokens["access_token"])
    public = platform.post("/connect/introspect", data={"token": "t", "client_id": NATIVE_CLIENT})

    assert access["active"] is refresh["active"] is True
    assert access["scope"] == ["itwin-platform", "offline_access", "openid"]
    assert (access["client_id"], access["iss"]) == (NATIVE_CLIENT, ORIGIN)
    assert expired == {"active": False}
    assert public.status_code == 401


def test_signing_out_returns_to_the_program(platform: Platform) -> None:
    """Only to this computer, and only with a token of this server."""
    hint = signed_in(platform)["id_token"]
    query = {"id_token_hint": hint, "post_logout_redirect_uri": RETURN, "state": "x"}

    back = platform.get("/connect/endsession", params=query)
    page = platform.get("/connect/endsession")
    elsewhere = platform.get(
        "/connect/endsession", params={"post_logout_redirect_uri": "http://evil.example/"}
    )
    forged = platform.get("/connect/endsession", params=query | {"id_token_hint": "e30.e30.x"})

    assert (back.status_code, returned(back)) == (302, {"state": "x"})
    assert "signed out" in page.text
    assert [elsewhere.status_code, forged.status_code] == [400, 400]


def test_discovery_names_what_there_is(platform: Platform) -> None:
    """A client library switches on what it finds here, and waits for what it does not."""
    found = expect(platform.get("/.well-known/openid-configuration"), 200)

    for name in ("end_session", "revocation", "introspection"):
        assert urlsplit(found[f"{name}_endpoint"]).path in own_document()["paths"]
    assert "none" in found["prompt_values_supported"]
