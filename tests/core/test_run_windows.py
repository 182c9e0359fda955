# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""When runs may begin: the timetable holds runs back, never uploads, and people can override it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf

import test_turns
from core_script import (
    LOOK_AT_RUN,
    ONE,
    START,
    STARTED,
    SUCCEEDED,
    WALL_S,
    A,
    B,
    Script,
    ended,
    failure,
    is_idle,
    prepare,
    prepared,
    preparing,
    result,
    running,
    scan,
    scanned,
    settles,
    settles_meanwhile,
    starting,
    store,
    stored,
    storing,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.model import Fault, Phase
from twinsyncd.core.results import Outcome
from twinsyncd.core.setup import Connection

START_S = 1_000.0  # when every play begins
EVENING_S = 10_000.0
Opens = Callable[[float], float]


def open_in(*spans: tuple[float, float]) -> Connection:
    """Return connection one, whose runs may begin in these times of the play."""

    def opens_s(wall_s: float) -> float:
        at_s = wall_s - WALL_S
        return WALL_S + next(max(at_s, begin) for begin, end in spans if end > at_s)

    return replace(ONE, opens_s=opens_s)


BY_NIGHT = open_in((EVENING_S, inf))
CLOSES_AT = START_S + 31.0  # just after the first run is decided
CLOSES = open_in((0.0, CLOSES_AT), (EVENING_S, inf))


def waiting() -> Script:
    """Begin with a save that is in Storage, and waits for the evening."""
    return storing(connections=(BY_NIGHT,)).hears(stored(A, 1)).says().hears(after_s=600).says()


def test_a_change_is_stored_by_day_and_run_at_night() -> None:
    """The iModel changes while nobody works in it; the upload is done by then."""
    script = waiting().rests().lane(phase=Phase.QUIET).remembers(A, stored="v1", synced="")

    script.hears(after_s=EVENING_S - script.at_s).says(prepare(A, remote=""))

    assert script.at_s == EVENING_S


def test_a_restart_by_day_begins_no_run() -> None:
    """Nobody is surprised by a run at noon because a machine was restarted."""
    script = waiting().dies(for_s=60).hears().says(scan()).hears(scanned(1)).says()

    script.hears(after_s=600).says().rests()


def test_somebody_publishes_and_the_next_save_waits_again() -> None:
    """One exception, not a new timetable."""
    script = waiting().hears(facts.PublishAsked("one")).says(scan(), prepare(A, remote=""))
    script.hears(scanned(1)).says()
    script.hears(prepared(A)).says(START).hears(STARTED).says()
    script.hears(after_s=0.25).says(LOOK_AT_RUN).hears(SUCCEEDED).says().rests()

    settles(script, A, 2, store(A, 2, again=True)).hears(stored(A, 2)).says()

    script.hears(after_s=600).says().rests()
    assert script.journal.connections["one"].published_s == 0.0


def test_what_is_still_written_when_somebody_publishes_is_part_of_it() -> None:
    """The upload of a large model takes longer than a person waits."""
    script = storing(connections=(BY_NIGHT,))
    script.meanwhile(facts.PublishAsked()).meanwhile(scanned(1))

    script.meanwhile(after_s=3_000).says().hears(stored(A, 1)).says(prepare(A, remote=""))


def test_a_request_to_publish_outlives_a_crash() -> None:
    """It was acknowledged, so it is done (P8)."""
    script = storing(connections=(BY_NIGHT,))
    script.meanwhile(facts.PublishAsked("one")).meanwhile(stored(A, 1)).dies(for_s=1)

    script.meanwhile().meanwhile(scanned(1)).meanwhile(after_s=40)

    assert prepare(A, remote="") in script.open


def test_publishing_another_connection_changes_nothing_here() -> None:
    """Two projects, two timetables."""
    script = waiting().hears(facts.PublishAsked("another")).says(scan()).hears(scanned(1)).says()

    script.hears(after_s=600).says().rests()


def test_publishing_nothing_ends_after_a_while() -> None:
    """Else a request of the morning would let a save of the afternoon run by day."""
    script = is_idle(connections=(BY_NIGHT,)).hears(facts.PublishAsked()).says(scan())
    script.hears(scanned(0)).says().hears(after_s=601).says()

    settles(script, A, 1, store(A, 1)).hears(stored(A, 1)).says()

    script.hears(after_s=600).says().rests()


def test_a_sync_keeps_to_the_timetable() -> None:
    """Cron's `sync` at noon must not be the way around it."""
    script = waiting().hears(facts.SyncAsked()).says(scan()).hears(scanned(1)).says()

    script.hears(after_s=600).says().rests()


def test_a_run_that_goes_on_is_watched_beyond_its_window() -> None:
    """Nothing is cancelled; its result counts whenever it comes."""
    script = running(connections=(CLOSES,)).meanwhile(after_s=100)

    script.said = []
    script.hears(SUCCEEDED).says().remembers(A, synced="v1").rests()


def test_a_preparation_that_outlasts_the_window_is_given_up() -> None:
    """An outage that ends in the morning must not start the run of the night."""
    outage = facts.PrepareFailed("one", failure(Fault.TRANSIENT, retry_after_s=60))
    script = preparing(connections=(CLOSES,)).hears(outage).says()

    script.hears(after_s=600).says().lane(phase=Phase.QUIET).rests()
    script.hears(after_s=EVENING_S - script.at_s).says(prepare(A, remote=""))


def test_a_start_that_was_refused_is_not_tried_again_by_day() -> None:
    """The limit of requests ended after the window did."""
    limit = facts.StartFailed("one", failure(Fault.THROTTLED, retry_after_s=60))
    script = starting(connections=(CLOSES,)).hears(limit).says()

    script.hears(after_s=600).says().lane(phase=Phase.QUIET, asks=0).remembers(A, covered="")
    script.rests()


def test_a_run_whose_answer_was_lost_is_looked_for_even_by_day() -> None:
    """It may have begun in time, and then it is ours (P6)."""
    lost = facts.StartFailed("one", failure(Fault.TRANSIENT, retry_after_s=60))
    script = starting(connections=(CLOSES,)).hears(lost).says().meanwhile(after_s=600)
    found, missed = facts.RunFound("one", "run-1"), facts.RunFound("one", "")
    assert [each for each in script.open if isinstance(each, commands.FindRun)] == script.open

    script.meanwhile(found).lane(phase=Phase.RUNNING, run="run-1")

    other = starting(connections=(CLOSES,)).hears(lost).says().meanwhile(after_s=600)
    other.said = []
    other.hears(missed).says().lane(phase=Phase.QUIET, asks=0).rests()


def test_another_connection_of_the_imodel_runs_while_one_waits() -> None:
    """A connection that runs by night must not keep the iModel by day."""
    script = test_turns.both_saved((BY_NIGHT, Connection("two", ONE.lane)))
    script.hears(stored(A, 1), stored(test_turns.TOWER, 1)).says()

    script.hears(after_s=25).says(test_turns.prepare_two())


def test_several_saves_of_a_day_are_one_run_at_night() -> None:
    """Nothing is run that is not wanted any more."""
    script = waiting()
    settles_meanwhile(script, B, 1)
    script.said = []
    script.hears(stored(B, 1)).says()

    script.hears(after_s=EVENING_S - script.at_s).says(prepare(A, B, remote=""))
    script.hears(prepared(A, B)).says(START).hears(STARTED).says()
    script.meanwhile(after_s=1)
    script.said = []
    done = ended(Outcome.SUCCEEDED, result(A), result(B))
    script.hears(done).says().remembers(B, synced="v1").rests()
