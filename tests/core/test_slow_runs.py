# mypy: disable-error-code="arg-type,index"
# Keys, ids and digests are written as plain text here.
"""A run that takes far longer than usual is told once, and watched to its end all the same."""

from __future__ import annotations

import pytest
from core_script import (
    ACTIVE,
    LOOK_AT_RUN,
    START,
    SUCCEEDED,
    WALL_S,
    A,
    Script,
    ended,
    prepare,
    prepared,
    running,
    scanned,
    starting,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.model import Phase
from twinsyncd.core.results import Outcome, RunRecord, SlowRun
from twinsyncd.core.waits import (
    ALARM_FACTOR,
    ALARM_LEAST_S,
    ALARM_UNKNOWN_S,
    RUNS_KEPT,
    RUNS_LEAST,
    alarm_s,
    usual_s,
)

POLL_S = 10.0  # the longest wait between two looks


@pytest.mark.parametrize(
    ("lengths_s", "usual"),
    [
        ([], 0.0),
        ([600.0] * (RUNS_LEAST - 1), 0.0),
        ([600.0] * RUNS_LEAST, 600.0),
        ([60.0, 70.0, 7_200.0], 70.0),
        ([60.0, 70.0, 80.0, -86_000.0], 70.0),
        ([-86_000.0] * RUNS_LEAST, 0.0),
    ],
    ids=["none", "too few", "enough", "one outlier", "a clock was set", "only nonsense"],
)
def test_the_usual_length_is_the_middle_of_the_sane_ones(
    lengths_s: list[float], usual: float
) -> None:
    """One night's disaster, or a clock that was set, must not move what counts as usual."""
    assert usual_s(lengths_s) == usual


@pytest.mark.parametrize(
    ("usual", "alarm"),
    [(0.0, ALARM_UNKNOWN_S), (2.0, ALARM_LEAST_S), (ALARM_LEAST_S, ALARM_LEAST_S * ALARM_FACTOR)],
    ids=["nothing is usual yet", "short runs", "long runs"],
)
def test_an_alarm_has_a_floor_and_always_a_bound(usual: float, alarm: float) -> None:
    """Eight seconds instead of two call nobody; a first run that never ends calls somebody."""
    assert alarm_s(usual) == alarm


def experienced(script: Script, *lengths_s: float) -> Script:
    """Let the process die and the next one know how long earlier runs took."""
    script.journal.history += [
        RunRecord("imodel", "one", f"old-{n}", Outcome.SUCCEEDED, 0.0, length_s, 1)
        for n, length_s in enumerate(lengths_s)
    ]
    script.dies().meanwhile().meanwhile(scanned(1))
    script.said.clear()
    return script.hears(ACTIVE)


def goes_on(
    script: Script,
    for_s: float,
    look: commands.LookAtRun = LOOK_AT_RUN,
    seen: facts.RunSeen = ACTIVE,
) -> Script:
    """Let each look find the run active, for so long."""
    end_s = script.at_s + for_s
    while script.at_s < end_s:
        script.hears(after_s=POLL_S)
        if script.said:
            script.says(look).hears(seen).says()
    return script


def test_a_run_that_takes_far_too_long_is_told_once_and_watched_on() -> None:
    """It is an alarm and no abort: Storage must rest until the run has ended (P4)."""
    script = experienced(running(), 600.0, 700.0, 800.0)

    goes_on(script, 700.0 * ALARM_FACTOR - 2 * POLL_S)
    assert script.slow == []
    goes_on(script, 4 * POLL_S)

    (told,) = script.slow
    assert (told.connection, told.run, told.ours, told.usual_s) == ("one", "run-1", True, 700.0)
    assert 700.0 * ALARM_FACTOR <= told.lasted_s <= 700.0 * ALARM_FACTOR + 2 * POLL_S
    script.lane(phase=Phase.RUNNING, run="run-1", usual_s=700.0)
    goes_on(script, 10_000.0)
    assert script.slow == [told]
    script.hears(after_s=POLL_S).says(LOOK_AT_RUN).hears(SUCCEEDED).lane(
        phase=Phase.QUIET, usual_s=None
    )


def test_who_was_told_is_not_told_again_after_a_restart() -> None:
    """A service that restarts each night would tell it each night."""
    script = goes_on(experienced(running(), 1.0, 1.0, 1.0), ALARM_LEAST_S + 2 * POLL_S)
    assert len(script.slow) == 1

    script.dies(for_s=60.0).meanwhile()
    script.said.clear()
    goes_on(script.hears(ACTIVE), 2 * ALARM_LEAST_S)

    assert len(script.slow) == 1


def test_a_run_grows_long_across_restarts_too() -> None:
    """A process that lives shorter than the alarm takes would never tell."""
    script = experienced(running(), 1.0, 1.0, 1.0)

    for _ in range(4):
        goes_on(script, ALARM_LEAST_S / 3).dies().meanwhile()
        script.said.clear()
        script.hears(ACTIVE)

    assert len(script.slow) == 1


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
def test_a_clock_that_is_set_makes_no_run_long(jump_s: float) -> None:
    """Summer time, or a time server that came late, is no news about a run."""
    script = experienced(running(), 1.0, 1.0, 1.0)
    script.wall_s = WALL_S + jump_s

    goes_on(script, ALARM_LEAST_S - 2 * POLL_S)

    assert script.slow == []


def test_a_first_run_is_told_after_hours() -> None:
    """It takes every file there is, so only a bound for all runs can tell."""
    script = goes_on(running(), ALARM_UNKNOWN_S - 2 * POLL_S)
    assert script.slow == []

    goes_on(script, 4 * POLL_S)

    (told,) = script.slow
    assert told.usual_s == 0.0


def test_what_is_usual_is_learnt_from_good_runs_only() -> None:
    """Runs that fail at once would make every good one look endless."""
    script = experienced(running(), *[1.0] * (RUNS_LEAST - 1))
    script.hears(after_s=POLL_S).says(LOOK_AT_RUN).hears(ended(Outcome.FAILED))
    script.hears(after_s=40.0).says(prepare(A)).hears(prepared(A)).says(START)
    script.hears(facts.RunStarted("one", "run-2")).says()

    second = facts.RunSeen("one", "run-2", Outcome.ACTIVE)
    goes_on(script, 2 * ALARM_LEAST_S, commands.LookAtRun("one", "run-2"), second)

    assert script.slow == []


def test_only_the_newest_runs_say_what_is_usual() -> None:
    """A project that grew tenfold has other runs than a year ago."""
    script = experienced(running(), *[1.0] * RUNS_KEPT)

    assert len(script.journal.saved_state().lengths_s["one"]) == RUNS_KEPT


def test_somebody_elses_endless_run_is_told_as_well() -> None:
    """Ours waits behind it, so nothing arrives, and nobody would know why."""
    script = starting()
    theirs = facts.RunSeen("one", "theirs", Outcome.ACTIVE)
    script.hears(facts.RunRefused("one", "theirs", on_our_connection=False)).says()

    goes_on(script, ALARM_UNKNOWN_S + 2 * POLL_S, commands.LookAtRun("one", "theirs"), theirs)

    (told,) = script.slow
    assert told == SlowRun("one", "theirs", ours=False, lasted_s=told.lasted_s, usual_s=0.0)
    script.lane(phase=Phase.BLOCKED, usual_s=0.0)
