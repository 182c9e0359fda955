# mypy: disable-error-code="arg-type,list-item"
# Keys, ids and digests are written as plain text here.
"""The platform's operations over a scripted wire: what is repeated, paged, followed, refused."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import httpx
import pytest
from cloud_script import API, Wire, caught

from twinsyncd.cloud.client import Platform
from twinsyncd.cloud.links import RunAddress, same_party
from twinsyncd.cloud.retries import retrying
from twinsyncd.cloud.values import Start, StartAnswer, Upload
from twinsyncd.core.model import Failure, Fault
from twinsyncd.errors import CloudError

CONNECTIONS = "/synchronization/imodels/storageconnections"
RUN = f"{CONNECTIONS}/c/runs/r"
CLASHED = "no run was started: the service answered HTTP 409"


def page(key: str, ids: list[str], *, following: bool = False) -> dict[str, object]:
    """A page of a collection, with or without a link to a next one."""
    links = {"next": {"href": f"{API}/next"}} if following else {"next": None}
    return {key: [{"id": each} for each in ids], "_links": links}


def test_a_reading_call_is_repeated_through_a_short_outage() -> None:
    """A single lost packet must not delay a delivery by a whole back-off of the machine."""
    wire = Wire().hears("GET", "/itwins/i1", 503)
    wire.breaks("GET", "/itwins/i1", httpx.ReadTimeout("slow"))
    wire.hears("GET", "/itwins/i1", json={"iTwin": {"id": "i1", "displayName": "Office"}})

    assert wire.platform().itwin("i1").name == "Office"

    assert len(wire.naps) == 2
    wire.ended()


def test_three_tries_are_all() -> None:
    """More would be the machine's decision, which survives a restart and is visible."""
    wire = Wire()
    for _ in range(3):
        wire.hears("GET", "/itwins/i1", 502, content=b"<html>Bad gateway</html>")

    error = caught(lambda: wire.platform().itwin("i1"))

    assert (error.failure.fault, error.status) == (Fault.TRANSIENT, 502)
    wire.ended()


def test_the_service_says_how_long_to_wait() -> None:
    """Asking sooner than told prolongs the ban for the whole office."""
    wire = Wire().hears("GET", "/itwins/i1", 429, headers={"Retry-After": "9"})
    wire.hears("GET", "/itwins/i1", json={"iTwin": {"id": "i1"}})

    wire.platform().itwin("i1")

    assert wire.naps == [9.0]


def test_a_long_wait_is_handed_to_the_machine_at_once() -> None:
    """A thread that sleeps for minutes is invisible and is lost at a restart."""
    wire = Wire().hears("GET", "/itwins/i1", 429, headers={"Retry-After": "31"})

    failure = caught(lambda: wire.platform().itwin("i1")).failure

    assert (failure.fault, failure.retry_after_s) == (Fault.THROTTLED, 31.0)
    assert wire.naps == []


CREATING: list[tuple[str, Callable[[Platform], object]]] = [
    ("/storage/folders/f/folders", lambda platform: platform.create_folder("f", "n")),
    ("/storage/folders/f/files", lambda platform: platform.create_file("f", "n")),
    (f"{CONNECTIONS}/c/run", lambda platform: platform.start_run("c")),
    (f"{CONNECTIONS}/c/sourcefiles", lambda platform: platform.add_source_file("c", "s", "IFC")),
    (
        CONNECTIONS,
        lambda platform: platform.create_connection(
            name="n", imodel_id="m", authentication="Service", files=[("s", "IFC")]
        ),
    ),
]


@pytest.mark.parametrize(("path", "call"), CREATING)
@pytest.mark.parametrize("trouble", [503, 429, None])
def test_what_creates_or_starts_is_sent_once(
    path: str, call: Callable[[Platform], object], trouble: int | None
) -> None:
    """The service knows no idempotency keys: a repeated POST makes a second thing."""
    wire = Wire()
    if trouble is None:
        wire.breaks("POST", path, httpx.ReadTimeout("lost"))
    else:
        wire.hears("POST", path, trouble)

    failure = caught(lambda: call(wire.platform())).failure

    assert failure.fault is (Fault.THROTTLED if trouble == 429 else Fault.TRANSIENT)
    wire.ended()


def test_every_call_can_be_found_by_the_vendors_support() -> None:
    """Support asks for the correlation id; it must differ per try and be in the failure."""
    wire = Wire().hears("GET", "/itwins/i1", 503).hears("GET", "/itwins/i1", 403)

    failure = caught(lambda: wire.platform().itwin("i1")).failure

    sent = [str(uuid.UUID(request.headers["x-correlation-id"])) for request in wire.requests]
    assert len(set(sent)) == 2
    assert failure.request_id == sent[-1]


