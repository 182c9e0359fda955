# mypy: disable-error-code="arg-type,list-item"
# Keys, ids and digests are written as plain text here.
"""Every operation, and every answer that its page or the network between can give to it.

One table of operations, one of answers that mean the same everywhere, one of those that mean
something else for one operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest
from cloud_scene import CONNECTIONS, Scene, refusal
from cloud_script import API, BLOB, Wire, caught

from twinsyncd.cloud.links import RunAddress
from twinsyncd.cloud.manifest_api import ManifestFile, ManifestPlatform
from twinsyncd.cloud.retries import TRIES_MAX
from twinsyncd.cloud.values import SourceFile, Start, Upload
from twinsyncd.core.model import Fault

MANIFESTS = "/synchronization/imodels/manifestconnections"
RUN = "de626d0d-1647-48d7-8c11-f1f74f2d4523"
LINKS = {
    "completeUrl": {"href": f"{API}/storage/files/s1/complete"},
    "uploadUrl": {"href": BLOB},
}
FILE = {"file": {"id": "s1", "displayName": "a.dgn"}}
FOLDER = {"folder": {"id": "f1", "displayName": "a"}}
CONNECTION = {"connection": {"id": "c1", "displayName": "Bridge", "iModelId": "m1"}}
AGREED = {"authorizationInformation": {"isUserAuthorized": True}}


class Operation(NamedTuple):
    """One operation: how it is called, where it goes, and what it answers when all is well."""

    call: Callable[[ManifestPlatform], object]
    method: str
    path: str
    body: Any
    status: int = 200
    repeated: bool = True
    gone_is_fine: bool = False


def create(platform: ManifestPlatform) -> object:
    """Create a storage connection."""
    return platform.create_connection(
        name="Bridge", imodel_id="m1", authentication="Service", files=[("s1", "MSTN")]
    )


SF = SourceFile("sf1", "s1", "MSTN")
OPERATIONS = {
    "root": Operation(
        lambda p: p.root_folder("i1"),
        "GET",
        "/storage",
        {"_links": {"folder": {"href": f"{API}/storage/folders/f1"}}},
    ),
    "list": Operation(
        lambda p: list(p.list_folder("f1")), "GET", "/storage/folders/f1/list", {"items": []}
    ),
    "create folder": Operation(
        lambda p: p.create_folder("f1", "a"),
        "POST",
        "/storage/folders/f1/folders",
        FOLDER,
        201,
        repeated=False,
    ),
    "create file": Operation(
        lambda p: p.create_file("f1", "a.dgn"),
        "POST",
        "/storage/folders/f1/files",
        {"_links": LINKS},
        202,
        repeated=False,
    ),
    "update content": Operation(
        lambda p: p.update_content("s1"),
        "POST",
        "/storage/files/s1/updatecontent",
        {"_links": LINKS},
        202,
    ),
    "complete": Operation(
        lambda p: p.complete(Upload("s1", BLOB, "/storage/files/s1/complete")),
        "POST",
        "/storage/files/s1/complete",
        FILE,
    ),
    "file": Operation(lambda p: p.file("s1"), "GET", "/storage/files/s1", FILE),
    "folder": Operation(lambda p: p.folder("f1"), "GET", "/storage/folders/f1", FOLDER),
    "rename": Operation(lambda p: p.rename_file("s1", "b.dgn"), "PATCH", "/storage/files/s1", FILE),
    "move": Operation(lambda p: p.move_file("s1", "f2"), "POST", "/storage/files/s1/move", FILE),
    "delete": Operation(
        lambda p: p.delete_file("s1"),
        "DELETE",
        "/storage/files/s1",
        None,
        204,
        gone_is_fine=True,
    ),
    "restore": Operation(
        lambda p: p.restore_file("s1"),
        "POST",
        "/storage/recyclebin/files/s1/restore",
        None,
        204,
        repeated=False,
    ),
    "connections": Operation(
        lambda p: list(p.connections("m1")), "GET", MANIFESTS, {"connections": []}
    ),
    "connection": Operation(lambda p: p.connection("c1"), "GET", f"{MANIFESTS}/c1", CONNECTION),
    "create connection": Operation(create, "POST", MANIFESTS, CONNECTION, 201, repeated=False),
    "add source file": Operation(
        lambda p: p.add_source_file("c1", "s1", "MSTN"),
        "POST",
        f"{MANIFESTS}/c1/sourcefiles",
        {"sourceFile": {"id": "sf1"}},
        201,
        repeated=False,
    ),
    "update source file": Operation(
        lambda p: p.update_source_file("c1", SF, "CIVIL"),
        "PUT",
        f"{MANIFESTS}/c1/sourcefiles/sf1",
        {"sourceFile": {"id": "sf1"}},
    ),
    "remove source file": Operation(
        lambda p: p.remove_source_file("c1", "sf1"),
        "DELETE",
        f"{MANIFESTS}/c1/sourcefiles/sf1",
        None,
        204,
        gone_is_fine=True,
    ),
    "authorization": Operation(
        lambda p: p.authorization("https://h/back"),
        "GET",
        "/synchronization/imodels/connections/authorizationinformation",
        AGREED,
    ),
    "run": Operation(
        lambda p: p.run(RunAddress("manifestconnections", "c1", "r1")),
        "GET",
        f"{MANIFESTS}/c1/runs/r1",
        {"run": {"id": "r1"}},
    ),
    "runs": Operation(lambda p: list(p.runs("c1")), "GET", f"{MANIFESTS}/c1/runs", {"runs": []}),
    "itwin": Operation(lambda p: p.itwin("i1"), "GET", "/itwins/i1", {"iTwin": {"id": "i1"}}),
    "imodel": Operation(lambda p: p.imodel("m1"), "GET", "/imodels/m1", {"iModel": {"id": "m1"}}),
    "changesets": Operation(
        lambda p: p.newest_changesets("m1", 3), "GET", "/imodels/m1/changesets", {"changesets": []}
    ),
    "start": Operation(
        lambda p: p.start_run("c1"), "POST", f"{MANIFESTS}/c1/run", None, 202, repeated=False
    ),
    "start manifest": Operation(
        lambda p: p.start_manifest_run("c1", [ManifestFile("1", "a.dgn", "MSTN", "https://h/a")]),
        "POST",
        f"{MANIFESTS}/c1/runs",
        None,
        202,
        repeated=False,
    ),
}
READ = [name for name, each in OPERATIONS.items() if each.body and "sourceFile" not in each.body]
"""Operations whose answer is read."""

PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Proxy</body></html>"


class Answer(NamedTuple):
    """An answer that means the same whatever was asked for. `again`: it is worth a repetition."""

    response: Callable[[], httpx.Response]
    fault: Fault
    again: bool
    words: str = ""


ANSWERS = {
    "a page of a proxy, 200": Answer(
        lambda: httpx.Response(200, content=PAGE), Fault.TRANSIENT, False, "web page"
    ),
    "a page of a proxy, 403": Answer(
        lambda: httpx.Response(403, content=PAGE), Fault.TRANSIENT, True, "Sign in"
    ),
    "a page of a proxy, 404": Answer(
        lambda: httpx.Response(404, content=PAGE), Fault.TRANSIENT, True, "Sign in"
    ),
    "a page of a proxy, 409": Answer(
        lambda: httpx.Response(409, content=PAGE), Fault.TRANSIENT, True, "Sign in"
    ),
    "a redirect to a sign-in": Answer(
        lambda: httpx.Response(302, headers={"location": "http://captive.example/in"}),
        Fault.TRANSIENT,
        True,
        "captive.example",
    ),
    "see other, a sign-in": Answer(
        lambda: httpx.Response(303, headers={"location": "http://captive.example/in"}),
        Fault.TRANSIENT,
        True,
        "captive.example",
    ),
    "moved for good": Answer(
        lambda: httpx.Response(308, headers={"location": "https://new.example/x"}),
        Fault.TRANSIENT,
        True,
        "new.example",
    ),
    "bad request": Answer(lambda: httpx.Response(400), Fault.REFUSED, False, "400"),
    "no credentials": Answer(
        lambda: httpx.Response(401, json=refusal("HeaderNotFound")), Fault.UNAUTHORISED, False
    ),
    "no credentials, old gateway": Answer(
        lambda: httpx.Response(401, json={"statusCode": 401, "message": "Access denied"}),
        Fault.UNAUTHORISED,
        False,
        "Access denied",
    ),
    "no role": Answer(
        lambda: httpx.Response(403, json=refusal("InsufficientPermissions")),
        Fault.REFUSED,
        False,
        "role",
    ),
    "gone": Answer(
        lambda: httpx.Response(410, json=refusal("Gone")), Fault.GONE, False, "not exist"
    ),
    "no such thing": Answer(
        lambda: httpx.Response(404, json=refusal("SomethingNotFound")), Fault.GONE, False
    ),
    "no such thing, no body": Answer(lambda: httpx.Response(404), Fault.GONE, False),
    "a proxy that wants a sign-in": Answer(
        lambda: httpx.Response(407), Fault.TRANSIENT, True, "HTTPS_PROXY"
    ),
    "too slow": Answer(lambda: httpx.Response(408), Fault.TRANSIENT, True, "408"),
    "too large": Answer(lambda: httpx.Response(413), Fault.REFUSED, False, "413"),
    "invalid": Answer(
        lambda: httpx.Response(422, json=refusal("InvalidThingRequest", "Bad value.")),
        Fault.REFUSED,
        False,
        "Bad value.",
    ),
    "throttled": Answer(
        lambda: httpx.Response(429, json=refusal("RateLimitExceeded")), Fault.THROTTLED, True, "429"
    ),
    "throttled, old gateway": Answer(
        lambda: httpx.Response(429, json={"code": "TooManyRequests", "message": "Slow."}),
        Fault.THROTTLED,
        True,
        "Slow.",
    ),
    "a fault of theirs": Answer(lambda: httpx.Response(500), Fault.TRANSIENT, True, "500"),
    "a gateway": Answer(
        lambda: httpx.Response(502, content=PAGE), Fault.TRANSIENT, True, "gateway"
    ),
    "closed": Answer(lambda: httpx.Response(503), Fault.TRANSIENT, True, "503"),
    "a gateway in vain": Answer(lambda: httpx.Response(504), Fault.TRANSIENT, True, "504"),
    "no space": Answer(lambda: httpx.Response(507), Fault.QUOTA, False, "quota"),
    "no space, by its words": Answer(
        lambda: httpx.Response(403, json=refusal("Forbidden", "Storage quota exceeded.")),
        Fault.QUOTA,
        False,
        "quota",
    ),
    "a status of tomorrow": Answer(lambda: httpx.Response(599), Fault.TRANSIENT, True, "599"),
}


def platform_on(wire: Wire) -> ManifestPlatform:
    """Return the platform with manifest connections on this wire."""
    return ManifestPlatform(wire.client(), api_url=API, sleep=wire.naps.append, gate=wire.gate())


def answered(operation: Operation, response: httpx.Response) -> Wire:
    """Return a wire that gives this answer to every request of the operation."""
    wire = Wire()
    for _ in range(TRIES_MAX):
        wire.hears(operation.method, operation.path)
        wire.scenes[-1].answer = response
    return wire


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_means_the_same_for_every_operation(name: str, answer: str) -> None:
    """What is repeated, what waits, what halts and what blames a file hangs on this alone."""
    operation, expected = OPERATIONS[name], ANSWERS[answer]
    response = expected.response()
    wire = answered(operation, response)

    if response.status_code == 200 and name not in (*READ, "start", "start manifest"):
        operation.call(platform_on(wire))  # nothing of the answer is of interest
        return
    if operation.gone_is_fine and expected.fault is Fault.GONE:
        operation.call(platform_on(wire))
        return
    error = caught(lambda: operation.call(platform_on(wire)))

    assert (error.failure.fault, expected.words in error.failure.message) == (
        expected.fault,
        True,
    ), error
    tries = TRIES_MAX if expected.again and operation.repeated else 1
    assert len(wire.requests) == tries


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize(
    "body", [b"", b'{"', b"null", b"[]", b'"x"', b"\xff\xfe", b"{}", b'{"file": 7, "items": {}}']
)
def test_an_answer_cut_short_leaves_the_effect_open(name: str, body: bytes) -> None:
    """A success that cannot be read is no success and no refusal: the machine looks again."""
    operation = OPERATIONS[name]
    wire = answered(operation, httpx.Response(operation.status, content=body))

    def call() -> object:
        return operation.call(platform_on(wire))

    if isinstance(operation.body, dict) and [] in operation.body.values() and _is_mapping(body):
        assert list(call()) == []  # type: ignore[call-overload]  # lists without their member
        return
    assert caught(call).failure.fault is Fault.TRANSIENT


def _is_mapping(body: bytes) -> bool:
    return body in {b"null", b"[]", b'"x"'} or body.startswith(b"{}") or b"items" in body


@pytest.mark.parametrize("name", [name for name, each in OPERATIONS.items() if each.repeated])
@pytest.mark.parametrize(
    ("headers", "naps"),
    [
        ({"Retry-After": "7"}, [7.0, 7.0]),
        ({"Retry-After": "0.5"}, [0.5, 0.5]),
        (
            {
                "Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT",
                "Date": "Fri, 31 Dec 1999 23:59:57 GMT",
            },
            [2.0, 2.0],
        ),
        ({"Retry-After": "3600"}, []),
    ],
    ids=["seconds", "fraction", "date", "an hour"],
)
def test_each_operation_waits_as_long_as_the_service_asks(
    name: str, headers: dict[str, str], naps: list[float]
) -> None:
    """A short wait is kept here, a long one is the machine's, which survives a restart."""
    wire = answered(OPERATIONS[name], httpx.Response(429, headers=headers))

    failure = caught(lambda: OPERATIONS[name].call(platform_on(wire))).failure

    assert failure.fault is Fault.THROTTLED
    assert wire.naps == naps


