"""A burst of refusals for the request rate is one failure, and its wait is the service's own."""

from __future__ import annotations

import pytest
from core_script import ONE, failure
from hypothesis import given
from hypothesis import strategies as st

from twinsyncd.core.events import EventKind
from twinsyncd.core.lane_state import WAIT_MAX_S, LaneState
from twinsyncd.core.model import Fault, LaneRow, Now
from twinsyncd.core.waits import CAP_S

WALL_S = 1_800_000_000.0


def at(at_s: float) -> Now:
    """Return that moment; both clocks go alike."""
    return Now(at_s, WALL_S + at_s)


def lane() -> LaneState:
    """Return a lane to which nothing has happened; its waits are as long as they may be."""
    return LaneState(LaneRow(ONE.lane), lambda: 0.0)


def refuse(state: LaneState, at_s: float, retry_after_s: float, begun_s: float) -> None:
    """Let a command fail for the request rate."""
    refused = failure(Fault.THROTTLED, retry_after_s=retry_after_s)
    state.failed(refused, at(at_s), begun_s=begun_s)


@given(
    retries_s=st.lists(st.floats(1.0, 3000.0), min_size=1, max_size=30),
    apart_s=st.floats(0.0, 0.03),
)
def test_a_burst_is_one_failure_and_waits_as_long_as_was_requested(
    retries_s: list[float], apart_s: float
) -> None:
    """Twenty uploads are refused by one spent minute; twenty doublings would wait five of them."""
    state = lane()

    for number, retry_after_s in enumerate(retries_s):
        refuse(state, 1.0 + number * apart_s, retry_after_s, begun_s=0.5)

    ends_s = max(1.0 + number * apart_s + each for number, each in enumerate(retries_s))
    assert state.row.throttles == 1
    assert state.due_s == pytest.approx(ends_s)


@given(size=st.integers(1, 30), apart_s=st.floats(0.0, 10.0))
def test_a_burst_without_a_time_waits_once(size: int, apart_s: float) -> None:
    """What began before the first refusal may end long after the wait for it."""
    state = lane()

    for number in range(size):
        refuse(state, 1.0 + number * apart_s, 0.0, begun_s=0.5)

    ends_s = max(2.0, 1.0 + (size - 1) * apart_s)  # no wait is left when the last one ends
    assert (state.row.throttles, state.due_s) == (1, ends_s)


@given(st.lists(st.floats(0.0, 5.0), min_size=9, max_size=20))
def test_bursts_after_each_wait_grow_it(retries_s: list[float]) -> None:
    """A service that names a second for ever would be asked every second for ever (P10)."""
    state, waits_s = lane(), list[float]()

    for retry_after_s in retries_s:
        now_s = state.due_s
        for _ in range(3):
            refuse(state, now_s, retry_after_s, begun_s=now_s)
        waits_s.append(state.due_s - now_s)

    assert state.row.throttles == len(retries_s)
    assert waits_s[-1] == pytest.approx(min(2.0 ** (len(retries_s) - 1), CAP_S))
    assert max(waits_s) <= WAIT_MAX_S


def test_what_ends_well_within_a_burst_hides_no_reason() -> None:
    """The lane waits for a minute, and whoever looks must see for what; it is said once."""
    state = lane()

    refuse(state, 1.0, 60.0, begun_s=0.5)
    state.succeeded(at(1.1))
    refuse(state, 1.2, 60.0, begun_s=0.5)
    shown = state.row.wait_reason
    state.succeeded(at(62.0))

    assert (shown, state.row.wait_reason, state.row.throttles) == ("no luck", "", 0)
    kinds = [event.kind for event in state.events.take()]
    assert kinds == [EventKind.LANE_WAITS, EventKind.LANE_RESUMED]


def test_a_person_who_retries_does_not_wait_for_the_limit() -> None:
    """Whoever knows that the limit was raised need not wait for the hour to end."""
    state = lane()
    refuse(state, 1.0, 3000.0, begun_s=0.5)

    state.hurry(at(2.0))
    refuse(state, 3.0, 0.0, begun_s=2.0)

    assert (state.row.throttles, state.due_s) == (1, 4.0)