def test_the_services_own_request_id_is_preferred() -> None:
    """A gateway may replace our id by its own; then only that one is of use."""
    wire = Wire().hears("GET", "/itwins/i1", 403, headers={"x-correlation-id": "theirs"})

    assert caught(lambda: wire.platform().itwin("i1")).failure.request_id == "theirs"


@pytest.mark.parametrize(
    ("call", "path", "version"),
    [
        (lambda platform: platform.imodel("m"), "/imodels/m", "v2"),
        (lambda platform: platform.itwin("i"), "/itwins/i", "v1"),
    ],
)
def test_each_api_is_asked_for_the_version_it_has(
    call: Callable[[Platform], object], path: str, version: str
) -> None:
    """The gateway answers a wrong version with 404, as if the iModel did not exist."""
    wire = Wire().hears("GET", path, json={"iModel": {"id": "m"}, "iTwin": {"id": "i"}})

    call(wire.platform())

    accept = wire.requests[0].headers["accept"]
    assert accept == f"application/vnd.bentley.itwin-platform.{version}+json"


@pytest.mark.parametrize("has_links", [True, False])
def test_a_full_page_is_followed_by_the_next(has_links: bool) -> None:
    """A connection of more files than fit on a page must be seen whole, whatever the page tells."""
    first = [f"a{number}" for number in range(100)]
    full = page("runs", first, following=True)
    if not has_links:
        del full["_links"]
    wire = Wire().hears("GET", f"{CONNECTIONS}/c/runs?%24top=100&%24skip=0", json=full)
    wire.hears("GET", f"{CONNECTIONS}/c/runs?%24top=100&%24skip=100", json=page("runs", ["b"]))

    assert [run.id for run in wire.platform().runs("c")] == [*first, "b"]

    wire.ended()


def test_a_full_page_whose_links_name_no_next_one_is_the_last() -> None:
    """Each needless call counts in a comparison of many folders."""
    ids = [f"a{number}" for number in range(100)]
    wire = Wire().hears("GET", f"{CONNECTIONS}/c/runs", json=page("runs", ids))

    assert len(list(wire.platform().runs("c"))) == 100

    wire.ended()


def test_a_next_link_on_the_last_page_ends_with_an_empty_one() -> None:
    """Storage was seen to name a next page even for an empty folder."""
    listing = page("items", ["a"], following=True)
    wire = Wire().hears("GET", "/storage/folders/f/list", json=listing)
    wire.hears("GET", "/storage/folders/f/list", json=page("items", [], following=True))

    assert [storage_id.id for storage_id in wire.platform().list_folder("f")] == ["a"]

    wire.ended()


def test_a_server_with_smaller_pages_is_read_to_its_end() -> None:
    """Missing an entry would create a second file of the same name."""
    wire = Wire().hears("GET", "/storage/folders/f/list", json=page("items", ["a"], following=True))
    wire.hears("GET", "/storage/folders/f/list?%24top=1000&%24skip=1", json=page("items", ["b"]))

    assert [storage_id.id for storage_id in wire.platform().list_folder("f")] == [
        "a",
        "b",
    ]

    wire.ended()


def test_a_server_that_repeats_itself_is_not_read_for_ever() -> None:
    """A proxy that drops the query would otherwise keep a thread busy until the restart."""
    ids = [f"r{number}" for number in range(100)]
    wire = Wire()
    for _ in range(2):
        wire.hears("GET", f"{CONNECTIONS}/c/runs", json=page("runs", ids, following=True))

    assert len(list(wire.platform().runs("c"))) == 100

    wire.ended()


@pytest.mark.parametrize(
    ("status", "location", "expected"),
    [
        (202, "/r", StartAnswer(Start.ACCEPTED, "/r")),
        (303, f"{API}{RUN}", StartAnswer(Start.ACTIVE, f"{API}{RUN}")),
        (409, "", StartAnswer(Start.CLASHED, reason=CLASHED)),
    ],
)
def test_the_three_answers_to_a_start_stay_apart(
    status: int, location: str, expected: StartAnswer
) -> None:
    """A followed 303 looks like success and would count somebody else's run as ours."""
    headers = {"Location": location} if location else {}
    wire = Wire().hears("POST", f"{CONNECTIONS}/c/run", status, headers=headers)

    assert wire.platform().start_run("c") == expected

    assert wire.requests[0].headers["content-length"] == "0"
    wire.ended()


