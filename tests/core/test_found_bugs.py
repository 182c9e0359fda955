# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Plays of bugs that the simulation found: each fails while its bug is planted again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import test_comparison
import test_moves
import test_reconfigured
import test_removals
import test_restart
import test_runs
import test_scans
import test_storing
from core_script import (
    CAD,
    SAVED,
    A,
    B,
    Script,
    failure,
    hashed,
    is_idle,
    look,
    look_at,
    prepare,
    read,
    saw,
    scan,
    scanned,
    settles,
    store,
    stored,
    storing,
    try_to_read,
)

from simulation.mutants import MUTANTS, PLAY_MUTANTS, Mutant
from simulation.test_regressions import FOUND
from twinsyncd.core import facts
from twinsyncd.core.drive import UNREAD_MISSES
from twinsyncd.core.model import UNLIKE_ANY, Fault
from twinsyncd.core.settle import ASIDE_LOOK_S


def unreadable() -> Script:
    """Begin with a new file that could not be read often enough to be reported."""
    script = is_idle().hears(SAVED).says(look_at(A))
    for miss in range(UNREAD_MISSES):
        script.hears(facts.LookFailed(A, "locked"), facts.Looked(CAD, ())).says()
        again = try_to_read(A) if miss == UNREAD_MISSES - 1 else look_at(A)
        script.hears(after_s=5 * 2.0**miss).says(again)
    return script.remembers(A, unread="locked")


def an_unreadable_file_is_read_again_after_a_restart() -> None:
    """A scan finds it; nobody must save it again for that."""
    script = unreadable().dies().hears().says(scan())

    script.hears(facts.FilesFound(CAD, ((A.path, look(1)),)), scanned(1)).says()

    script.hears(after_s=5).says(look_at(A)).hears(saw(A, 1)).says(read(A, 1))
    script.hears(hashed(A, 1)).says(store(A, 1)).remembers(A, unread="")


def an_unreadable_file_can_be_missed() -> None:
    """It has a fingerprint like no other, or no scan would compare it."""
    unreadable().remembers(A, fingerprint=UNLIKE_ANY)


def a_shorter_wait_leaves_a_longer_one() -> None:
    """The service asked for a minute; another failure may not end it (P10)."""
    script = settles(storing(), B, 1, store(B, 1))
    throttled = facts.StoreFailed(A, failure(Fault.THROTTLED, retry_after_s=60.0))

    script.hears(throttled).says()
    script.hears(facts.StoreFailed(B, failure(Fault.THROTTLED, retry_after_s=1.0))).says()

    script.hears(after_s=59.0).says()


def a_wait_outlives_another_store_and_a_restart() -> None:
    """The store that succeeds began before the service asked for a minute (P10)."""
    script = settles(storing(), B, 1, store(B, 1))
    throttled = facts.StoreFailed(A, failure(Fault.THROTTLED, retry_after_s=60.0))
    script.hears(throttled).says().hears(stored(B, 1)).says()

    script = script.dies(for_s=10).hears().says(scan()).hears(scanned(2)).says()

    script.hears(after_s=49.0).says()


PLAYS: dict[str, Callable[[], object]] = {
    "doubt on a held file blocks runs": (
        test_restart.test_a_doubt_about_a_file_that_is_away_holds_the_run_up_only_while_it_may_land
    ),
    "unreadable file not found again": an_unreadable_file_is_read_again_after_a_restart,
    "unreadable file never missed": an_unreadable_file_can_be_missed,
    "a shorter wait ends a longer one": a_shorter_wait_leaves_a_longer_one,
    "wait forgotten when another store succeeds": a_wait_outlives_another_store_and_a_restart,
    "a look begins the minute": (
        test_scans.test_a_missing_file_is_not_stored_until_it_is_seen_again
    ),
    "a late list outdoes a hint": (
        test_scans.test_a_late_list_outdoes_no_hint_that_a_file_came_back
    ),
    "doubt of an excluded file forgotten": partial(
        test_reconfigured.test_a_store_of_a_file_that_is_excluded_may_land_late_all_the_same, 2
    ),
    "broken folder waits for the next scan": (
        test_restart.test_a_doubt_of_an_earlier_process_holds_the_run_up_as_one_of_our_own
    ),
}
"""A play for every bug of `FOUND`, by the name of the mutant that plants it again."""


