"""A person's sign-in, renewed without the person; and how it ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cloud_script import Wire, caught

from twinsyncd.cloud.auth_user import UserLogin
from twinsyncd.cloud.token_store import SignIn, TokenStore
from twinsyncd.core.model import Fault

ISSUER = "https://ims.example.com"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
TOKEN = f"{ISSUER}/connect/token"
ANNA = SignIn("rt-1", "native-abc", ISSUER, "anna@example.com", 17.5)


class Clock:
    """Monotonic seconds that move only when told."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def __call__(self) -> float:
        return self.at_s


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    """A store in which Anna is signed in."""
    made = TokenStore(tmp_path, "file")
    made.write(ANNA)
    return made


def login(wire: Wire, store: TokenStore, clock: Clock | None = None) -> UserLogin:
    """A login over a scripted wire."""
    return UserLogin(
        wire.client(), client_id="native-abc", store=store, now=clock or Clock(), issuer_url=ISSUER
    )


def renewing(wire: Wire, access: str = "t1", **more: str) -> Wire:
    """Script one renewal with discovery."""
    wire.hears("GET", DISCOVERY, json={"token_endpoint": TOKEN})
    return wire.hears("POST", TOKEN, json={"access_token": access, "expires_in": 3600} | more)


def test_a_renewal_sends_what_the_service_documents(store: TokenStore) -> None:
    """A native application has no secret; sending one, or a scope too many, is a refusal."""
    wire = renewing(Wire())

    assert login(wire, store).token() == "t1"

    assert dict(httpx.QueryParams(wire.requests[1].content.decode())) == {
        "grant_type": "refresh_token",
        "client_id": "native-abc",
        "refresh_token": "rt-1",
    }
    wire.ended()


def test_a_new_refresh_token_is_on_disk_before_its_access_token_is_used(
    store: TokenStore,
) -> None:
    """The old one is spent: a crash in between would need a person at the machine."""
    wire = renewing(Wire(), refresh_token="rt-2")
    signed = login(wire, store)

    def is_kept(_: httpx.Request) -> None:
        assert TokenStore(store.file.parent, "file").read() == replace(ANNA, refresh_token="rt-2")

    wire.hears("GET", "/x", check=is_kept)
    with httpx.Client(transport=httpx.MockTransport(wire), auth=signed) as http:
        http.get("https://api.example.com/x")

    wire.ended()


def test_a_disk_that_is_full_is_noticed_before_the_token_is_spent(store: TokenStore) -> None:
    """Afterwards it would be too late, and a person would have to come."""
    wire = Wire()
    store.file.unlink()
    store.write(ANNA)
    draft = store.file.with_name(f"{store.file.name}.new")
    draft.mkdir()  # so that nothing can be written

    failure = caught(login(wire, store).token).failure

    assert failure.fault is Fault.TRANSIENT
    assert wire.requests == []


def test_two_processes_never_spend_the_same_token(store: TokenStore) -> None:
    """`check` beside the daemon must read what the daemon just wrote."""
    wire = renewing(Wire(), refresh_token="rt-2")
    renewing(wire, "t2", refresh_token="rt-3")
    login(wire, store).token()

    login(wire, TokenStore(store.file.parent, "file")).token()

    sent = [httpx.QueryParams(r.content.decode()) for r in wire.requests if r.method == "POST"]
    assert [form["refresh_token"] for form in sent] == ["rt-1", "rt-2"]