@pytest.mark.parametrize("status", [202, 303])
def test_a_start_without_a_location_leaves_the_run_in_doubt(status: int) -> None:
    """A run may have begun; it must be looked for, not asked for again."""
    wire = Wire().hears("POST", f"{CONNECTIONS}/c/run", status)

    assert caught(lambda: wire.platform().start_run("c")).failure.fault is Fault.TRANSIENT


@pytest.mark.parametrize(
    ("link", "called"),
    [
        (f"{API}/storage/files/x/complete", f"{API}/storage/files/x/complete"),
        ("https://eu.example.com/s/files/x/complete", f"{API}/s/files/x/complete"),
        ("/storage/files/x/complete", f"{API}/storage/files/x/complete"),
        ("https://evil.test/storage/files/x/complete", f"{API}/storage/files/x/complete"),
        ("http://eu.example.com/files/x/complete", f"{API}/files/x/complete"),
    ],
)
def test_the_token_follows_links_only_within_the_house(link: str, called: str) -> None:
    """A link of an answer may name another host of the platform, but never a stranger's."""
    wire = Wire().hears("POST", called, json={"file": {"id": "x", "size": 3}})

    done = wire.platform().complete(Upload("x", "https://blob.test/?sig=1", link))

    assert (done.id, done.size_bytes) == ("x", 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "https://h/synchronization/imodels/storageConnections/C_1/runs/r9",
            "/synchronization/imodels/storageconnections/C_1/runs/r9",
        ),
        (
            "/synchronization/imodels/manifestconnections/M/runs/r9?x=1",
            "/synchronization/imodels/manifestconnections/M/runs/r9",
        ),
        (
            "https://h/projects/p/old/r9",
            "/synchronization/imodels/storageconnections/mine/runs/r9",
        ),
    ],
)
def test_a_run_has_one_name_however_it_was_linked(text: str, expected: str) -> None:
    """Runs are compared across a 202, a 303 and a connection's last run."""
    address = RunAddress.read(text, connection_id="mine")

    assert str(address) == expected
    assert RunAddress.read(str(address)) == address


@pytest.mark.parametrize(
    ("url", "known", "expected"),
    [
        ("https://eu-api.bentley.com", "https://api.bentley.com", True),
        ("https://ims.bentley.com", "https://api.bentley.com", True),
        ("http://api.bentley.com", "https://api.bentley.com", False),
        ("https://bentley.com.evil.test", "https://api.bentley.com", False),
        ("https://notbentley.com", "https://api.bentley.com", False),
        ("https://api.bentley.com", "https://api.example.com", False),
        ("https://qa-api.example.com", "https://api.example.com", False),
        ("https://evil.co.uk", "https://api.office.co.uk", False),
        ("https://trusted.office.co.uk", "https://api.office.co.uk", True),
        ("http://trusted.office.co.uk", "https://api.office.co.uk", False),
        ("http://127.0.0.1:80", "http://127.0.0.1:80", True),
        ("http://127.0.0.1:81", "http://127.0.0.1:80", False),
        ("https://10.9.0.1", "http://127.0.0.1:80", False),
        ("https://localhost", "http://localhost", False),
    ],
)
def test_only_the_same_host_the_platform_or_a_named_host_is_trusted(
    url: str, known: str, expected: bool
) -> None:
    """Whoever gets the token or the secret is the office; neighbours below co.uk are not."""
    trusted = ("trusted.office.co.uk",)

    assert same_party(httpx.URL(url), httpx.URL(known), trusted) is expected


def test_an_answer_that_makes_no_sense_is_not_believed() -> None:
    """A hotel's log-in page answers 200 to everything."""
    wire = Wire().hears("GET", "/itwins/i1", content=b"<html>Please pay</html>")

    failure = caught(lambda: wire.platform().itwin("i1")).failure

    assert failure.fault is Fault.TRANSIENT
    assert "web page" in failure.message


def test_a_client_that_follows_redirects_is_not_accepted() -> None:
    """The rule on 303 stands and falls with it."""
    with httpx.Client(follow_redirects=True) as http, pytest.raises(AssertionError):
        Platform(http)


def test_a_refusal_says_whether_an_earlier_try_may_still_take_effect() -> None:
    """Only what was answered each time is known not to change Storage in the midst of a run."""

    def failing(*faults: Fault) -> Failure:
        left = iter(faults)

        def call() -> None:
            raise CloudError("write", Failure(next(left), "no"))

        return caught(lambda: retrying(lambda _s: None)(call)).failure

    assert failing(Fault.TRANSIENT, Fault.QUOTA) == Failure(Fault.QUOTA, "no", unanswered=True)
    assert failing(Fault.THROTTLED, Fault.QUOTA) == Failure(Fault.QUOTA, "no")
    assert failing(Fault.REFUSED) == Failure(Fault.REFUSED, "no")
