"""The platform is asked less while it is under load, and as much as before afterwards."""

from __future__ import annotations

import threading

import httpx
from cloud_script import API, caught

from twinsyncd.cloud.calls import ApiCalls
from twinsyncd.cloud.request_limit import AdaptiveLimit, RequestGate

WAIT_S = 10.0


def test_the_gate_lets_only_so_many_through() -> None:
    """A host that is asked by hundreds of threads at once serves none of them in time."""
    gate, waiting, entered = RequestGate(1), threading.Event(), threading.Event()

    def second() -> None:
        waiting.set()
        with gate.place():
            entered.set()

    with gate.place():
        thread = threading.Thread(target=second, daemon=True)
        thread.start()
        assert waiting.wait(WAIT_S)
        assert not entered.is_set()

    assert entered.wait(WAIT_S)


def test_a_throttled_platform_is_asked_less_until_calls_go_well() -> None:
    """Twenty files at a time are welcome on a quiet night, and too many at nine in the morning."""
    statuses = [429, *[200] * 40]
    gate = RequestGate(8)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(statuses.pop(0), json={})

    http = httpx.Client(transport=httpx.MockTransport(answer))
    calls = ApiCalls(http, API, lambda _: None, gate=gate)
    caught(lambda: calls.once("look", "GET", "/one"))
    under_load = gate.allowed
    while statuses:
        calls.once("look", "GET", "/one")

    assert (under_load, gate.allowed) == (1, 8)


def test_a_call_that_is_not_answered_in_time_counts_as_load() -> None:
    """An overloaded host often says nothing at all."""
    gate = RequestGate(8)

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("no answer", request=request)

    calls = ApiCalls(
        httpx.Client(transport=httpx.MockTransport(silent)), API, lambda _: None, gate=gate
    )

    caught(lambda: calls.once("look", "GET", "/one"))

    assert gate.allowed == 1


def test_one_time_out_of_a_quiet_hour_is_soon_forgotten() -> None:
    """One poll that got lost must not make the next thousand files go one by one."""
    limit = AdaptiveLimit(24)
    limit.was_too_much(begun_s=1.0, now_s=2.0, under_way=1)
    lowest = limit.allowed

    for _ in range(12):
        limit.went_well()

    assert (lowest, limit.allowed) == (1, 12)
