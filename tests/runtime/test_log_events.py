# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The log: one line per unit of work, under names that a collector may rely on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from runtime_scene import CAD, LOOK, A
from structlog.testing import capture_logs

from twinsyncd.core import commands, facts
from twinsyncd.core.decision import Decision
from twinsyncd.core.events import Event, EventKind
from twinsyncd.core.model import Failure, Fault
from twinsyncd.core.results import Outcome, RunRecord, SlowRun
from twinsyncd.runtime.log_events import log_decision, log_facts

FAILURE = Failure(Fault.THROTTLED, "slow down", 3.0, "request-9")
TOLD: list[tuple[facts.Fact, str, str, dict[str, Any]]] = [
    (facts.StoreMoved(A), "store.abandoned", "info", {"reason": "file changed"}),
    (
        facts.StoreFailed(A, FAILURE),
        "store.failed",
        "warning",
        {"fault": "throttled", "reason": "slow down", "request_id": "request-9"},
    ),
    (facts.Staged(A, "v2"), "file.staged", "info", {"path": A.path}),
    (facts.StageMoved(A), "stage.abandoned", "info", {"reason": "file changed"}),
    (facts.StageFailed(A, FAILURE), "stage.failed", "info", {"reason": "slow down"}),
    (facts.PrepareFailed("one", FAILURE), "run.not_started", "warning", {"fault": "throttled"}),
    (facts.StartFailed("one", FAILURE), "run.not_started", "warning", {"fault": "throttled"}),
    (facts.PlaceFailed(A, FAILURE), "file.not_renamed", "warning", {"fault": "throttled"}),
    (facts.RemoveFailed("one", FAILURE), "files.not_removed", "warning", {"fault": "throttled"}),
    (facts.RunLookFailed("one", "run-1", FAILURE), "run.not_seen", "warning", {"run": "run-1"}),
    (facts.HintsLost(CAD, "overflow"), "watch.lost", "warning", {"reason": "overflow"}),
    (facts.HintsDegraded(CAD, "limit"), "watch.degraded", "warning", {"reason": "limit"}),
    (facts.HintsDegraded(CAD, ""), "watch.restored", "info", {"source": CAD}),
    (facts.Scanned(CAD, "drive", 5, ("x", "y")), "scan.ended", "debug", {"missing": 2}),
]
SILENT: list[facts.Fact] = [
    facts.Ticked(),
    facts.SyncAsked(),
    facts.Touched(A),
    facts.Looked(CAD, ()),
    facts.LookFailed(A, "locked"),
    facts.Reserved(A, "i"),
    facts.StartClashed("one"),
    facts.Hashed(A, LOOK, "v1"),
    facts.Stored(A, "0123456789abcdef", "i"),
    facts.RunStarted("one", "run-1"),
    facts.RunSeen("one", "run-1", Outcome.ACTIVE),
]


@pytest.mark.parametrize(("fact", "event", "level", "context"), TOLD)
def test_the_end_of_a_unit_of_work_is_one_line(
    fact: facts.Fact, event: str, level: str, context: dict[str, Any]
) -> None:
    """A person who greps for a path must find its story, not a diary."""
    with capture_logs() as logs:
        log_facts([fact])

    (line,) = logs
    assert (line["event"], line["log_level"]) == (event, level)
    assert {key: line[key] for key in context} == context


@pytest.mark.parametrize("fact", SILENT, ids=lambda fact: type(fact).__name__)
def test_what_ends_nothing_says_nothing(fact: facts.Fact) -> None:
    """Polls and hints come by the thousand, and the rest is an event of the decision."""
    with capture_logs() as logs:
        log_facts([fact])

    assert logs == []


def test_an_event_is_one_line_under_its_own_name_with_what_it_says() -> None:
    """Log and history name the same things alike, so that one leads to the other."""
    event = Event(
        EventKind.FILE_STORED, 1.0, "one", A.source, A.path, "0123456789abcdef", text="as it is"
    )

    with capture_logs() as logs:
        log_decision(Decision(events=(event,)))

    assert logs == [
        {
            "event": "file.stored",
            "log_level": "info",
            "connection": "one",
            "source": A.source,
            "path": A.path,
            "digest": "0123456789ab",
            "reason": "as it is",
        }
    ]


