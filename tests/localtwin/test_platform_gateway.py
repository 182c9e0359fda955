"""Sign-in and what holds for every API: tokens, versions, spellings, limits, faults."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from urllib.parse import quote

import httpx
import jwt
import pytest
from platform_scene import ORIGIN, Clock, Platform, error_of, expect, opened
from starlette.types import Message, Receive, Scope, Send

from localtwin.api.app import build
from localtwin.api.fault_injection import FaultInjection
from localtwin.errors import SetupError
from localtwin.faults import Fault, Faults, Switch, kinds_text, parse
from localtwin.world.world import World
from wire.in_process import InProcess

pytest_plugins = ["platform_fixtures"]

FORM = {"grant_type": "client_credentials", "scope": "itwin-platform"}


def test_discovery_leads_to_keys_that_verify_a_token(platform: Platform) -> None:
    """A client that verifies tokens needs nothing but the issuer's address."""
    found = expect(platform.get("/.well-known/openid-configuration"), 200)
    made = platform.world.credentials
    token = expect(
        platform.post("/connect/token", data=FORM, auth=(made.client_id, made.client_secret)), 200
    )

    [key] = expect(platform.get(found["jwks_uri"]), 200)["keys"]
    claims = jwt.decode(
        token["access_token"],
        jwt.PyJWK(key).key,
        algorithms=["RS256"],
        issuer=found["issuer"],
        audience="localtwin",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert claims["scope"] == ["itwin-platform"]
    assert claims["exp"] - claims["iat"] == 3600
    assert {"response_types_supported", "subject_types_supported"} <= found.keys()


def test_a_service_signs_in_by_form_or_by_encoded_basic(platform: Platform) -> None:
    """The official client percent-encodes both halves before base64."""
    made = platform.world.credentials
    pair = f"{quote(made.client_id, safe='')}:{quote(made.client_secret, safe='')}"
    encoded = base64.b64encode(pair.replace("-", "%2D").encode()).decode()
    secrets = {"client_id": made.client_id, "client_secret": made.client_secret}

    by_form = platform.post("/connect/token", data=FORM | secrets)
    by_basic = platform.post(
        "/connect/token", data=FORM, headers={"Authorization": f"Basic {encoded}"}
    )

    assert [by_form.status_code, by_basic.status_code] == [200, 200]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_a_refused_sign_in_says_why(
    platform: Platform, change: dict[str, str], problem: str
) -> None:
    """In the words of RFC 6749."""
    made = platform.world.credentials
    form = FORM | {"client_id": made.client_id, "client_secret": made.client_secret} | change

    answer = platform.post("/connect/token", data=form)

    assert (answer.status_code, answer.json()["error"]) == (400, problem)


def test_the_secret_is_kept_for_its_owner_and_hashed_in_the_world(world: World) -> None:
    """Whoever reads the database can't sign in with it."""
    file = world.folder / "credentials.json"

    database = (world.folder / "world.sqlite").read_bytes()
    journal = (world.folder / "world.sqlite-wal").read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    assert world.credentials.client_secret.encode() not in database + journal


@pytest.mark.parametrize(
    ("header", "code"),
    [(None, "HeaderNotFound"), ("Bearer x.y.z", "Unauthorized"), ("Basic a", "Unauthorized")],
)
def test_nothing_is_served_without_a_believable_token(
    platform: Platform, header: str | None, code: str
) -> None:
    """Every API asks; the envelope names the reason."""
    for path in ("/storage", "/itwins", "/imodels", "/synchronization/x", "/webhooks"):
        request = platform.build_request("GET", path)
        del request.headers["Authorization"]
        if header is not None:
            request.headers["Authorization"] = header

        answer = platform.send(request)

        assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


def test_a_token_expires(platform: Platform, clock: Clock) -> None:
    """Also one that was believed a moment ago."""
    before = platform.get("/itwins").status_code

    clock.advance(hours=1)

    assert (before, platform.get("/itwins").status_code) == (200, 401)


def test_a_token_of_another_world_is_not_believed(platform: Platform, tmp_path: Path) -> None:
    """Even if it says all the right things."""
    (tmp_path / "other").mkdir()
    forged = jwt.encode({"aud": "localtwin", "client_id": "x", "sub": "x"}, "s" * 32)

    answer = platform.get("/itwins", headers={"Authorization": f"Bearer {forged}"})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/itwins", "application/vnd.bentley.itwin-platform.v1+json", 200),
        ("/itwins", "application/vnd.bentley.itwin-platform.v2+json", 404),
        ("/imodels?iTwinId={id}", "application/vnd.bentley.itwin-platform.v2+json", 200),
        ("/imodels?iTwinId={id}", "application/vnd.bentley.itwin-platform.v1+json", 404),
        ("/imodels?iTwinId={id}", "*/*", 200),
    ],
)
def test_the_version_is_chosen_by_accept(
    platform: Platform, path: str, accept: str, status: int
) -> None:
    """A wrong one looks like a wrong address; none at all is fine."""
    url = path.format(id=platform.itwin_id)

    answer = platform.get(url, headers={"Accept": accept})

    assert answer.status_code == status
    if status == 404:
        assert error_of(answer)[1] == "ResourceNotFound"


