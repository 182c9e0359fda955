# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Plays of files that are gone and, as `on_delete` asks, go from the cloud as well; of pauses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_script import (
    CAD,
    CAD_SOURCE,
    LOOK_AT_RUN,
    ONE,
    SAVED,
    SUCCEEDED,
    A,
    B,
    Script,
    failure,
    hashed,
    look_at,
    read,
    result,
    saw,
    scan,
    scanned,
    settles,
    storage_id,
    store,
    stored,
    synced,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.events import EventKind
from twinsyncd.core.model import MAY_STAY, STAYS, Fault, Fingerprint, OnDelete
from twinsyncd.core.results import Outcome
from twinsyncd.core.safety import CONFIRM_S
from twinsyncd.core.source_state import SCAN_SOON_S
from twinsyncd.core.verdict import RUN_TRIES

A_ID = storage_id(A)


def gone(policy: OnDelete, script: Script | None = None) -> Script:
    """Let A be deleted, until a second list confirms it."""
    script = script or synced(sources=(replace(CAD_SOURCE, on_delete=policy),))
    script.hears(facts.Touched(A)).says(look_at(A)).hears(saw(A, None)).says()
    script.hears(after_s=SCAN_SOON_S + 1.5).says(scan()).hears(scanned(1, A)).says()
    return script.hears(after_s=CONFIRM_S + SCAN_SOON_S).says(scan()).hears(scanned(1, A))


def remove(*, delete: bool = False) -> commands.Remove:
    """Ask for A to be taken out."""
    return commands.Remove("one", "remote", (commands.GoneFile(A, A_ID, delete),))


REMOVED = facts.Removed("one", (A,))


def texts(script: Script, kind: EventKind) -> list[str]:
    """Return the texts of all events of a kind."""
    return [event.text for event in script.journal.events if event.kind is kind]


def test_a_file_that_is_gone_is_kept_unless_the_configuration_says_otherwise() -> None:
    """Deleting is policy; the default only reports."""
    script = gone(OnDelete.KEEP).says().rests()

    assert texts(script, EventKind.FILE_GONE) == ["it stays in the iModel"]


def test_a_file_that_is_gone_may_lie_in_storage_where_somebody_put_it() -> None:
    """It is kept for its elements only; nobody looks for it by its path."""
    script = gone(OnDelete.KEEP, synced(compares=True)).says()
    file = commands.StoredFile(A, A_ID, "v1", None, "", in_connection=True)
    compare = commands.Compare("one", "remote", (file,), "run-1")
    script.dies().hears().says(scan(), compare)

    misplaced = facts.Difference(A, facts.Differs.MISPLACED, "somebody")
    script.hears(scanned(1), facts.Compared("one", (misplaced,))).says()

    script.remembers(A, seen="", moved_from=None)


def test_a_file_that_is_gone_from_the_drive_and_from_storage_leaves_the_connection() -> None:
    """It was to be kept, of which nothing is left but a source file that fails in every run."""
    script = gone(OnDelete.KEEP, synced(compares=True)).says()
    file = commands.StoredFile(A, A_ID, "v1", None, "", in_connection=True)
    compare = commands.Compare("one", "remote", (file,), "run-1")
    script.dies().hears().says(scan(), compare).hears(scanned(1)).says()

    missing = facts.Difference(A, facts.Differs.MISSING, "somebody")
    script.hears(facts.Compared("one", (missing,))).says(remove()).works()

    script.hears(REMOVED).says().rests()
    script.remembers(A, in_connection=False, stored="", note=STAYS)
    assert texts(script, EventKind.FILE_REMOVED) == [f"nothing of it is in Storage; {MAY_STAY}"]


def test_a_file_that_is_gone_is_taken_out_of_its_connection() -> None:
    """What is in Storage stays there, and is used again if the file comes back."""
    script = gone(OnDelete.UNMAP).says(remove()).works().hears(REMOVED).says().rests()

    script.remembers(A, seen="", stored="v1", synced="", storage_id=A_ID, in_connection=False)
    script.remembers(A, note=STAYS)
    assert texts(script, EventKind.FILE_REMOVED) == [f"it stays in Storage; {MAY_STAY}"]


def test_a_file_that_is_gone_is_deleted() -> None:
    """Its id is kept for the case that it comes back, since its elements are in the iModel."""
    script = gone(OnDelete.DELETE).says(remove(delete=True))
    script.remembers(A, stored="?", synced="")

    script.hears(REMOVED).says().rests()
    script.remembers(A, stored="", storage_id=storage_id(A), note=STAYS)


