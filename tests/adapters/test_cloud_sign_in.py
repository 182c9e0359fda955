"""A person signs in with a browser: the way there, the way back, and who else may come."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cloud_script import Wire, caught

from twinsyncd.cloud import authorization_code as codes
from twinsyncd.cloud.auth_issuer import Issuer
from twinsyncd.cloud.redirect import Redirect
from twinsyncd.core.model import Fault

ISSUER = "https://ims.example.com"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
TOKEN = f"{ISSUER}/connect/token"
AUTHORIZE = f"{ISSUER}/connect/authorize"
RETURN = "http://127.0.0.1:3000/signin-callback"


def begun(wire: Wire) -> tuple[Issuer, codes.Attempt]:
    """Begin a sign-in over a scripted wire."""
    found = {"authorization_endpoint": AUTHORIZE, "token_endpoint": TOKEN}
    wire.hears("GET", DISCOVERY, json=found)
    issuer = Issuer(wire.client(), ISSUER)
    return issuer, codes.begin(issuer, "native-abc", RETURN)


def query_of(url: str) -> dict[str, str]:
    """Return the query of a URL."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_the_page_is_asked_for_as_the_service_documents() -> None:
    """Without offline_access the daemon would be signed out after an hour."""
    _, attempt = begun(Wire())

    query = query_of(attempt.url)
    challenge = hashlib.sha256(attempt.verifier.encode()).digest()
    assert attempt.url.startswith(f"{AUTHORIZE}?")
    assert query == {
        "response_type": "code",
        "client_id": "native-abc",
        "redirect_uri": RETURN,
        "scope": "itwin-platform offline_access",
        "state": attempt.state,
        "code_challenge": base64.urlsafe_b64encode(challenge).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    assert 43 <= len(attempt.verifier) <= 128


def test_every_try_has_secrets_of_its_own_that_nothing_shows() -> None:
    """A state that can be guessed or read lets a stranger sign this machine in as themselves."""
    (_, one), (_, two) = begun(Wire()), begun(Wire())

    assert len({one.state, two.state, one.verifier, two.verifier}) == 4
    assert one.verifier not in one.url
    assert one.verifier not in repr(one)


def test_the_code_is_redeemed_with_the_verifier() -> None:
    """Who only saw the browser's address cannot redeem it."""
    wire = Wire()
    issuer, attempt = begun(wire)
    wire.hears("POST", TOKEN, json={"access_token": "t1", "refresh_token": "r1"})

    grant = codes.redeem(issuer, "native-abc", attempt, {"code": "c1", "state": attempt.state})

    assert (grant.access_token, grant.refresh_token) == ("t1", "r1")
    assert dict(httpx.QueryParams(wire.requests[-1].content.decode())) == {
        "grant_type": "authorization_code",
        "client_id": "native-abc",
        "redirect_uri": RETURN,
        "code": "c1",
        "code_verifier": attempt.verifier,
    }
    assert "t1" not in repr(grant)
    assert "r1" not in repr(grant)


def test_without_a_refresh_token_the_sign_in_is_refused_now_not_in_an_hour() -> None:
    """The person is still there and can correct the application's scopes."""
    wire = Wire()
    issuer, attempt = begun(wire)
    wire.hears("POST", TOKEN, json={"access_token": "t1"})

    failure = caught(lambda: codes.redeem(issuer, "native-abc", attempt, {"code": "c1"})).failure

    assert "offline_access" in failure.message


def test_a_person_who_declines_is_told_what_the_service_said() -> None:
    """`access_denied` is an answer, not a time-out of ten minutes."""
    issuer, attempt = begun(Wire())
    answer = {"error": "access_denied", "error_description": "You pressed cancel"}

    failure = caught(lambda: codes.redeem(issuer, "native-abc", attempt, answer)).failure

    assert "You pressed cancel" in failure.message


def test_an_endpoint_of_a_stranger_is_not_opened() -> None:
    """A forged discovery document must not choose where a person types a password."""
    wire = Wire()
    wire.hears("GET", DISCOVERY, json={"authorization_endpoint": "https://evil.test/authorize"})

    attempt = codes.begin(Issuer(wire.client(), ISSUER), "native-abc", RETURN)

    assert attempt.url.startswith(f"{AUTHORIZE}?")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"email": "anna@example.com", "sub": "1"}, "anna@example.com"),
        ({"name": "Anna", "sub": "1"}, "Anna"),
        ({"sub": "1"}, "1"),
        ({}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_whose_token_it_is_can_be_read_where_the_service_says_so(
    claims: object, expected: str
) -> None:
    """Status names the person; a token that is no JWT must not end the sign-in."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")

    assert codes.account_of(f"h.{body}.s") == expected
    assert codes.account_of("opaque") == ""


# ---- the way back -------------------------------------------------------------------------


@pytest.fixture
def redirect() -> Iterator[Redirect]:
    """A port that waits for the state "right"."""
    url = "http://127.0.0.1:0/signin-callback"
    with Redirect(url, lambda query: query.get("state") == "right") as listening:
        yield listening


def test_the_browser_is_thanked_and_its_answer_is_passed_on(redirect: Redirect) -> None:
    """The person must see in the browser that it worked."""
    answer = httpx.get(f"{redirect.url}?state=right&code=a%26b")

    assert answer.status_code == 200
    assert "return to twinsyncd" in answer.text
    assert redirect.wait(10) == {"state": "right", "code": "a&b"}
    assert "referrer" in str(answer.headers).lower()


def test_a_wrong_state_is_refused_and_the_right_one_still_waited_for(redirect: Redirect) -> None:
    """Any page that the person has open can send the browser to this port."""
    wrong = httpx.get(f"{redirect.url}?state=wrong&code=stranger")

    assert wrong.status_code == 400
    assert redirect.wait(0) is None
    assert httpx.get(f"{redirect.url}?state=right&code=own").status_code == 200
    assert (redirect.wait(10) or {})["code"] == "own"


def test_only_the_first_answer_counts(redirect: Redirect) -> None:
    """A second code for the same state is a replay."""
    httpx.get(f"{redirect.url}?state=right&code=first")

    assert httpx.get(f"{redirect.url}?state=right&code=second").status_code == 400
    assert (redirect.wait(10) or {})["code"] == "first"


def test_browsers_that_open_connections_ahead_hold_nothing_up(redirect: Redirect) -> None:
    """Chromium opens a second connection that carries nothing; one thread would hang on it."""
    address = (urlsplit(redirect.url).hostname or "", urlsplit(redirect.url).port or 0)
    with socket.create_connection(address), socket.create_connection(address):
        assert httpx.get(f"{redirect.url}?state=right").status_code == 200


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/signin-callback/more"])
def test_other_paths_are_not_the_answer(redirect: Redirect, path: str) -> None:
    """Browsers ask for icons on their own."""
    base = redirect.url.removesuffix("/signin-callback")

    assert httpx.get(f"{base}{path}?state=right").status_code == 400
    assert redirect.wait(0) is None


def test_an_address_pasted_from_another_machine_counts_as_well(redirect: Redirect) -> None:
    """Servers have no browser; the person's ends on an address that it cannot open."""
    assert not redirect.deliver("what is this")

    assert redirect.deliver("http://localhost:3000/signin-callback?state=right&code=c1")

    assert (redirect.wait(0) or {})["code"] == "c1"


def test_a_port_that_is_taken_is_named_with_what_to_do(redirect: Redirect) -> None:
    """Development servers love port 3000."""
    failure = caught(lambda: Redirect(redirect.url, lambda _: True)).failure

    assert failure.fault is Fault.REFUSED
    assert "redirect_url" in failure.message


def test_the_port_is_closed_afterwards() -> None:
    """A port that stays open is a door nobody watches."""
    with Redirect("http://127.0.0.1:0/cb", lambda _: True) as redirect:
        url = redirect.url

    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
