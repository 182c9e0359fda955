"""Signing in: rarely, once at a time, and without letting the secret out."""

from __future__ import annotations

import json
import logging
import ssl
import threading
from collections.abc import Callable

import httpx
import pytest
from cloud_script import API, Wire, caught

from twinsyncd.cloud.auth import ServiceLogin
from twinsyncd.cloud.session import CloudSettings, open_cloud
from twinsyncd.cloud.wire import token
from twinsyncd.core.model import Fault

ISSUER = "https://ims.example.com"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
TOKEN = f"{ISSUER}/connect/token"
SECRET = "s3cret-of-the-office"


class Clock:
    """Monotonic seconds that move only when told."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def __call__(self) -> float:
        return self.at_s


def login(
    wire: Callable[[httpx.Request], httpx.Response],
    clock: Clock | None = None,
    secret: Callable[[], str] = lambda: SECRET,
) -> ServiceLogin:
    """A login over a scripted wire."""
    http = httpx.Client(transport=httpx.MockTransport(wire))
    return ServiceLogin(
        http,
        client_id="service-abc",
        client_secret=secret,
        now=clock or Clock(),
        issuer_url=ISSUER,
    )


def granting(wire: Wire, *, expires_in: int = 3600) -> Wire:
    """Script one sign-in with discovery."""
    wire.hears("GET", DISCOVERY, json={"token_endpoint": TOKEN})
    return wire.hears("POST", TOKEN, json={"access_token": "t1", "expires_in": expires_in})


def test_the_sign_in_sends_what_the_service_documents() -> None:
    """A field that is missing or misnamed would stop every office at the first step."""
    wire = granting(Wire())

    token = login(wire).token()

    assert token == "t1"
    assert dict(httpx.QueryParams(wire.requests[1].content.decode())) == {
        "grant_type": "client_credentials",
        "client_id": "service-abc",
        "client_secret": SECRET,
        "scope": "itwin-platform",
    }
    wire.ended()


@pytest.mark.parametrize(("later_s", "signs_in_again"), [(3539.0, False), (3540.0, True)])
def test_a_token_is_used_until_a_minute_before_it_ends(
    later_s: float, signs_in_again: bool
) -> None:
    """Signing in per request is rude; using a token to its last second fails half-way."""
    clock = Clock()
    wire = granting(Wire())
    wire.hears("POST", TOKEN, json={"access_token": "t2", "expires_in": 3600})
    signed = login(wire, clock)
    signed.token()

    clock.at_s += later_s

    assert signed.token() == ("t2" if signs_in_again else "t1")


def test_a_short_lived_token_is_still_used_for_half_its_life() -> None:
    """A margin longer than the life would mean a sign-in for every request."""
    clock = Clock()
    signed = login(granting(Wire(), expires_in=30), clock)
    signed.token()

    clock.at_s += 14.0

    assert signed.token() == "t1"


@pytest.mark.parametrize(
    ("status", "body"), [(404, None), (200, {}), (200, {"token_endpoint": "https://evil.test/t"})]
)
def test_without_a_discovery_to_trust_the_usual_endpoint_gets_the_secret(
    status: int, body: object
) -> None:
    """A forged or missing discovery document must not decide where the secret goes."""
    wire = Wire().hears("GET", DISCOVERY, status, body)
    wire.hears("POST", TOKEN, json={"access_token": "t1"})

    assert login(wire).token() == "t1"

    wire.ended()


def test_a_refused_token_is_renewed_once_and_the_call_goes_through() -> None:
    """Tokens can be revoked early; the daemon must get over it unaided."""

    def signed_with(token: str) -> Callable[[httpx.Request], None]:
        def check(request: httpx.Request) -> None:
            assert request.headers["authorization"] == f"Bearer {token}"

        return check

    wire = granting(Wire())
    wire.hears("GET", "/x", 401, check=signed_with("t1"))
    wire.hears("POST", TOKEN, json={"access_token": "t2"})
    wire.hears("GET", "/x", 200, check=signed_with("t2"))

    with httpx.Client(transport=httpx.MockTransport(wire), auth=login(wire)) as http:
        assert http.get(f"{API}/x").status_code == 200

    wire.ended()


def test_a_second_refusal_is_an_answer_not_a_loop() -> None:
    """An application without access must not sign in for ever."""
    wire = granting(Wire())
    wire.hears("GET", "/x", 401)
    wire.hears("POST", TOKEN, json={"access_token": "t2"})
    wire.hears("GET", "/x", 401)

    with httpx.Client(transport=httpx.MockTransport(wire), auth=login(wire)) as http:
        assert http.get(f"{API}/x").status_code == 401

    wire.ended()


def test_many_threads_share_one_sign_in() -> None:
    """The start of a thousand uploads must not be a thousand sign-ins."""
    wire = granting(Wire())
    signed = login(wire)
    start = threading.Barrier(8)
    tokens: list[str] = []

    def ask() -> None:
        start.wait()
        tokens.append(signed.token())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert tokens == ["t1"] * 8
    wire.ended()


def test_who_waited_through_a_failed_sign_in_shares_its_failure() -> None:
    """With the issuer down, a queue of threads would pay one time-out after the other."""
    asked = threading.Event()

    class Ticking(Clock):
        def __call__(self) -> float:
            self.at_s += 1.0
            if threading.current_thread().name == "second":
                asked.set()
            return self.at_s

    failures: list[Fault] = []
    second = threading.Thread(
        target=lambda: failures.append(caught(signed.token).failure.fault), name="second"
    )

    def meanwhile(request: httpx.Request) -> None:
        second.start()
        assert asked.wait(10)

    wire = Wire().hears("GET", DISCOVERY, json={"token_endpoint": TOKEN})
    wire.hears("POST", TOKEN, 503, check=meanwhile)
    wire.hears("POST", TOKEN, json={"access_token": "t1"})
    signed = login(wire, Ticking())

    failures.append(caught(signed.token).failure.fault)
    second.join()

    assert failures == [Fault.TRANSIENT, Fault.TRANSIENT]
    assert signed.token() == "t1"
    wire.ended()


def test_a_late_refusal_of_an_old_token_leaves_the_new_one() -> None:
    """Several threads hear of the same dead token; only the first may drop it."""
    wire = granting(Wire())
    wire.hears("POST", TOKEN, json={"access_token": "t2"})
    signed = login(wire)
    old = signed.token()
    signed.forget(old)
    signed.token()

    signed.forget(old)

    assert signed.token() == "t2"
    wire.ended()


def test_a_rotated_secret_is_read_at_the_next_sign_in() -> None:
    """Secrets live in files that administrators replace while the daemon runs."""
    secrets = iter(["old", "new"])
    wire = granting(Wire())
    wire.hears("POST", TOKEN, json={"access_token": "t2"})
    signed = login(wire, secret=lambda: next(secrets))

    signed.forget(signed.token())
    signed.token()

    sent = [httpx.QueryParams(r.content.decode())["client_secret"] for r in wire.requests[1:]]
    assert sent == ["old", "new"]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_wrong_secret_is_told_by_client_id_and_never_shown(status: int) -> None:
    """The operator must know which application to look at; nobody may read the secret."""
    wire = Wire().hears("GET", DISCOVERY, json={"token_endpoint": TOKEN})
    told = {"error": "invalid_client", "error_description": f"client_secret={SECRET} is wrong"}
    wire.hears("POST", TOKEN, status, told)
    signed = login(wire)

    error = caught(signed.token)

    assert error.failure.fault is Fault.UNAUTHORISED
    assert "service-abc" in str(error)
    assert error.code == "invalid_client"
    assert SECRET not in f"{error} {error!r} {error.failure} {signed!r}"


@pytest.mark.parametrize(
    ("status", "headers", "fault", "retry_after_s"),
    [(429, {"Retry-After": "7"}, Fault.THROTTLED, 7.0), (503, {}, Fault.TRANSIENT, 0.0)],
)
def test_an_issuer_in_trouble_is_not_a_wrong_secret(
    status: int, headers: dict[str, str], fault: Fault, retry_after_s: float
) -> None:
    """A halted daemon needs a person; an outage of the issuer passes by itself."""
    wire = Wire().hears("GET", DISCOVERY, json={"token_endpoint": TOKEN})
    wire.hears("POST", TOKEN, status, headers=headers)

    failure = caught(login(wire).token).failure

    assert (fault, retry_after_s) == (failure.fault, failure.retry_after_s)


LOGIN_PAGE = b"<html><head><title>Hotel WiFi</title></head></html>"


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (302, b"", "redirected to captive.example"),
        (407, LOGIN_PAGE, "the proxy requires a sign-in"),
        (200, LOGIN_PAGE, "Hotel WiFi"),
        (503, LOGIN_PAGE, "temporarily unavailable"),
        (403, LOGIN_PAGE, "Hotel WiFi"),
    ],
)
def test_a_network_in_between_is_not_blamed_on_the_secret(
    status: int, content: bytes, words: str
) -> None:
    """A person who changes the secret for a guest network's login page mends nothing."""
    wire = Wire().hears("GET", DISCOVERY, json={"token_endpoint": TOKEN})
    headers = {"location": "http://captive.example/login"} if status == 302 else {}
    wire.hears("POST", TOKEN, status, headers=headers, content=content)

    failure = caught(login(wire).token).failure

    assert failure.fault is Fault.TRANSIENT
    assert words in failure.message
    assert "secret" not in failure.message