def test_a_file_that_comes_back_after_it_was_deleted_is_restored_with_its_id() -> None:
    """By whatever process; as a new file it would be in the iModel twice."""
    script = gone(OnDelete.DELETE).says(remove(delete=True)).hears(REMOVED).says()
    script = script.dies().hears().says(scan()).hears(scanned(0)).says()

    script.hears(SAVED).says(look_at(A)).hears(saw(A, 1)).says().hears(after_s=5)
    script.says(look_at(A)).hears(saw(A, 1)).says(read(A, 1)).hears(hashed(A, 1))

    script.says(store(A, 1, again=True))


def test_a_deletion_whose_answer_was_lost_is_not_forgotten_when_the_file_comes_back() -> None:
    """It may be deleted in Storage, so it is stored again."""
    script = gone(OnDelete.DELETE).says(remove(delete=True))
    script.hears(facts.RemoveFailed("one", failure(Fault.TRANSIENT))).says()

    script.hears(SAVED).says(look_at(A)).hears(saw(A, 1)).says().hears(after_s=5)
    script.says(look_at(A)).hears(saw(A, 1)).says(read(A, 1)).hears(hashed(A, 1))

    script.says(store(A, 1, again=True)).remembers(A, removing=OnDelete.KEEP)


@pytest.mark.parametrize("policy", OnDelete)
def test_a_file_that_goes_before_it_takes_its_old_place_leaves_no_dead_source_file(
    policy: OnDelete,
) -> None:
    """Storage lost it, it was uploaded anew, and it went: each run would fail to read the old."""
    script = synced(sources=(replace(CAD_SOURCE, on_delete=policy),))
    settles(script, A, 2, store(A, 2, again=True)).hears(facts.Reserved(A, "new")).says()
    script.hears(facts.StoreFailed(A, failure(Fault.REFUSED))).says()

    gone(policy, script)

    delete = policy is OnDelete.DELETE
    file = commands.GoneFile(A, "new", delete, replaces=(A_ID,))
    script.says(commands.Remove("one", "remote", (file,)))
    script.hears(REMOVED).remembers(A, replaces=(), in_connection=False, removing=OnDelete.KEEP)


def test_a_removal_waits_for_what_may_be_the_file_under_another_name() -> None:
    """A new file that is still to be stored may turn out to be the one that is gone."""
    script = synced(sources=(replace(CAD_SOURCE, on_delete=OnDelete.DELETE),))
    other = Fingerprint(9, 9, 9)
    seen = facts.Looked(CAD, ((B.path, other),))
    script.hears(facts.Touched(B)).says(look_at(B)).hears(seen).says().hears(after_s=5)
    script.says(look_at(B)).hears(seen).says(commands.Hash(B, other))
    script.hears(facts.Hashed(B, other, "vB")).says(commands.Store(B, "one", "vB", other, ""))

    gone(OnDelete.DELETE, script).says()

    script.hears(facts.Stored(B, "vB", storage_id(B))).says(remove(delete=True))


def test_what_the_service_refuses_to_remove_stays_and_is_reported() -> None:
    """Asking again in the same words will not help."""
    script = gone(OnDelete.UNMAP).says(remove())

    script.hears(facts.Removed("one", (), ((A, "no right to do so"),))).says().rests()

    script.remembers(A, removing=OnDelete.KEEP, in_connection=True)
    assert texts(script, EventKind.FILE_DIFFERS) == [
        "it stays, since the service does not remove it: no right to do so"
    ]


def test_a_removal_that_failed_is_tried_again() -> None:
    """With back-off, like every call (P10)."""
    script = gone(OnDelete.UNMAP).says(remove())
    script.hears(facts.RemoveFailed("one", failure(Fault.TRANSIENT))).says().lane(attempts=1)

    script.hears(after_s=1).says(remove()).hears(REMOVED).says().rests()


# ---- by runs that name their files --------------------------------------------------------

NAMING = replace(ONE, names_files=True)


def named(*, unmap: bool) -> commands.StartRun:
    """Ask for a run that is given A."""
    file = commands.NamedFile(A, A_ID, "?" if unmap else "v1", unmap=unmap)
    return commands.StartRun("one", "remote", (file,))