def test_every_answer_carries_a_correlation_id(platform: Platform) -> None:
    """Given back when given, made otherwise."""
    given = platform.get("/itwins", headers={"X-Correlation-Id": "mine"})
    made = platform.get("/itwins")

    assert given.headers["x-correlation-id"] == "mine"
    assert len(made.headers["x-correlation-id"]) == 36


def test_a_flood_is_refused_unread(platform: Platform) -> None:
    """No operation takes megabytes; contents go to the blob endpoint."""
    answer = platform.post("/itwins", content=b" " * (9 << 20))

    assert answer.status_code == 413


def test_a_form_longer_than_any_sign_in_is_refused(platform: Platform) -> None:
    """Taking apart megabytes of it would keep every other client waiting for seconds."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with httpx.Client(transport=InProcess(build(platform.world)), base_url=ORIGIN) as anybody:
        answer = anybody.post("/connect/token", content=b"&" * (65 << 10), headers=form)

    assert answer.status_code == 413


def test_too_many_requests_are_answered_with_retry_after(world: World) -> None:
    """Retry-After is what a polite client waits for."""
    clock = world.clock
    assert isinstance(clock, Clock)
    clock.now = clock.now.replace(second=20)
    app = build(world, requests_per_minute=2)
    token = world.access.issue(world.credentials.client_id, issuer=ORIGIN)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(transport=InProcess(app), base_url=ORIGIN, headers=headers) as client:
        statuses = [client.get("/itwins").status_code for _ in range(2)]
        third = client.get("/itwins")
        old = client.get("/storage/files/x")
        clock.advance(seconds=40)
        later = client.get("/itwins").status_code

    assert (statuses, later) == ([200, 200], 200)
    assert error_of(third)[:2] == (429, "RateLimitExceeded")
    assert error_of(old)[:2] == (429, "TooManyRequests")
    answers = {name: value for name, value in old.headers.items() if "ratelimited" in name}
    assert answers == {
        "itwinplatform-ratelimited-tier": "Local",
        "itwinplatform-ratelimited-api": "storage",
        "itwinplatform-ratelimited-operation": "GET files/x",
        "itwinplatform-ratelimited-application": "localtwin",
    }
    assert old.headers["retry-after"] == "40"
    assert third.headers["retry-after"] == "40"
    assert third.headers["itwinplatform-ratelimited-api"] == "itwins"


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("none", {}),
        ("ietf", {"ratelimit": '"minute";r=1;t=40', "ratelimit-policy": '"minute";q=2;w=60'}),
        (
            "x",
            {
                "x-ratelimit-limit": "2",
                "x-ratelimit-remaining": "1",
                "x-ratelimit-reset": "40",
            },
        ),
    ],
)
def test_what_is_left_of_the_rate_limit_is_told_as_wanted(
    world: World, way: str, expected: dict[str, str]
) -> None:
    """A client that slows down in time can be tried; the platform's pages name no way."""
    clock = world.clock
    assert isinstance(clock, Clock)
    clock.now = clock.now.replace(second=20)
    app = build(world, requests_per_minute=2, rate_headers=way)
    token = world.access.issue(world.credentials.client_id, issuer=ORIGIN)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(transport=InProcess(app), base_url=ORIGIN, headers=headers) as client:
        answer = client.get("/itwins")

    assert {name: text for name, text in answer.headers.items() if "ratelimit" in name} == expected


@pytest.mark.parametrize(
    ("text", "switch"),
    [
        ("throttle", Switch(Fault.THROTTLE, 1.0)),
        ("latency=0.5@/storage", Switch(Fault.LATENCY, 0.5, "/storage")),
        ("error=502@/imodels x3", Switch(Fault.ERROR, 502.0, "/imodels", 3)),
        ("failed-filex1", Switch(Fault.FAILED_FILE, 0.0, "", 1)),
    ],
)
def test_a_fault_is_written_in_one_word(text: str, switch: Switch) -> None:
    """Kind, value, path, times."""
    assert parse(text) == switch


def test_every_fault_is_described_where_a_person_looks() -> None:
    """A kind that is in no help cannot be found."""
    lines = kinds_text().splitlines()

    assert [line.split()[0].partition("=")[0] for line in lines] == [kind.value for kind in Fault]
    assert all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("text", ["", "storm", "throttle=fast", "latency@storage"])
def test_an_unknown_fault_names_the_known_ones(text: str) -> None:
    """A rehearsal that silently tests nothing is worse than none."""
    with pytest.raises(SetupError, match="throttle"):
        parse(text)