def test_an_issuer_that_is_not_there_never_counts_as_a_deleted_file() -> None:
    """GONE would make the machine create connections and files again."""
    wire = Wire().hears("GET", DISCOVERY, 404).hears("POST", f"{ISSUER}/connect/token", 404)

    failure = caught(login(wire).token).failure

    assert failure.fault is Fault.UNAUTHORISED
    assert "issuer_url" in failure.message


@pytest.mark.parametrize(
    ("given", "lifetime_s"),
    [(3600, 3600.0), ("300", 300.0), (300.0, 300.0), (-1, 3600.0), (None, 3600.0), ("x", 3600.0)],
)
def test_the_life_of_a_token_is_read_however_it_is_written(
    given: object, lifetime_s: float
) -> None:
    """A gateway that sends it as text must not make every call fail after five minutes."""
    body = json.dumps({"access_token": "t", "expires_in": given}).encode()

    assert token(body) == ("t", lifetime_s)


def test_an_unreachable_issuer_is_transient() -> None:
    """An office whose line is down must come back by itself."""
    wire = Wire().breaks("GET", DISCOVERY, httpx.ConnectError("no route"))

    failure = caught(login(wire).token).failure

    assert failure.fault is Fault.TRANSIENT
    assert "cannot be reached" in failure.message