def unmapping() -> Script:
    """Begin while a run is asked for that takes A out of the iModel."""
    sources = (replace(CAD_SOURCE, on_delete=OnDelete.UNMAP),)
    script = Script(connections=(NAMING,), sources=sources).hears().says(scan(""))
    script.hears(scanned(0)).says()
    settles(script, A, 1, store(A, 1)).hears(stored(A, 1)).says().hears(after_s=25)
    script.meanwhile(facts.Prepared("one", "remote", "", (A,))).says(named(unmap=False))
    script.hears(facts.RunStarted("one", "run-1")).says().hears(after_s=0.25).says(LOOK_AT_RUN)
    script.hears(SUCCEEDED).says()
    gone(OnDelete.UNMAP, script)
    assert [type(command) for command in script.said] == [commands.Prepare]
    script.meanwhile(facts.Prepared("one", "remote", "run-1", ()))
    return script.says(named(unmap=True))


def after_run(script: Script, seen: facts.RunSeen, run: str) -> Script:
    """Let the run that was asked for end."""
    script.hears(facts.RunStarted("one", run)).says().hears(after_s=0.25)
    return script.says(commands.LookAtRun("one", run)).hears(replace(seen, run=run))


def test_a_run_takes_out_of_the_imodel_what_is_gone() -> None:
    """The id is not used again, since the service has forgotten it."""
    script = after_run(unmapping(), SUCCEEDED, "run-2").says().rests()

    script.remembers(A, seen="", stored="", synced="", covered="", storage_id="")


def test_a_file_that_is_back_after_it_was_unmapped_is_a_new_one() -> None:
    """It was restored while the run was active; nothing of it is in the iModel any more."""
    script = unmapping().hears(facts.RunStarted("one", "run-2")).says()
    script.meanwhile(SAVED).meanwhile(saw(A, 1)).meanwhile(after_s=5).meanwhile(saw(A, 1))
    script.meanwhile(hashed(A, 1)).remembers(A, seen="v1", covered="?")

    script.meanwhile(replace(SUCCEEDED, run="run-2")).says(store(A, 1))


def test_an_unmapping_that_fails_is_given_up_after_a_few_runs() -> None:
    """Each costs a run; a person is told."""
    script, failed = (
        unmapping(),
        facts.RunSeen(
            "one", "", Outcome.PARTIAL, files=(result(A, Outcome.FAILED, message="is in use"),)
        ),
    )
    for number in range(RUN_TRIES - 1):
        after_run(script, failed, f"run-{number + 2}").says()
        script.hears(after_s=120)
        assert [type(command) for command in script.said] == [commands.Prepare]
        script.meanwhile(facts.Prepared("one", "remote", f"run-{number + 2}", ()))
        script.says(named(unmap=True))

    after_run(script, failed, "run-9").says().rests()

    script.remembers(A, removing=OnDelete.KEEP)
    assert "is in use" in texts(script, EventKind.FILE_DIFFERS)[0]


# ---- pauses -------------------------------------------------------------------------------


@pytest.mark.parametrize("meant", ["one", None])
def test_a_paused_connection_stores_and_runs_nothing(meant: str | None) -> None:
    """Its changes are noticed all the same, and done once it goes on."""
    script = synced().hears(facts.PauseAsked(meant)).says().rests()

    settles(script, A, 2).rests().dies().hears().says(scan()).hears(scanned(1)).says().rests()

    script.meanwhile(facts.ResumeAsked(meant)).says(store(A, 2, again=True))
    assert texts(script, EventKind.PAUSED) == texts(script, EventKind.RESUMED) == [""]


def test_a_run_that_is_active_when_a_person_pauses_is_watched_to_its_end() -> None:
    """Its result counts, whatever comes next."""
    script = synced()
    settles(script, A, 2, store(A, 2, again=True)).hears(stored(A, 2)).says().hears(after_s=25)
    script.meanwhile(facts.Prepared("one", "remote", "run-1", (A,))).says(
        commands.StartRun("one", "remote")
    )
    script.hears(facts.PauseAsked("one")).says()

    after_run(script, SUCCEEDED, "run-2").says().remembers(A, synced="v2")


def test_another_connection_of_the_imodel_goes_on_during_a_pause() -> None:
    """One person's pause is not everybody's."""
    script = synced().hears(facts.PauseAsked("another")).says()

    settles(script, A, 2, store(A, 2, again=True))
    assert A.source == CAD