@pytest.mark.parametrize(
    ("fault", "status"), [("throttle=7", 429), ("error=500", 500), ("signed-out", 401)]
)
def test_a_fault_answers_for_its_path_as_often_as_configured(
    platform: Platform, fault: str, status: int
) -> None:
    """And nothing is done meanwhile."""
    platform.world.faults.add(parse(f"{fault}@/imodels x1"))
    body = {"iTwinId": platform.itwin_id, "name": "Bridge"}

    elsewhere = platform.get("/itwins").status_code
    failed = platform.post("/imodels", json=body)
    again = platform.post("/imodels", json=body)

    assert (elsewhere, failed.status_code, again.status_code) == (200, status, 201)
    if status == 429:
        assert failed.headers["retry-after"] == "7"


def test_a_refusal_that_was_asked_for_has_the_code_of_a_real_one(platform: Platform) -> None:
    """Clients decide by the code, so a rehearsal of lost rights must show the right one."""
    platform.world.faults.add(parse("error=403@/storage x1"))

    answer = platform.get("/storage", params={"iTwinId": platform.itwin_id})

    assert error_of(answer)[1] == "InsufficientPermissions"


def test_an_expired_url_is_refused_as_the_blob_service_does(platform: Platform) -> None:
    """The client has to ask for another one."""
    _, url = platform.begin_file("wall.ifc")
    platform.world.faults.add(parse("expired-url x1"))

    statuses = [platform.put_blob(url, b"x").status_code for _ in range(2)]

    assert statuses == [403, 201]


def test_a_large_body_that_takes_effect_late_is_handed_on_as_it_came() -> None:
    """Joined piece by piece, 200 MB would hold up every other request for minutes."""
    sent = [{"type": "http.request", "body": bytes([n]), "more_body": n < 9} for n in range(10)]
    heard: list[Message] = []
    answered: list[Message] = []

    async def play() -> None:
        coming, done = iter(sent), asyncio.Event()

        async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
            while not heard or heard[-1]["more_body"]:
                heard.append(await receive())
            done.set()

        async def receive() -> Message:
            return next(coming)

        async def send(message: Message) -> None:
            answered.append(message)

        late = FaultInjection(app, faults=Faults([parse("late-effect=0 x1")]), clock=Clock())
        scope = {"type": "http", "path": "/blobs/x", "method": "PUT", "headers": []}
        await late(scope, receive, send)
        await done.wait()

    asyncio.run(play())

    assert heard == sent
    assert answered[0]["status"] == 504


def run_with(folder: Path, fault: str) -> tuple[str, list[str], str | None]:
    with opened(folder) as world, Platform(world) as platform:
        world.start()
        files = [platform.upload(name, b"x") for name in ("a.ifc", "b.ifc")]
        connection = platform.connect(platform.new_imodel(), *files)
        world.faults.add(parse(fault))
        run = platform.run(connection)
    results = [task["result"] for job in run["jobs"] for task in job["tasks"]]
    return run["result"], results, (run["error"] or {}).get("errorKey")


def test_a_run_fails_for_one_file_on_demand(tmp_path: Path) -> None:
    """The others get in."""
    found = run_with(tmp_path, "failed-file x1")

    assert found == ("PartialSuccess", ["Error", "Success"], None)


def test_a_run_loses_its_sign_in_on_demand(tmp_path: Path) -> None:
    """What the real platform reports when a user's sign-in has lapsed."""
    found = run_with(tmp_path, "unauthenticated-run x1")

    assert found == ("Error", ["Error", "Error"], "UserNotAuthenticated")


def test_a_foreign_run_comes_in_between_on_demand(platform: Platform) -> None:
    """The start is answered 303 with a run of another connection."""
    connection = platform.connect(platform.new_imodel(), platform.upload("a.ifc", b"x"))
    platform.world.faults.add(parse("foreign-run=0 x1"))

    answer = platform.post(f"/synchronization/imodels/storageconnections/{connection}/run")

    assert answer.status_code == 303
    assert connection not in answer.headers["location"]


def test_the_switches_are_not_served_unless_asked_for(world: World) -> None:
    """Nobody breaks a server by accident."""
    with Platform(world) as platform:
        refused = platform.get("/localtwin/faults")
        closed, words = refused.status_code, refused.json()["error"]["message"]
    transport = InProcess(build(world, admin_routes=True))
    token = world.access.issue(world.credentials.client_id, issuer=ORIGIN)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(transport=transport, base_url=ORIGIN, headers=headers) as admin:
        made = admin.post("/localtwin/faults", json={"fault": "throttle x1"})
        wrong = admin.post("/localtwin/faults", json={"fault": "storm"})
        throttled = admin.get("/itwins").status_code

    assert (closed, made.status_code, wrong.status_code, throttled) == (404, 201, 422, 429)
    assert "--admin" in words
