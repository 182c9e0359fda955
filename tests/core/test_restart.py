# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A process that dies at any point: what the journal holds is enough to go on (P8)."""

from __future__ import annotations

import pytest
from core_script import (
    CAD,
    LOOK_AT_RUN,
    SAVED,
    START,
    SUCCEEDED,
    A,
    B,
    Script,
    failure,
    hashed,
    is_idle,
    look,
    look_at,
    prepare,
    prepared,
    preparing,
    read,
    running,
    saw,
    scan,
    scanned,
    settles,
    starting,
    storage_id,
    store,
    stored,
    storing,
    synced,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.lane_state import HALT_S
from twinsyncd.core.model import IN_DOUBT, Fault, Phase, SourceRow
from twinsyncd.core.stores import LATE_S

FIND = commands.FindRun("one", "remote")


def test_a_save_that_had_not_come_to_rest_is_found_by_the_first_scan() -> None:
    """What waits in memory only is lost by design: the scan is the truth."""
    (
        is_idle()
        .hears(SAVED)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says()
        .dies(for_s=30)
        .hears()
        .says(scan())
        .hears(facts.FilesFound(A.source, ((A.path, look(1)),)), scanned(0))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says(read(A, 1))
        .hears(hashed(A, 1))
        .says(store(A, 1))
    )


def test_a_store_whose_answer_died_with_the_process_is_done_again() -> None:
    """Storage may hold the old or the new content; only a further store makes it known."""
    (
        storing()
        .remembers(A, stored=IN_DOUBT)
        .dies()
        .hears()
        .says(scan(), store(A, 1))
        .hears(scanned(1), stored(A, 1))
        .remembers(A, stored="v1")
    )


def test_an_undone_save_during_a_doubt_is_stored_all_the_same() -> None:
    """v1 is synced, v2 was sent, the answer lost, v1 restored: the cloud may hold v2 for ever."""
    script = settles(synced(), A, 2, store(A, 2, again=True)).dies().hears()
    script.says(scan(), store(A, 2, again=True)).hears(scanned(1)).says()

    (
        script.hears(facts.StoreMoved(A))
        .says(look_at(A))
        .hears(saw(A, 3))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 3))
        .says(read(A, 3))
        .hears(hashed(A, 3, "v1"))
        .says(store(A, 3, again=True, digest="v1"))
        .works()
    )


def test_a_preparation_is_begun_again() -> None:
    """It looks before it creates, so twice is as good as once."""
    (
        preparing()
        .dies()
        .hears()
        .says(scan(), prepare(A, remote=""))
        .hears(scanned(1), prepared(A))
        .says(START)
    )


def test_a_start_whose_answer_died_with_the_process_is_looked_for() -> None:
    """A run of ours may be active; a second one would be a run without new content (P3, P5)."""
    (
        starting()
        .dies()
        .hears()
        .says(scan(), FIND)
        .hears(scanned(1), facts.RunFound("one", "run-1"))
        .says()
        .lane(phase=Phase.RUNNING, run="run-1")
        .remembers(A, covered="v1")
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(SUCCEEDED)
        .remembers(A, synced="v1")
    )


def test_a_start_that_never_left_is_asked_for_again() -> None:
    """The mark is durable before the request, so it may stand for nothing."""
    (
        starting()
        .dies()
        .hears()
        .says(scan(), FIND)
        .hears(scanned(1), facts.RunFound("one", "run-0"))
        .says(START)
    )


def test_our_run_is_watched_on_and_nothing_is_stored_meanwhile() -> None:
    """The run goes on without us and reads Storage as before (P4)."""
    script = running().dies().hears().says(scan(), LOOK_AT_RUN).hears(scanned(1)).says()

    (
        script.remembers(A, covered="v1")
        .lane(phase=Phase.RUNNING, run="run-1")
        .hears(SUCCEEDED)
        .says()
        .remembers(A, synced="v1", covered="")
        .rests()
    )


