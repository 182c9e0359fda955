# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The log: one line per unit of work, under names that a collector may rely on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from runtime_scene import BIM, CAD, LOOK, A
from structlog.testing import capture_logs

from twinsyncd.core import commands, facts
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import (
    BlindSpot,
    Failure,
    Fault,
    FileRow,
    LaneRow,
    SourceRow,
)
from twinsyncd.core.results import Outcome, RunRecord, SlowRun
from twinsyncd.runtime.log_events import log_decision, log_facts

FAILURE = Failure(Fault.THROTTLED, "slow down", 3.0, "request-9")
TOLD: list[tuple[facts.Fact, str, str, dict[str, Any]]] = [
    (facts.Hashed(A, LOOK, "v1"), "file.settled", "debug", {"path": "a.dgn"}),
    (facts.Stored(A, "0123456789abcdef", "i"), "file.stored", "info", {"digest": "0123456789ab"}),
    (facts.StoreMoved(A), "store.abandoned", "info", {"reason": "file changed"}),
    (
        facts.StoreFailed(A, FAILURE),
        "store.failed",
        "warning",
        {"fault": "throttled", "reason": "slow down", "request_id": "request-9"},
    ),
    (facts.RunStarted("one", "run-1"), "run.started", "info", {"run": "run-1"}),
    (
        facts.RunRefused("one", "theirs", on_our_connection=False),
        "run.blocked",
        "info",
        {"active_run": "theirs"},
    ),
    (facts.PrepareFailed("one", FAILURE), "run.not_started", "warning", {"fault": "throttled"}),
    (facts.StartFailed("one", FAILURE), "run.not_started", "warning", {"fault": "throttled"}),
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
    """Polls and hints come by the thousand; a log full of them hides the one line that counts."""
    with capture_logs() as logs:
        log_facts([fact])

    assert logs == []


def test_every_path_that_could_not_be_read_is_named() -> None:
    """The right that is missing is set by a person, folder by folder."""
    with capture_logs() as logs:
        spots = (BlindSpot("x", "denied"), BlindSpot("y", "gone"))
        log_facts([facts.Scanned(CAD, "drive", 5, (), spots)])
        log_decision(Decision(sources=(SourceRow(CAD, "drive", blind=spots, blind_count=2),)))

    named = [(line["path"], line["reason"]) for line in logs if line["event"] == "path.unreadable"]
    assert named == [("x", "denied"), ("y", "gone")]


def test_what_needs_a_person_is_an_error() -> None:
    """Alerts are made of the level: too low and nobody comes, too high and nobody looks."""
    decision = Decision(
        files=(FileRow(A, aside="refused"), FileRow(A, unread="locked"), FileRow(A, seen="v1")),
        lanes=(LaneRow("imodel", halt="no right", attempts=2), LaneRow("other")),
        sources=(SourceRow(CAD, "drive", "offline"), SourceRow(BIM, "drive")),
    )

    with capture_logs() as logs:
        log_decision(decision)

    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("file.set_aside", "error"),
        ("file.set_aside", "error"),
        ("lane.halted", "error"),
        ("source.offline", "error"),
        ("source.online", "info"),
    ]


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
