# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""While a run is active the next content goes up unseen; its commit waits for the end (P4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_script import (
    ACTIVE,
    LOOK_AT_RUN,
    ONE,
    SUCCEEDED,
    A,
    B,
    Script,
    failure,
    look_at,
    prepare,
    running,
    saw,
    settles,
    settles_meanwhile,
    stage,
    staged,
    store,
    stored,
)

from twinsyncd.core import facts
from twinsyncd.core.model import Fault

STAGING = replace(ONE, stage_least_bytes=100)


def edited(**more: object) -> Script:
    """Begin while A, changed since its run began, is being staged."""
    script = running(connections=(STAGING,), **more)
    settles_meanwhile(script, A, 2)
    assert stage(A, 2) in script.said
    script.said = []
    return script.meanwhile(ACTIVE) if LOOK_AT_RUN in script.open else script


def test_an_edit_during_a_run_is_staged_and_stored_when_the_run_has_ended() -> None:
    """Only the commit is left to do then, so the next run follows at once."""
    script = edited()

    script.meanwhile(staged(A, 2)).remembers(A, seen="v2", stored="v1", synced="")
    script.meanwhile(after_s=10)
    script.said = []

    script.hears(SUCCEEDED).says(store(A, 2, again=True))
    script.hears(stored(A, 2)).remembers(A, stored="v2")


def test_a_run_that_ends_first_waits_for_the_staging() -> None:
    """Two writers of one file would undo each other."""
    script = edited().meanwhile(after_s=10)
    script.said = []

    script.hears(SUCCEEDED).says().works()

    script.hears(staged(A, 2)).says(store(A, 2, again=True))


def test_a_content_is_staged_once_whatever_comes_of_it() -> None:
    """Nothing spins, and a failure costs nothing: the store sends what is missing (P10)."""
    script = edited()

    script.hears(facts.StageFailed(A, failure(Fault.TRANSIENT))).meanwhile(after_s=60)

    assert stage(A, 2) not in script.said
    script.said = []
    script.hears(SUCCEEDED).says(store(A, 2, again=True))


def test_a_newer_content_is_staged_as_well() -> None:
    """People go on saving while a run takes its time."""
    script = edited().meanwhile(staged(A, 2))

    settles_meanwhile(script, A, 3)

    assert stage(A, 3) in script.said


def test_a_file_that_changed_meanwhile_is_looked_at() -> None:
    """No event may have told of it; the settler takes it from here."""
    script = edited()

    script.hears(facts.StageMoved(A)).says(look_at(A)).hears(saw(A, 2)).says()


@pytest.mark.parametrize("least_bytes", [None, 103])
def test_small_files_and_careful_platforms_stage_nothing(least_bytes: int | None) -> None:
    """What staging saves a small file are a few milliseconds, for two more requests."""
    script = running(connections=(replace(ONE, stage_least_bytes=least_bytes),))

    settles_meanwhile(script, A, 2)

    assert stage(A, 2) not in script.said


def test_a_new_file_is_not_staged() -> None:
    """It would appear in Storage before its content, and in the middle of a run."""
    script = running(connections=(STAGING,))

    settles_meanwhile(script, B, 1)

    assert [each for each in script.said if isinstance(each, type(stage(B, 1)))] == []


def test_a_throttled_staging_asks_for_nothing_more() -> None:
    """The service is busy, perhaps with our run (P10)."""
    script = edited()
    script.hears(facts.StageFailed(A, failure(Fault.THROTTLED, "429", 30.0))).meanwhile()

    settles_meanwhile(script, A, 3)

    assert stage(A, 3) not in script.said


def test_a_file_in_doubt_is_not_staged() -> None:
    """A commit that is on its way still would drop the blocks."""
    script = running(connections=(STAGING,))
    script.meanwhile(after_s=1).meanwhile(SUCCEEDED)
    settles(script, A, 2, store(A, 2, again=True)).dies()
    script.meanwhile()

    assert stage(A, 2) not in script.said
    assert prepare(A) not in script.said
