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


def returned(answer: httpx.Response) -> dict[str, str]:
    """Return what the browser brings back to the program."""
    assert answer.headers["location"].startswith(RETURN)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


def authorize(platform: Platform, **changes: str) -> httpx.Response:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest())
    query = {
        "client_id": NATIVE_CLIENT,
        "redirect_uri": RETURN,
        "response_type": "code",
        "scope": "itwin-platform openid offline_access",
        "state": "st&te",
        "code_challenge": challenge.decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    return platform.get("/connect/authorize", params=query | changes)


def press_the_button(platform: Platform, page: httpx.Response) -> dict[str, str]:
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
    fields["state"] = fields["state"].replace("&amp;", "&")
    answer = platform.post("/connect/authorize", data=fields)
    return returned(answer)


def redeem(platform: Platform, code: str, **changes: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": NATIVE_CLIENT,
        "redirect_uri": RETURN,
        "code": code,
        "code_verifier": VERIFIER,
    }
    return platform.post("/connect/token", data=form | changes)


def signed_in(platform: Platform, **changes: str) -> dict[str, Any]:
    """Press the button and return the tokens."""
    back = press_the_button(platform, authorize(platform, **changes))
    tokens: dict[str, Any] = expect(redeem(platform, back["code"]), 200)
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

    assert (answer.status_code, returned(answer)) == (302, {"error": error, "state": "st&te"})


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


@pytest.mark.parametrize("endpoint", ["token", "revocation", "introspect"])
def test_a_form_that_cannot_be_read_is_an_error_of_oauth(platform: Platform, endpoint: str) -> None:
    """Clients of OAuth read a code where the other APIs have an object."""
    headers = {"Content-Type": "multipart/form-data"}

    answer = platform.post(f"/connect/{endpoint}", content=b"x", headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "boundary" in answer.json()["error_description"]


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


def test_a_person_signs_in_with_the_browser(platform: Platform) -> None:
    """Page, button, code, token: then the token speaks for the person."""
    back = press_the_button(platform, authorize(platform))

    tokens = expect(redeem(platform, back["code"]), 200)

    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    who = expect(platform.get("/connect/userinfo", headers=bearer), 200)
    assert back["state"] == "st&te"
    assert who["email"] == "local.user@localhost"
    assert platform.get("/itwins", headers=bearer).status_code == 200
    assert {"id_token", "refresh_token"} <= tokens.keys()


@pytest.mark.parametrize(
    "change",
    [{"code_verifier": "w" * 43}, {"redirect_uri": "http://localhost:1/"}, {"client_id": "other"}],
)
def test_a_stolen_code_is_worth_nothing(platform: Platform, change: dict[str, str]) -> None:
    """Only who asked has the verifier; and a code that was tried is spent."""
    code = press_the_button(platform, authorize(platform))["code"]

    stolen = redeem(platform, code, **change)
    afterwards = redeem(platform, code)

    assert [stolen.json()["error"], afterwards.json()["error"]] == ["invalid_grant"] * 2


def test_a_refresh_token_is_good_once(platform: Platform) -> None:
    """A copy of it shows itself by failing."""
    code = press_the_button(platform, authorize(platform))["code"]
    token = redeem(platform, code).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "client_id": NATIVE_CLIENT, "refresh_token": token}

    first = platform.post("/connect/token", data=form)
    second = platform.post("/connect/token", data=form)

    assert (first.status_code, second.status_code) == (200, 400)


def test_a_code_expires_within_a_minute(platform: Platform, clock: Clock) -> None:
    """It travels through the browser's history."""
    code = press_the_button(platform, authorize(platform))["code"]
    clock.advance(seconds=61)

    assert redeem(platform, code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "target", ["http://evil.example/", "https://localhost.evil.example/", "javascript:alert(1)"]
)
def test_codes_go_to_this_computer_only(platform: Platform, target: str) -> None:
    """The page must not become a way to send people elsewhere."""
    answer = authorize(platform, redirect_uri=target)

    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_the_login_page_shows_hostile_values_as_text(platform: Platform) -> None:
    """What is in the address is not part of the page."""
    answer = authorize(platform, state='"><script>alert(1)</script>')

    assert "<script>" not in answer.text