def test_the_sign_in_is_renewed_before_each_hour_ends_without_a_person(store: TokenStore) -> None:
    """The daemon runs for months; nobody is there at three in the night."""
    clock = Clock()
    wire = renewing(Wire(), refresh_token="rt-2")
    signed = login(wire, store, clock)
    signed.token()
    clock.at_s += 3500.0
    assert signed.token() == "t1"

    for hour in range(3, 6):
        clock.at_s += 3541.0
        answer = {"access_token": f"t{hour}", "refresh_token": f"rt-{hour}"}
        wire.hears("POST", TOKEN, json=answer)
        assert signed.token() == f"t{hour}"

    sent = [httpx.QueryParams(r.content.decode()) for r in wire.requests if r.method == "POST"]
    assert [form["refresh_token"] for form in sent] == ["rt-1", "rt-2", "rt-3", "rt-4"]


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client"])
def test_a_lapsed_sign_in_says_who_must_sign_in_where(store: TokenStore, code: str) -> None:
    """The office has five people and three machines."""
    wire = Wire().hears("GET", DISCOVERY, json={"token_endpoint": TOKEN})
    wire.hears("POST", TOKEN, 400, {"error": code, "error_description": "rt-1 is spent"})

    error = caught(login(wire, store).token)

    assert error.failure.fault is Fault.SIGNED_OUT
    assert "run twinsyncd login" in error.failure.message
    assert "anna@example.com" in error.failure.message
    assert "rt-1" not in f"{error} {error!r} {error.failure}"


def test_a_refused_sign_in_is_not_asked_for_again_until_there_is_another(
    store: TokenStore,
) -> None:
    """A lane that waits over a weekend must not knock every five minutes (P10)."""
    wire = Wire().hears("GET", DISCOVERY, json={"token_endpoint": TOKEN})
    wire.hears("POST", TOKEN, 400, {"error": "invalid_grant"})
    signed = login(wire, store)
    caught(signed.token)

    again = caught(signed.token).failure

    assert again.fault is Fault.SIGNED_OUT
    wire.ended()
    store.write(replace(ANNA, refresh_token="rt-9"))
    wire.hears("POST", TOKEN, json={"access_token": "t9"})
    assert signed.token() == "t9"


def test_nobody_signed_in_is_not_a_traceback(tmp_path: Path) -> None:
    """The first start of every office."""
    wire = Wire()

    failure = caught(login(wire, TokenStore(tmp_path, "file")).token).failure

    assert failure.fault is Fault.SIGNED_OUT
    assert "nobody has signed in" in failure.message
    assert wire.requests == []


def test_a_sign_in_for_another_application_is_not_used(store: TokenStore) -> None:
    """Its token would go to an issuer that it was not meant for."""
    store.write(replace(ANNA, issuer_url="https://elsewhere.example.com"))
    wire = Wire()

    failure = caught(login(wire, store).token).failure

    assert "another client_id or issuer_url" in failure.message
    assert wire.requests == []


@pytest.mark.parametrize(
    ("status", "fault"), [(503, Fault.TRANSIENT), (429, Fault.THROTTLED), (404, Fault.UNAUTHORISED)]
)
def test_an_issuer_in_trouble_signs_nobody_out(
    store: TokenStore, status: int, fault: Fault
) -> None:
    """An outage passes; a person who is sent to sign in for it is annoyed and none the wiser."""
    wire = Wire().hears("GET", DISCOVERY, json={"token_endpoint": TOKEN})
    wire.hears("POST", TOKEN, status)

    assert caught(login(wire, store).token).failure.fault is fault


def test_a_lost_answer_leaves_the_token_to_be_tried_again(store: TokenStore) -> None:
    """Services that rotate tokens leave a moment of grace for exactly this."""
    wire = Wire().hears("GET", DISCOVERY, json={"token_endpoint": TOKEN})
    wire.breaks("POST", TOKEN, httpx.ReadTimeout("lost"))
    wire.hears("POST", TOKEN, json={"access_token": "t1", "refresh_token": "rt-2"})
    signed = login(wire, store)

    assert caught(signed.token).failure.fault is Fault.TRANSIENT

    assert signed.token() == "t1"


def test_the_identity_to_invite_is_the_person(store: TokenStore) -> None:
    """`check` names whom to give a role in the iTwin."""
    signed = login(renewing(Wire()), store)
    signed.token()

    assert signed.identity == "anna@example.com"
    assert "rt-" not in repr(signed)
