# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""From the service's answer to what the machine does: repeat, wait, halt, or set a file aside.

What an answer is read as, and what the machine makes of each kind, have tests of their own; these
make sure that both ends meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from core_script import A, Script, preparing, running, starting, storing

from twinsyncd.cloud.faults import error_of
from twinsyncd.core import commands, facts
from twinsyncd.core.lane_state import HALT_S
from twinsyncd.core.model import Failure, FileRow, LaneRow

PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"
STEP_S = 0.25
LONGEST_S = 700.0  # no wait after a failure is longer; see CAP_S of waits.py, HALT_S


def refusal(code: str, message: str = "No.") -> dict[str, Any]:
    """Return an error body."""
    return {"error": {"code": code, "message": message}}


ANSWERS: dict[str, Callable[[], httpx.Response]] = {
    "bad request": lambda: httpx.Response(400),
    "bad token": lambda: httpx.Response(401, json=refusal("HeaderNotFound")),
    "no role": lambda: httpx.Response(403, json=refusal("InsufficientPermissions")),
    "gone": lambda: httpx.Response(404, json=refusal("ConnectionNotFound")),
    "proxy sign-in": lambda: httpx.Response(407),
    "conflict": lambda: httpx.Response(409, json=refusal("Busy")),
    "too large": lambda: httpx.Response(413),
    "invalid": lambda: httpx.Response(422, json=refusal("InvalidRequest")),
    "throttled": lambda: httpx.Response(429, headers={"retry-after": "40"}),
    "throttled, no word": lambda: httpx.Response(429),
    "theirs": lambda: httpx.Response(500),
    "gateway": lambda: httpx.Response(502, content=PAGE),
    "closed": lambda: httpx.Response(503, headers={"retry-after": "20"}),
    "no space": lambda: httpx.Response(507),
    "captive 404": lambda: httpx.Response(404, content=PAGE),
    "captive 403": lambda: httpx.Response(403, content=PAGE),
    "redirect": lambda: httpx.Response(302, headers={"location": "http://captive.example/"}),
}


def failure(name: str) -> Failure:
    """Return what an answer is read as."""
    return error_of("do it", ANSWERS[name]()).failure


Answer = Callable[[Failure], facts.Fact]
PLACES: dict[str, tuple[Callable[[], Script], Answer]] = {
    "store": (storing, lambda why: facts.StoreFailed(A, why)),
    "prepare": (preparing, lambda why: facts.PrepareFailed("one", why)),
    "start": (starting, lambda why: facts.StartFailed("one", why)),
    "look": (running, lambda why: facts.RunLookFailed("one", "run-1", why)),
}


def played(place: str) -> tuple[Script, Answer]:
    """Return a play in which the machine has just asked, and how its question fails."""
    begin, answer = PLACES[place]
    script = begin()
    if place == "look":
        next_question_s(script)
    return script, answer


def next_question_s(script: Script) -> float:
    """Let time pass until the machine asks again; return how long that took [s]."""
    began_s = script.at_s
    while not script.said and script.at_s < began_s + LONGEST_S:
        script.hears(after_s=STEP_S)
    assert script.said, "it never asks again"
    script.said = []
    return script.at_s - began_s


def lane_of(script: Script) -> LaneRow:
    """Return the lane's durable row."""
    return script.journal.lanes.get("imodel", LaneRow("imodel"))


WAITS, HALTS, ASIDE, ASKED, ANEW = "waits", "halts", "aside", "as asked", "anew"
CONSEQUENCES = {
    "bad request": (ASIDE, HALTS, HALTS, HALTS),
    "bad token": (HALTS, HALTS, HALTS, HALTS),
    "no role": (ASIDE, HALTS, HALTS, HALTS),  # of a store: see targets, which blame nobody's file
    "gone": (WAITS, HALTS, ANEW, ANEW),
    "proxy sign-in": (WAITS, WAITS, WAITS, WAITS),
    "conflict": (WAITS, WAITS, WAITS, WAITS),
    "too large": (ASIDE, HALTS, HALTS, HALTS),
    "invalid": (ASIDE, HALTS, HALTS, HALTS),
    "throttled": (ASKED, ASKED, ASKED, ASKED),
    "throttled, no word": (ASKED, ASKED, ASKED, ASKED),
    "theirs": (WAITS, WAITS, WAITS, WAITS),
    "gateway": (WAITS, WAITS, WAITS, WAITS),
    "closed": (WAITS, WAITS, WAITS, WAITS),
    "no space": (HALTS, HALTS, HALTS, HALTS),
    "captive 404": (WAITS, WAITS, WAITS, WAITS),
    "captive 403": (WAITS, WAITS, WAITS, WAITS),
    "redirect": (WAITS, WAITS, WAITS, WAITS),
}
CASES = [
    (answer, place, expected)
    for answer, row in CONSEQUENCES.items()
    for place, expected in zip(PLACES, row, strict=True)
]


@pytest.mark.parametrize(("answer", "place", "expected"), CASES)
def test_each_answer_has_its_consequence(answer: str, place: str, expected: str) -> None:
    """A wrong one halts an office for a hiccup, or knocks for ever where only a person can help."""
    script, fails = played(place)
    why = failure(answer)

    script.meanwhile(fails(why))

    lane, file = lane_of(script), script.journal.files.get(A, FileRow(A))
    found = {
        ASIDE: file.aside == why.message,
        HALTS: lane.halt == why.message,
        ASKED: lane.throttles == 1 and lane.wait_reason == why.message,
        WAITS: lane.attempts == 1 and lane.wait_reason == why.message and not lane.halt,
        ANEW: not lane.run and not file.covered,
    }
    assert found[expected], (lane, file)
    assert [other for other in (ASIDE, HALTS) if found[other]] == [
        other for other in (ASIDE, HALTS) if other == expected
    ]


@pytest.mark.parametrize(
    ("answer", "place", "expected"), [case for case in CASES if case[2] in (WAITS, ASKED, HALTS)]
)
def test_what_is_asked_again_waits_longer_each_time(answer: str, place: str, expected: str) -> None:
    """Nothing spins (P10), nothing is given up, and a word of the service is kept."""
    script, fails = played(place)
    why = failure(answer)
    waits_s = []

    for _ in range(5):
        looking = isinstance(script.open[-1], commands.FindRun)  # whether the run began after all
        script.meanwhile(facts.RunLookFailed("one", "", why) if looking else fails(why))
        waits_s.append(next_question_s(script))

    assert all(wait_s >= why.retry_after_s for wait_s in waits_s)
    if expected == HALTS:
        assert all(HALT_S <= wait_s <= HALT_S + 2 * STEP_S for wait_s in waits_s)
    elif not why.retry_after_s:
        assert waits_s == sorted(waits_s)
        assert waits_s[-1] > 4 * waits_s[0]