@pytest.mark.parametrize("value", ["", "soon", "-5", "9" * 400, "٣", "1e9", "nan", "inf"])
def test_a_wait_that_makes_no_sense_is_none(value: str) -> None:
    """A header is a stranger's text, and an endless wait is an outage of our own making."""
    headers = {"Retry-After": value.encode()}
    wire = Wire().hears("POST", f"{MANIFESTS}/c1/run")
    wire.scenes[-1].answer = httpx.Response(429, headers=headers)

    assert caught(lambda: platform_on(wire).start_run("c1")).failure.retry_after_s == 0.0


# ---- what an answer means for one operation -----------------------------------------------------


@pytest.mark.parametrize("path", ["run", "runs"])
@pytest.mark.parametrize(
    ("location", "body"),
    [
        (f"{API}{CONNECTIONS}/c9/runs/{RUN}", b""),
        (f"{CONNECTIONS}/c9/runs/{RUN}", b""),
        (f"https://old.example/some/shape/{RUN}", b""),
        (f"{API}{CONNECTIONS}/c9/runs/{RUN}", b"<html><title>Object moved</title></html>"),
    ],
)
def test_a_303_that_names_a_run_is_an_active_run(path: str, location: str, body: bytes) -> None:
    """Absolute, relative or of an older shape; some frameworks add a page that nobody reads."""
    wire = Wire().hears("POST", f"{MANIFESTS}/c1/{path}", 303, content=body)
    assert isinstance(wire.scenes[-1].answer, httpx.Response)
    wire.scenes[-1].answer.headers["location"] = location

    platform = platform_on(wire)
    answer = platform.start_run("c1") if path == "run" else platform.start_manifest_run("c1", [])

    assert (answer.start, answer.location) == (Start.ACTIVE, location)


