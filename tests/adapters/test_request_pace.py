"""The rate limit of a host is kept before it has to refuse: how it is read, and how it is paced."""

from __future__ import annotations

import contextlib
import heapq
import math
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest
from cloud_script import API, caught
from hypothesis import given, settings
from hypothesis import strategies as st

from twinsyncd.cloud.calls import ApiCalls
from twinsyncd.cloud.rate_headers import Budget, read_budget
from twinsyncd.cloud.request_limit import PATIENCE_S, RequestGate
from twinsyncd.cloud.request_pace import RequestPace
from twinsyncd.cloud.turns import Turns, asking_for
from twinsyncd.core.model import Fault
from twinsyncd.errors import CloudError

WALL_S = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (
            {"ratelimit": '"default";r=50;t=30', "ratelimit-policy": '"default";q=100;w=60'},
            Budget(50, 30, 100),
        ),
        (
            {
                "ratelimit": '"hour";r=900;t=3000, "minute";r=3;t=20',
                "ratelimit-policy": '"hour";q=5000;w=3600,"minute";q=500;w=60',
            },
            Budget(3, 20, 500),
        ),
        (
            {"ratelimit": '"a";r=7', "ratelimit-policy": '"a";q=10;w=60;qu="requests"'},
            Budget(7, 60, 10),
        ),
        ({"ratelimit": "limit=100, remaining=50, reset=30"}, Budget(50, 30, 100)),
        (
            {
                "ratelimit-limit": "100, 100;w=60",
                "ratelimit-remaining": "9",
                "ratelimit-reset": "5",
            },
            Budget(9, 5, 100),
        ),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}, Budget(0, 12, 0)),
        (
            {
                "x-ratelimit-limit": "60",
                "x-ratelimit-remaining": "59",
                "x-ratelimit-reset": f"{WALL_S + 40:.0f}",
            },
            Budget(59, 40, 60),
        ),
        (
            {"x-rate-limit-remaining": "1", "x-rate-limit-reset": f"{(WALL_S + 40) * 1000:.0f}"},
            Budget(1, 40, 0),
        ),
        ({"x-ratelimit-remaining": "5", "x-ratelimit-reset": f"{WALL_S - 40:.0f}"}, Budget(5, 0)),
        ({}, None),
        ({"ratelimit": "soon"}, None),
        ({"ratelimit-remaining": "many", "ratelimit-reset": "5"}, None),
        ({"x-ratelimit-remaining": "5"}, None),
        ({"x-ratelimit-remaining": "-1", "x-ratelimit-reset": "5"}, None),
        ({"ratelimit": '"default";r=9' + "9" * 400 + ";t=1"}, None),
    ],
)
def test_a_budget_is_read_in_each_way_of_telling_it(
    headers: dict[str, str], expected: Budget | None
) -> None:
    """Gateways differ, and what cannot be read must not stop anything."""
    assert read_budget(headers, WALL_S) == expected


@given(
    st.dictionaries(
        st.sampled_from(["ratelimit", "ratelimit-policy", "x-ratelimit-reset"]),
        st.text(max_size=60),
    )
)
def test_no_text_breaks_the_reading(headers: dict[str, str]) -> None:
    """Headers come from whatever lies between."""
    found = read_budget(headers, WALL_S)

    assert found is None or found.left >= 0