def test_a_secret_that_cannot_be_read_halts_with_the_reason() -> None:
    """A missing credentials file is for a person to mend, not for a retry."""

    def unreadable() -> str:
        raise FileNotFoundError("no such file: client_secret")

    failure = caught(login(Wire(), secret=unreadable).token).failure

    assert failure.fault is Fault.UNAUTHORISED
    assert "no such file: client_secret" in failure.message


def test_what_this_machine_trusts_is_trusted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offices whose proxy inspects encrypted traffic install its certificate on each machine."""
    loaded: list[ssl.SSLContext] = []

    def load(context: ssl.SSLContext) -> None:
        loaded.append(context)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", load)

    with open_cloud(CloudSettings("service-abc", lambda: SECRET)):
        assert [context.verify_mode for context in loaded] == [ssl.CERT_REQUIRED]


def test_nothing_of_a_sign_in_or_upload_reaches_the_logs(caplog: pytest.LogCaptureFixture) -> None:
    """The HTTP library logs whole URLs by itself; a signed URL is a key."""
    caplog.set_level(logging.DEBUG)
    wire = Wire().hears("GET", DISCOVERY, json={"token_endpoint": TOKEN})
    wire.hears("POST", TOKEN, json={"access_token": "tok-3n"})
    wire.hears("GET", "/itwins/i1", json={"iTwin": {"id": "i1"}})
    settings = CloudSettings("service-abc", lambda: SECRET, api_url=API, issuer_url=ISSUER)

    with open_cloud(settings, transport=httpx.MockTransport(wire)) as cloud:
        cloud.platform.itwin("i1")

    assert wire.requests[-1].headers["authorization"] == "Bearer tok-3n"
    assert wire.requests[-1].headers["user-agent"].startswith("twinsyncd/")
    assert [text for text in (SECRET, "tok-3n", "example.com") if text in caplog.text] == []
    assert SECRET not in repr(settings)
    wire.ended()