@pytest.mark.parametrize(
    ("status", "fault"),
    [(403, Fault.UNAUTHORISED), (413, Fault.REFUSED), (422, Fault.REFUSED), (507, Fault.QUOTA)],
)
def test_a_refused_store_halts_or_sets_aside_as_documented(status: int, fault: Fault) -> None:
    """Without a role nothing goes; a bad name is one file's trouble; no space is everybody's."""
    scene = Scene()
    scene.knows_the_folder()
    scene.wire.hears("POST", "/storage/folders/f2/files", status, json=refusal("Invalid"))

    assert caught(scene.store).failure.fault is fault


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (PAGE, Fault.TRANSIENT),
        (b'{"error":{"code":"StorageQuotaExceeded"}}', Fault.QUOTA),
    ],
)
def test_a_403_that_is_no_missing_role_does_not_halt_as_one(body: bytes, fault: Fault) -> None:
    """A filter's page passes by itself, and a full account needs room, not a role."""
    scene = Scene()
    scene.knows_the_folder()
    scene.wire.hears("POST", "/storage/folders/f2/files", 403, content=body)

    assert caught(scene.store).failure.fault is fault


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_a_page_of_the_network_sets_no_source_file_aside(status: int) -> None:
    """Its status is not the service's, so it is no refusal of the file."""
    scene = Scene()
    scene.shows({"id": "c1", "iModelId": "m1", "_links": {"lastRun": None}})
    scene.holds("c1")
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/sourcefiles", status, content=PAGE)

    assert caught(lambda: scene.prepare("s1")).failure.fault is Fault.TRANSIENT


def test_a_used_up_quota_sets_no_source_file_aside() -> None:
    """Every further file would be refused in the same words."""
    scene = Scene()
    scene.shows({"id": "c1", "iModelId": "m1", "_links": {"lastRun": None}})
    scene.holds("c1")
    body = refusal("InvalidRequest", "The quota is exceeded.")
    scene.wire.hears("POST", f"{CONNECTIONS}/c1/sourcefiles", 422, json=body)

    assert caught(lambda: scene.prepare("s1")).failure.fault is Fault.QUOTA


@pytest.mark.parametrize(
    "date",
    ["0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", None, 5, "soon"],
)
@pytest.mark.parametrize("state", ["Dreaming", "", None, 7])
def test_dates_that_are_none_and_states_of_tomorrow_are_survived(
    date: object, state: object
) -> None:
    """One such answer must not end the watching of a run."""
    run = {"id": "r1", "startDateTime": date, "state": state, "result": state, "jobs": None}
    wire = Wire().hears("GET", f"{MANIFESTS}/c1/runs/r1", json={"run": run})

    found = platform_on(wire).run(RunAddress("manifestconnections", "c1", "r1"))

    assert (found.started_s, found.tasks) == (0.0, ())
