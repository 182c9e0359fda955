"""One connection per request, the last one first; none stays open for longer than it is of use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

import httpcore
import httpx
import pytest

from twinsyncd.cloud.answer_head import HEAD_S, HeadTransport
from twinsyncd.cloud.connection_stack import ConnectionStack

URL = "http://host.example/blob"


class Body(httpx.SyncByteStream):
    """A short body."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"answer"


class Office:
    """A stack with the transports it opened, and the time [s]."""

    def __init__(self, most: int = 8, *, downloads: bool = False) -> None:
        self.opened: list[Line] = []
        self.now_s = 0.0
        self.body: httpx.SyncByteStream = Body()
        self.stack = ConnectionStack(
            self._open,
            most=most,
            idle_s=4.0,
            answer_s=300.0,
            downloads=downloads,
            clock=lambda: self.now_s,
        )

    def _open(self) -> httpx.BaseTransport:
        self.opened.append(Line(self.body))
        return self.opened[-1]

    def ask(self, method: str = "GET", **timeout: float) -> httpx.Response:
        """Send a request whose answer is still to be read."""
        request = httpx.Request(method, URL, extensions={"timeout": timeout})
        return self.stack.handle_request(request)

    def used(self) -> list[int]:
        """Return how many requests each connection has served."""
        return [line.requests for line in self.opened]


class Line(httpx.BaseTransport):
    """A connection that answers everything."""

    def __init__(self, body: httpx.SyncByteStream) -> None:
        self.body = body
        self.requests = 0
        self.is_closed = self.is_broken = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.is_broken:
            raise httpx.ReadError("the other side hung up")
        return httpx.Response(200, stream=self.body)

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_connection_is_free_once_its_answer_was_closed(office: Office) -> None:
    """Two requests on one connection would mix up their answers."""
    first, second = office.ask(), office.ask()
    first.close()
    third = office.ask()
    assert office.used() == [2, 1]
    for answer in (second, third):
        assert answer.read() == b"answer"


def test_the_connection_that_became_free_last_goes_first(office: Office) -> None:
    """The others can grow old and be closed, so that a quiet program holds few."""
    answers = [office.ask() for _ in range(3)]
    for answer in answers:
        answer.close()
    for _ in range(4):
        office.ask().close()
    assert office.used() == [1, 1, 5]


def test_connections_that_were_idle_too_long_are_closed_by_the_next_request(
    office: Office,
) -> None:
    """A server hangs up on them soon, and a burst of files must not leave dozens behind."""
    answers = [office.ask() for _ in range(3)]
    for answer in answers:
        answer.close()
    office.now_s = 3.0
    office.ask().close()
    office.now_s = 5.0
    office.ask().close()
    assert [line.is_closed for line in office.opened] == [True, True, False]
    assert office.used() == [1, 1, 3]


def test_no_more_connections_than_allowed_are_in_use() -> None:
    """A host refuses whoever opens too many; the patience is that of httpx's own pool."""
    office = Office(most=1)
    answer = office.ask()
    with pytest.raises(httpx.PoolTimeout):
        office.ask(pool=0.01)
    answer.close()
    answer.close()
    office.ask(pool=0.01).close()
    with pytest.raises(httpx.PoolTimeout):
        [office.ask(pool=0.01) for _ in range(2)]


def test_a_request_that_failed_leaves_its_place_to_others() -> None:
    """A line that broke a few times would otherwise end all uploads."""
    office = Office(most=1)
    office.ask().close()
    office.opened[0].is_broken = True
    for _ in range(3):
        with pytest.raises(httpx.ReadError):
            office.ask(pool=0.01)
    office.opened[0].is_broken = False
    office.ask(pool=0.01).close()
    assert office.used() == [5]


def test_connections_close_with_the_stack_or_with_their_answer(office: Office) -> None:
    """Whoever still reads an answer can read it to its end."""
    free, busy = office.ask(), office.ask()
    free.close()
    office.stack.close()
    assert [line.is_closed for line in office.opened] == [True, False]
    assert busy.read() == b"answer"
    assert [line.is_closed for line in office.opened] == [True, True]


class Dripping(httpx.SyncByteStream):
    """A body without an end, of which a drop comes every 29 s."""

    def __init__(self, office: Office) -> None:
        self.office = office

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.office.now_s += 29.0
            yield b" "


def test_an_answer_that_comes_drop_by_drop_is_given_up() -> None:
    """Each drop was in time, so such a server kept a thread and a place for hours (P14)."""
    office = Office()
    office.body = Dripping(office)

    response = office.ask()
    with pytest.raises(httpx.ReadTimeout, match="not complete after 300 s"):
        response.read()

    assert office.now_s == 11 * 29.0


def test_what_a_file_host_answers_to_an_upload_comes_in_time() -> None:
    """A large file may take hours to be got; the answer to a block is a few bytes (P14)."""
    office = Office(downloads=True)
    office.body = Dripping(office)

    with pytest.raises(httpx.ReadTimeout, match="not complete after 300 s"):
        office.ask("PUT").read()

    got = office.ask().iter_raw()
    assert len([next(got) for _ in range(1000)]) == 1000


def dripping(clock: Callable[[], float], *drops: bytes) -> httpx.Client:
    """Return a client of a server that sends these pieces, one at each read."""
    inner = httpx.HTTPTransport()
    inner._pool._network_backend = httpcore.MockBackend([*drops])
    return httpx.Client(transport=HeadTransport(inner, clock=clock), base_url="http://drip")


def ticking(step_s: float) -> Callable[[], float]:
    """Return a clock that goes on by itself each time it is read."""
    return partial(next, count(0.0, step_s))


DROPS = [bytes([each]) for each in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"]


def test_a_head_that_comes_drop_by_drop_is_given_up() -> None:
    """Each drop meets the time-out of a read; the call was held for a quarter of an hour."""
    with (
        dripping(ticking(HEAD_S / 4), *DROPS, b"ok") as client,
        pytest.raises(httpx.ReadTimeout, match="no whole answer began within 150 s"),
    ):
        client.get("/")


def test_a_head_in_time_is_no_matter_of_its_body() -> None:
    """A large answer takes as long as its own limit says."""
    with dripping(ticking(HEAD_S / 50), *DROPS, b"o", b"k") as client:
        assert client.get("/").text == "ok"