@pytest.mark.parametrize("name", [name for name, _ in FOUND.values()])
def test_a_found_bug_has_a_play_that_fails_with_it(name: str) -> None:
    """A seed shows a bug only while its world stays the same; a play shows it for good."""
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    play = PLAYS[name]

    play()

    with mutant.planted(), pytest.raises(AssertionError):
        play()


def test_an_unreadable_file_is_not_waited_for() -> None:
    """A locked drawing must not keep the others from their run, nor `sync` from its end (P9)."""
    script = settles(is_idle(), B, 1, store(B, 1)).hears(stored(B, 1)).says()
    script.meanwhile(SAVED)

    for _ in range(UNREAD_MISSES):
        script.meanwhile(facts.LookFailed(A, "locked"), facts.Looked(CAD, ()))
        script.meanwhile(after_s=11)

    script.remembers(A, unread="locked").meanwhile(after_s=30)
    assert prepare(B, remote="") in script.open


def test_a_run_waits_for_no_file_that_could_not_be_read_twice() -> None:
    """A drawing cut short may stay so; the others need not wait until it is set aside."""
    script = settles(is_idle(), B, 1, store(B, 1)).hears(stored(B, 1)).says()
    script.meanwhile(SAVED)

    for _ in range(2):
        script.meanwhile(facts.LookFailed(A, "cut short"), facts.Looked(CAD, ()))
        script.meanwhile(after_s=11)
    script.meanwhile(after_s=30)

    assert prepare(B, remote="") in script.open


def test_a_file_that_an_earlier_process_could_not_read_is_set_aside_at_once() -> None:
    """Each `sync` would wait three minutes for what it knows already (P9)."""
    script = unreadable().dies().hears().says(scan())
    script.hears(facts.FilesFound(CAD, ((A.path, look(1)),)), scanned(1)).says()
    script.hears(after_s=5).says(look_at(A))

    script.hears(facts.LookFailed(A, "locked"), facts.Looked(CAD, ())).says()

    assert script.machine.is_idle()


def test_an_unreadable_file_that_is_gone_is_missed_at_the_next_look() -> None:
    """Only its trouble is remembered; a scan confirms that it is gone."""
    script = unreadable().hears(facts.LookFailed(A, "locked"), facts.Looked(CAD, ())).says()

    script.hears(after_s=ASIDE_LOOK_S).says(try_to_read(A)).hears(saw(A, None)).says()

    script.hears(after_s=2).says(scan())


def test_a_file_that_can_be_read_again_is_noticed_within_seconds() -> None:
    """Whoever mends a permission looks at the status right away (P9)."""
    script = unreadable().hears(facts.LookFailed(A, "locked"), facts.Looked(CAD, ())).says()

    script.hears(after_s=ASIDE_LOOK_S).says(try_to_read(A)).hears(saw(A, 1)).says()

    script.hears(after_s=5).says(look_at(A)).hears(saw(A, 1)).says(read(A, 1))


@pytest.mark.parametrize(
    ("mutant", "play"),
    list(
        zip(
            PLAY_MUTANTS,
            (
                test_scans.test_a_hint_that_was_not_followed_during_a_scan_asks_for_another,
                test_removals.test_a_deletion_whose_answer_was_lost_is_not_forgotten_when_the_file_comes_back,
                test_scans.test_what_was_never_stored_is_no_loss,
                test_scans.test_a_held_deletion_holds_up_no_save,
                test_moves.test_a_renamed_folder_is_no_mass_deletion,
                test_moves.test_a_renamed_file_keeps_its_id_and_needs_no_run,
                test_moves.test_a_file_that_was_stored_in_the_place_of_another_gets_one_of_its_own,
                test_scans.test_an_approved_drive_that_is_found_empty_is_asked_about_until_it_is_answered,
                test_comparison.test_a_file_that_storage_lost_before_the_run_is_looked_for,
                test_storing.test_an_item_that_is_gone_is_made_anew,
                test_scans.test_files_that_go_missing_in_the_place_of_approved_ones_need_another,
                test_moves.test_a_file_that_storage_calls_by_the_name_of_a_new_one_becomes_that_one,
                test_runs.test_a_connection_that_was_made_anew_consumes_everything_again,
            ),
            strict=True,
        )
    ),
    ids=lambda each: getattr(each, "name", ""),
)
def test_a_bug_that_no_world_shows_fails_a_play(mutant: Mutant, play: Callable[[], object]) -> None:
    """A rule that only saves a call in the worlds must still hold."""
    play()

    with mutant.planted(), pytest.raises(AssertionError):
        play()