@pytest.mark.parametrize("kind", EventKind, ids=lambda kind: kind.value)
def test_every_kind_of_event_is_a_line_or_part_of_one(kind: EventKind) -> None:
    """What is in the history alone is not found by those who read logs."""
    run = RunRecord("imodel", "one", "run-1", Outcome.SUCCEEDED, 10.0, 12.0, 3)
    history = (run,) if kind is EventKind.RUN_ENDED else ()

    with capture_logs() as logs:
        log_decision(Decision(events=(Event(kind, 1.0),), history=history))

    assert [line["event"] for line in logs] == [kind.value]


def test_what_needs_a_person_is_an_error() -> None:
    """Alerts are made of the level: too low and nobody comes, too high and nobody looks."""
    kinds = (
        EventKind.FILE_SET_ASIDE,
        EventKind.LANE_HALTED,
        EventKind.SOURCE_OFFLINE,
        EventKind.SOURCE_HELD,
        EventKind.SOURCE_ONLINE,
        EventKind.LANE_WAITS,
    )

    with capture_logs() as logs:
        log_decision(Decision(events=tuple(Event(kind, 1.0, text="why") for kind in kinds)))

    levels = [line["log_level"] for line in logs]
    assert levels == ["error", "error", "error", "error", "info", "warning"]


def test_a_run_that_takes_too_long_is_an_error_with_what_is_usual() -> None:
    """Only a person can look into a service that goes on and on."""
    slow = SlowRun("one", "run-1", ours=True, lasted_s=7_800.0, usual_s=720.0)

    with capture_logs() as logs:
        log_decision(Decision(slow=(slow,)))

    assert logs == [
        {
            "event": "run.overran",
            "log_level": "error",
            "connection": "one",
            "run": "run-1",
            "ours": True,
            "duration_s": 7_800.0,
            "usual_s": 720.0,
        }
    ]


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (Outcome.SUCCEEDED, "info"),
        (Outcome.PARTIAL, "warning"),
        (Outcome.FAILED, "warning"),
    ],
)
def test_an_ended_run_is_one_line_with_all_that_counts(outcome: Outcome, level: str) -> None:
    """How long, how many, how it went: the weekly question is answered by one grep."""
    run = RunRecord("imodel", "one", "run-1", outcome, 10.0, 12.34567, 3, "as it is")

    with capture_logs() as logs:
        log_decision(Decision(history=(run,)))

    assert logs == [
        {
            "event": "run.ended",
            "log_level": level,
            "connection": "one",
            "run": "run-1",
            "outcome": outcome.value,
            "files": 3,
            "duration_s": 2.346,
            "message": "as it is",
        }
    ]


def test_commands_are_for_those_who_debug() -> None:
    """They are many, and their answers are logged anyway."""
    with capture_logs() as logs:
        log_decision(Decision(commands=(commands.Scan(CAD, ""),)))

    assert logs == [{"event": "command.begun", "log_level": "debug", "command": "Scan"}]


def test_event_names_are_constant_and_dotted() -> None:
    """Collectors group by the name; a path or a number in it makes every line its own group."""
    with capture_logs() as logs:
        log_facts([fact for fact, *_ in TOLD])

    assert len(logs) == len(TOLD)
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", line["event"]) for line in logs)


def test_the_page_that_a_person_must_open_has_a_key_of_its_own() -> None:
    """Addresses in sentences lose their query on the way to the log, and then lead nowhere."""
    page = "https://portal.example.com/authenticate?redirect_url=x"
    event = Event(EventKind.SIGN_IN_NEEDED, 1.0, "one", text=f"not agreed: open {page}")

    with capture_logs() as logs:
        log_decision(Decision(events=(event,)))

    assert (logs[0]["log_level"], logs[0]["page_to_open"]) == ("error", page)