@dataclass
class Host:
    """A host with a fixed window: so many requests in so many seconds, then 429."""

    limit: int
    window_s: float
    served: Counter[int] = field(default_factory=Counter)

    def answer(self, now_s: float) -> tuple[bool, Budget]:
        """Return whether a request that arrives now is served, and what the answer tells."""
        window = int(now_s // self.window_s)
        is_served = self.served[window] < self.limit
        self.served[window] += is_served
        resets_in_s = (window + 1) * self.window_s - now_s
        return is_served, Budget(self.limit - self.served[window], resets_in_s, self.limit)


def lived(
    host: Host, ours: int, for_s: float, latency_s: float, others_s: float = 0.0
) -> tuple[int, int]:
    """Let so many threads of ours ask all the time; return how many were served and refused.

    The first answer is awaited, as then a budget is known. Somebody else's request uses up the
    same budget every `others_s`; 0: nobody's does.
    """
    pace, now_s, served, refused = RequestPace(), 0.0, 0, 0
    _, told = host.answer(now_s)
    pace.began(now_s)
    pace.ended(now_s, told)
    answers: list[tuple[float, int, Budget | None]] = []  # when it is back; None: not sent yet
    for number in range(ours):
        heapq.heappush(answers, (0.0, number, None))
    other_s = others_s or float("inf")
    while answers and answers[0][0] < for_s:
        now_s, number, budget = heapq.heappop(answers)
        while other_s <= now_s:
            host.answer(other_s)
            other_s += others_s
        if budget is not None:
            pace.ended(now_s, budget)
        ready_s = pace.ready_s(now_s)
        if ready_s > now_s:
            heapq.heappush(answers, (ready_s + 1e-6, number, None))
            continue
        pace.began(now_s)
        is_served, told = host.answer(now_s)
        served, refused = served + is_served, refused + (not is_served)
        back = Budget(told.left, max(told.resets_in_s - latency_s, 0.0), told.limit)
        heapq.heappush(answers, (now_s + latency_s, number, back))
    return served, refused


def lived_unpaced(host: Host, ours: int, for_s: float, latency_s: float) -> tuple[int, int]:
    """Let so many threads ask a host that reports its limit only as it refuses, by Retry-After."""
    pace, served, refused = RequestPace(), 0, 0
    asking = [(0.0, number, -1.0) for number in range(ours)]  # when, who, how long it is closed
    while asking[0][0] < for_s:
        now_s, number, closed_s = heapq.heappop(asking)
        if closed_s >= 0.0:
            pace.ended(now_s, None, closed_s=closed_s)
        ready_s = pace.ready_s(now_s)
        if ready_s > now_s:
            heapq.heappush(asking, (ready_s, number, -1.0))
            continue
        pace.began(now_s)
        is_served, told = host.answer(now_s)
        served, refused = served + is_served, refused + (not is_served)
        back_s = now_s + latency_s
        closed_s = 0.0 if is_served else math.ceil(told.resets_in_s)  # whole seconds
        heapq.heappush(asking, (back_s, number, closed_s))
    return served, refused


@settings(max_examples=40, deadline=None)
@given(limit=st.integers(2, 400), ours=st.integers(1, 24), latency_s=st.floats(0.01, 0.1))
def test_a_limit_that_only_refuses_is_used_up_and_met_once_a_window(
    limit: int, ours: int, latency_s: float
) -> None:
    """One burst is refused; then nobody asks before the host has requests left again."""
    windows, window_s = 5, 60.0

    served, refused = lived_unpaced(
        Host(limit, window_s), ours, windows * window_s - 1.0, latency_s
    )

    assert served >= 0.8 * min(limit, ours * 500) * windows
    assert refused <= ours * windows


@settings(max_examples=60, deadline=None)
@given(
    limit=st.integers(2, 400),
    window_s=st.sampled_from([1.0, 10.0, 60.0]),
    ours=st.integers(1, 24),
    latency_s=st.floats(0.01, 0.5),
)
def test_a_budget_that_is_known_is_never_overdrawn(
    limit: int, window_s: float, ours: int, latency_s: float
) -> None:
    """Each refusal costs a wait, and gateways close longer for those who do not listen.

    Only as a window begins nothing is known: those under way then may be more than it allows.
    """
    host, for_s = Host(limit, window_s), 5 * window_s

    _, refused = lived(host, ours, for_s, latency_s)

    assert refused <= (0 if limit > 2 * ours else 6 * ours)


@settings(max_examples=40, deadline=None)
@given(limit=st.integers(50, 400), ours=st.integers(2, 24))
def test_the_pace_wastes_little_of_the_budget(limit: int, ours: int) -> None:
    """Half a speed would be a refusal by ourselves."""
    host, windows, window_s = Host(limit, 60.0), 5, 60.0

    served, _ = lived(host, ours, windows * window_s, 0.05)

    assert served >= 0.8 * limit * windows


def test_others_who_use_the_same_budget_are_noticed() -> None:
    """Two daemons, or the portal, share what the account may ask."""
    host = Host(100, 60.0)

    served, refused = lived(host, 8, 300.0, 0.05, others_s=1.0)

    assert refused <= 10  # of five windows with five hundred requests
    assert served >= 100


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=80))
def test_nobody_waits_longer_than_one_turn_of_each_other(story: list[tuple[str, bool]]) -> None:
    """A connection with thousands of uploads must not silence one with a look at its run."""
    turns, tickets = Turns(), dict[object, str]()
    behind: dict[str, Counter[str]] = {}  # who waits, and how often others were served meanwhile
    for name, joins in story:
        if joins:
            tickets[turns.join(name)] = name
            behind.setdefault(name, Counter())
            continue
        first = turns.first()
        assert (first is None) == (not tickets)
        if first is None:
            continue
        served = tickets.pop(first)
        turns.leave(served, first)
        behind.pop(served)
        if served in tickets.values():
            behind[served] = Counter()
        for name_behind, counted in behind.items():
            counted[served] += name_behind != served

    assert all(count <= 1 for counted in behind.values() for count in counted.values())


def test_who_gives_up_waiting_holds_up_nobody() -> None:
    """A call that is not sent leaves the queue."""
    turns = Turns()
    first, second, other = turns.join("a"), turns.join("a"), turns.join("b")

    turns.leave("a", second)
    turns.leave("a", first)

    assert turns.first() is other