def test_somebody_elses_run_is_waited_for_after_a_restart_too() -> None:
    """Their run does not become ours because we forgot who began it (P3)."""
    script = starting().hears(facts.RunRefused("one", "theirs", on_our_connection=True)).says()

    (
        script.dies()
        .hears()
        .says(scan(), commands.LookAtRun("one", "theirs"))
        .hears(scanned(1))
        .says()
        .lane(phase=Phase.BLOCKED, run="theirs")
        .remembers(A, covered="")
    )


def test_a_file_waiting_for_a_run_gets_it_after_a_restart() -> None:
    """What was stored is not stored again; the batch counts as quiet once the scan says so."""
    script = storing().hears(stored(A, 1)).says().dies()

    (
        script.hears()
        .says(scan())
        .hears(after_s=60)
        .says()
        .hears(scanned(1))
        .says(prepare(A, remote=""))
    )


def test_a_wait_goes_on_after_a_restart() -> None:
    """A service manager that restarts a failing daemon must not turn into a flood (P10)."""
    throttled = failure(Fault.THROTTLED, retry_after_s=100.0)
    (
        storing()
        .hears(facts.StoreFailed(A, throttled))
        .says()
        .dies(for_s=10)
        .hears()
        .says(scan())
        .hears(scanned(1))
        .says()
        .hears(after_s=89.9)
        .says()
        .hears(after_s=0.1)
        .says(store(A, 1))
    )


def test_a_clock_that_jumped_back_does_not_stop_the_lane_for_years() -> None:
    """A wall-clock wait is capped: a wrong clock at boot is common on small machines."""
    throttled = failure(Fault.THROTTLED, retry_after_s=100.0)
    script = storing().hears(facts.StoreFailed(A, throttled)).says().dies(clock_jumps_s=-1e8)
    script.hears().says(scan()).hears(scanned(1)).says()

    script.hears(after_s=HALT_S).says(store(A, 1))


def test_a_doubt_about_a_file_that_is_away_holds_the_run_up_only_while_it_may_land() -> None:
    """A request that was given up may still take effect, but not for ever (P4, P9)."""
    script = settles(synced(), B, 1, store(B, 1)).hears(stored(B, 1)).says()
    script = settles(script, A, 2, store(A, 2, again=True))
    script.hears(facts.HintsLost(A.source, "overflow")).says().hears(after_s=2).says(scan())
    timed_out = facts.StoreFailed(A, failure(Fault.TRANSIENT))
    script.hears(facts.ScanFailed(A.source, "offline"), timed_out).says()

    script.hears(after_s=LATE_S - 0.1).says(scan()).hears(after_s=0.1).says(prepare(B))

    script.remembers(A, stored=IN_DOUBT, synced="")


def test_a_doubt_of_an_earlier_process_holds_the_run_up_as_one_of_our_own() -> None:
    """Its request may be on the wire still when we are up again (P4)."""
    script = settles(synced(), B, 1, store(B, 1)).hears(stored(B, 1)).says()
    script = settles(script, A, 2, store(A, 2, again=True))
    script.dies().journal.sources[CAD] = SourceRow(CAD, "drive", "offline")
    script.dies().hears().says(scan()).hears(facts.ScanFailed(CAD, "offline")).says()

    script.hears(after_s=LATE_S - 0.1).says(scan()).hears(after_s=0.1).says(prepare(B))


@pytest.mark.parametrize("begin", [storing, preparing, starting, running, synced])
def test_a_restart_changes_no_row_by_itself(begin: type[Script]) -> None:
    """Start-up is the same code as recovery; it must not need a clean end (P8)."""
    script = begin()
    files, lanes = dict(script.journal.files), dict(script.journal.lanes)

    script.dies()

    assert (files, lanes) == (script.journal.files, script.journal.lanes)


def test_a_connection_once_found_is_remembered() -> None:
    """Finding it again by its name would take another one that somebody named alike."""
    script = synced().dies().hears().says(scan())

    assert script.journal.connections["one"].remote_id == "remote"
    assert storage_id(A) == script.journal.files[A].storage_id