class Line:
    """A host behind a gate, with a clock that moves on only while somebody waits."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.now_s = 0.0
        self.asked_s: list[float] = []
        self._answers = list(answers)
        self.gate = RequestGate(8, clock=lambda: self.now_s, sleep=self._wait)
        http = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.calls = ApiCalls(http, API, self._wait, gate=self.gate)

    def ask(self) -> None:
        """Ask once."""
        self.calls.once("look", "GET", "/one")

    def _wait(self, wait_s: float) -> None:
        self.now_s += wait_s

    def _answer(self, _request: httpx.Request) -> httpx.Response:
        self.asked_s.append(self.now_s)
        return self._answers.pop(0)


def told(left: int, reset_s: int) -> httpx.Response:
    """Return an answer that tells a budget."""
    headers = {"RateLimit": f'"default";r={left};t={reset_s}'}
    policy = {"RateLimit-Policy": '"default";q=10;w=60'}
    return httpx.Response(200, json={}, headers=headers | policy)


def test_a_spent_budget_is_waited_for() -> None:
    """The next request would be refused."""
    line = Line(told(0, 3), told(9, 60))

    line.ask()
    slowed = line.gate.slowed()
    line.ask()

    assert line.asked_s == [0.0, 3.0]
    assert (slowed, line.gate.slowed()) == (Budget(0, 3.0, 10), None)


def test_a_long_wait_is_the_machines_and_nothing_is_sent() -> None:
    """It must survive a restart, be seen, and hold up no thread."""
    line = Line(told(0, 40))
    line.ask()

    failure = caught(line.ask).failure

    assert PATIENCE_S < 40
    assert (failure.fault, failure.retry_after_s, line.asked_s) == (Fault.THROTTLED, 40.0, [0.0])
    assert "takes no further request for 40 s" in failure.message


def test_all_calls_wait_when_one_was_told_to() -> None:
    """Each of twenty threads would have to be refused by itself, otherwise."""
    line = Line(httpx.Response(429, headers={"Retry-After": "4"}), told(9, 60))
    caught(line.ask)

    with asking_for("another"):
        line.ask()

    assert line.asked_s == [0.0, 4.0]


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}], ids=["no time", "zero"])
def test_refusals_that_name_no_time_wait_longer_each_time(headers: dict[str, str]) -> None:
    """Many files take turns, each with its own retries: the host was asked twice a second."""
    line = Line(*[httpx.Response(429, headers=headers) for _ in range(5)])

    for _ in range(5):
        caught(line.ask)
    failure = caught(line.ask).failure

    assert line.asked_s == [0.0, 0.5, 1.5, 3.5, 7.5]
    assert (failure.fault, failure.retry_after_s) == (Fault.THROTTLED, 8.0)


def test_a_refusal_after_a_served_request_is_the_first_again() -> None:
    """What was refused in the morning slows nothing at night."""
    refused, served = httpx.Response(429), httpx.Response(200, json={})
    line = Line(refused, refused, served, refused, served)

    for is_refused in (True, True, False, True, False):
        with contextlib.suppress(CloudError) if is_refused else contextlib.nullcontext():
            line.ask()

    assert line.asked_s == [0.0, 0.5, 1.5, 1.5, 2.0]


def test_refusals_of_what_was_under_way_together_are_one() -> None:
    """Twenty files at a time would close the host for minutes at once."""
    pace = RequestPace()

    for now_s in (1.0, 1.1, 1.2):
        pace.refused(0.9, now_s)
    waits_until_s = pace.ready_s(1.2)
    for _ in range(20):
        begun_s = pace.ready_s(1.2)
        pace.refused(begun_s, begun_s)

    assert (waits_until_s, pace.ready_s(1.2) - begun_s) == (1.5, 30.0)


def test_without_a_word_from_the_host_nothing_waits() -> None:
    """Most hosts say nothing, and cost nothing then."""
    line = Line(*[httpx.Response(200, json={}) for _ in range(50)])

    for _ in range(50):
        line.ask()

    assert (line.now_s, line.gate.slowed()) == (0.0, None)


@pytest.mark.parametrize(
    "answer",
    [
        told(0, 10**9),
        httpx.Response(429, headers={"Retry-After": "999999999"}),
        httpx.Response(
            200, json={}, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "86400"}
        ),
    ],
)
def test_a_header_that_is_wrong_stops_nobody_for_longer_than_an_hour(
    answer: httpx.Response,
) -> None:
    """A daemon that nobody looks at would be silent for years."""
    line = Line(answer, told(9, 60))
    with contextlib.suppress(CloudError):
        line.ask()
    waits_s = caught(line.ask).failure.retry_after_s

    line.now_s += waits_s
    line.ask()

    assert 60.0 < waits_s <= 3600.0
    assert line.asked_s == [0.0, waits_s]
