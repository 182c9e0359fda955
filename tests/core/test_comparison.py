# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What others do in the cloud is found, and is work like any other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from core_script import (
    CAD,
    LOOK_AT_RUN,
    SAVED,
    START,
    STARTED,
    SUCCEEDED,
    A,
    B,
    Script,
    ended,
    failure,
    hashed,
    is_idle,
    look,
    look_at,
    prepare,
    prepared,
    read,
    result,
    running,
    saw,
    scan,
    scanned,
    settles,
    settles_meanwhile,
    storage_id,
    store,
    stored,
    synced,
    try_to_read,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.comparison import AGAIN_S, stored_files
from twinsyncd.core.drive import UNREAD_MISSES
from twinsyncd.core.events import EventKind
from twinsyncd.core.lane_state import HALT_S
from twinsyncd.core.match import Kind
from twinsyncd.core.model import IN_DOUBT, ConnectionRow, Fault, FileKey, FileRow
from twinsyncd.core.places import AT_ONCE, HELD_S
from twinsyncd.core.results import Outcome
from twinsyncd.core.run_ends import RETRY_S
from twinsyncd.core.setup import Connection, Source
from twinsyncd.runtime.sync_once import gets_no_answer

DAY_S = 86_400.0
REMEMBERED = commands.StoredFile(A, storage_id(A), "v1", look(1).size_bytes, "", True)
COMPARE = commands.Compare("one", "remote", (REMEMBERED,), "run-1")


def restarted(**more: Any) -> Script:
    """Begin with the first save of A in the iModel, in a new process that compares."""
    return synced(compares=True, **more).dies().hears().says(scan(), COMPARE).hears(scanned(1))


def differs(how: facts.Differs, text: str = "somebody") -> facts.Compared:
    """Say that the service differs in one file."""
    return facts.Compared("one", (facts.Difference(A, how, text),))


OFFICES = [f"office {number}" for number in range(AT_ONCE + 2)]
OFFICE_SCANS = [scan("", f"{name}/cad") for name in OFFICES]
OFFICE_COMPARES = [commands.Compare(name, name, (), "") for name in OFFICES]


def offices() -> Script:
    """Begin with some iModels that are all to be compared, in a process that just started."""
    names = OFFICES
    script = Script(
        connections=[Connection(name, f"imodel of {name}") for name in names],
        sources=[Source(f"{name}/cad", name, scan_every_s=DAY_S) for name in names],
        compares=True,
    )
    script.journal.connections.update({name: ConnectionRow(name, name) for name in names})
    return script.dies()


def test_nothing_is_compared_of_which_nothing_is_remembered() -> None:
    """A first start must not ask about a connection that does not exist yet."""
    script = is_idle(compares=True)

    assert script.journal.connections["one"].compared_s > 0


def test_a_start_compares_before_it_says_that_all_is_synced() -> None:
    """What the journal says of the cloud may be long out of date."""
    script = restarted().says().works()

    script.hears(facts.Compared("one")).says().rests()

    assert script.journal.events[-1].kind is EventKind.CLOUD_COMPARED


def test_few_of_many_imodels_are_compared_at_once() -> None:
    """A thousand lists at once would fill the memory, and keep the calls of runs waiting."""
    script = offices()

    script.hears().says(*OFFICE_SCANS, *OFFICE_COMPARES[:AT_ONCE])

    script.hears(facts.Compared(OFFICES[1])).says(OFFICE_COMPARES[AT_ONCE])
    failed = facts.CompareFailed(OFFICES[0], failure(Fault.TRANSIENT))
    script.hears(failed).says(OFFICE_COMPARES[-1])


def test_who_waits_to_be_compared_stores_meanwhile() -> None:
    """A thousand comparisons take hours at a slow service; a save must not wait for them."""
    last = OFFICES[-1]
    key = FileKey(f"{last}/cad", "a.dgn")
    script = offices().hears().says(*OFFICE_SCANS, *OFFICE_COMPARES[:AT_ONCE])

    script.meanwhile(facts.Scanned(key.source, "drive", 0), facts.Touched(key))
    script.meanwhile(saw(key, 1)).meanwhile(after_s=5).meanwhile(saw(key, 1)).says(read(key, 1))

    script.hears(hashed(key, 1)).says(store(key, 1, connection=last))


def test_comparisons_that_hang_keep_their_places_for_some_minutes_only() -> None:
    """A server that sends drop by drop may keep a call for hours, and others need none of it."""
    script = offices().hears().says(*OFFICE_SCANS, *OFFICE_COMPARES[:AT_ONCE])

    script.hears(after_s=HELD_S - 1).says()
    script.hears(after_s=1).says(*OFFICE_COMPARES[AT_ONCE:])

    script.hears(*map(facts.Compared, OFFICES)).says()


@pytest.mark.parametrize("how", [facts.Differs.MISSING, facts.Differs.OVERWRITTEN])
def test_content_that_storage_does_not_hold_is_stored_and_run_again(how: facts.Differs) -> None:
    """The drive did not change, so nothing else would ever bring it back."""
    script = restarted().says()

    script.hears(differs(how)).says(store(A, 1, again=True))

    script.remembers(A, synced="", storage_id=storage_id(A)).works()
    script.hears(stored(A, 1)).says(prepare(A)).hears(prepared(A)).says(START)


def test_a_file_deleted_for_good_is_told_and_its_source_file_gets_the_new_one() -> None:
    """It was uploaded as a new file without a word, beside a dead source file."""
    script = restarted().says().hears(differs(facts.Differs.MISSING)).says(store(A, 1, again=True))

    script.hears(facts.Reserved(A, "new", is_new=True)).says()
    script.hears(facts.Stored(A, "v1", "new"))

    heir = commands.ExpectedFile(A, "new", replaces=(storage_id(A),))
    script.says(commands.Prepare("one", "remote", (heir,)))
    told = [each for each in script.journal.events if each.kind is EventKind.FILE_DIFFERS]
    assert "deleted it for good" in told[-1].text


@pytest.mark.parametrize("how", [facts.Differs.UNMAPPED, facts.Differs.CONNECTOR])
def test_a_source_file_that_is_not_as_configured_gets_a_run(how: facts.Differs) -> None:
    """It is added or corrected by the preparation; nothing needs to be uploaded."""
    script = restarted().says()

    script.hears(differs(how)).says(prepare(A))

    script.remembers(A, stored="v1", synced="", in_connection=False)
    told = [each for each in script.journal.events if each.kind is EventKind.FILE_DIFFERS]
    assert [each.text for each in told] == ["somebody"]


@pytest.mark.parametrize("how", [facts.Differs.UNMAPPED, facts.Differs.MISSING])
@pytest.mark.parametrize(
    ("kind", "why"),
    [("source", "it is gone from the drive"), (None, "the configuration leaves it out")],
)
def test_a_file_that_is_not_taken_any_more_is_not_called_gone_if_it_is_there(
    how: facts.Differs, kind: Kind | None, why: str
) -> None:
    """The history said of excluded files that they are gone from the drive."""
    script = synced(compares=True)
    script.journal.files[A] = replace(script.journal.files[A], seen="", fingerprint=None)
    script.kind_of = lambda _key: kind
    script.dies().hears().meanwhile(differs(how))

    told = [each for each in script.journal.events if each.kind is EventKind.FILE_DIFFERS]

    assert told[-1].text.startswith(f"{why}, and ")


def test_a_file_that_went_before_it_was_stored_again_is_taken_out_of_the_connection() -> None:
    """Its dead source file made each run partial, beside "in sync": nobody looked at it again."""
    script = restarted().says().hears(differs(facts.Differs.MISSING)).says(store(A, 1, again=True))
    script.journal.files[A] = replace(script.journal.files[A], seen="", fingerprint=None)
    place = replace(REMEMBERED, digest=IN_DOUBT, size_bytes=None)

    script.dies().hears().says(scan(), replace(COMPARE, files=(place,))).hears(scanned(0))
    script.says().hears(differs(facts.Differs.MISSING))

    out_of_it = commands.GoneFile(A, storage_id(A), False, ())
    script.says(commands.Remove("one", "remote", (out_of_it,)))
    told = [each for each in script.journal.events if each.kind is EventKind.FILE_DIFFERS]
    assert told[-1].text == "it is gone from the drive, and gone from Storage now"


def test_a_run_that_fails_on_a_file_that_is_gone_has_the_cloud_looked_at() -> None:
    """Storage may have lost it too; its source file would fail in each later run."""
    script = settles(synced(compares=True), A, 2, store(A, 2, again=True))
    script.hears(stored(A, 2)).says().hears(after_s=25).says(prepare(A)).hears(prepared(A))
    script.journal.files[B] = FileRow(B, storage_id=storage_id(B), in_connection=True)
    script.says(START).hears(STARTED).says().hears(after_s=0.25).says(LOOK_AT_RUN)
    both = (result(A, Outcome.SUCCEEDED), result(B, Outcome.FAILED, message="not found"))

    script.hears(ended(Outcome.PARTIAL, *both))

    assert any(isinstance(each, commands.Compare) for each in script.said)


def test_a_file_that_somebody_moved_in_storage_is_put_back_and_needs_no_run() -> None:
    """Its content and its id are the same, so nothing is uploaded and no element changes."""
    script = restarted().says()

    script.hears(differs(facts.Differs.MISPLACED)).says(commands.Place(A, "one", storage_id(A)))

    script.works().hears(facts.Placed(A)).says().rests()
    told = [each for each in script.journal.events if each.kind is EventKind.FILE_DIFFERS]
    assert [each.text for each in told] == ["somebody"]
    script.remembers(A, stored="v1", synced="v1", moved_from=None)


def test_a_service_that_lost_our_newest_run_is_not_believed() -> None:
    """It was restored from a backup, so nobody knows what the iModel holds."""
    script = restarted().says()

    script.hears(facts.Compared("one", last_run_known=False)).says(prepare(A))

    script.remembers(A, stored="v1", synced="")


def test_a_preparation_notices_that_the_service_was_restored() -> None:
    """After the next run of ours its newest is known again, and nothing would show it."""
    script = settles(synced(), A, 2, store(A, 2, again=True)).hears(stored(A, 2)).says()
    settles_meanwhile(script, B, 1).meanwhile(stored(B, 1)).meanwhile(after_s=25)

    script.meanwhile(facts.Prepared("one", "remote", "", (A, B), last_run_known=False))

    assert script.journal.connections["one"].last_run == ""
    assert any(each.kind is EventKind.RUN_LOST for each in script.journal.events)


def test_a_connection_that_is_gone_is_made_again() -> None:
    """Its files are in Storage all the same, which is compared without it."""
    script = restarted().says()
    lost = commands.StoredFile(A, storage_id(A), "v1", look(1).size_bytes, "", False)

    script.hears(facts.CompareFailed("one", failure(Fault.GONE)))

    script.says(commands.Compare("one", "", (lost,), ""))
    script.hears(facts.Compared("one")).says(prepare(A, remote=""))


def test_a_mark_that_changed_without_the_content_is_remembered() -> None:
    """Else the content would be read back every day."""
    script = restarted().says()

    script.hears(facts.Compared("one", versions=((A, "m2"),))).says()

    script.remembers(A, stored="v1", synced="v1", version="m2").rests()


def test_a_comparison_that_fails_is_tried_again_and_not_believed() -> None:
    """Silence is no proof."""
    script = restarted().says()

    script.hears(facts.CompareFailed("one", failure(Fault.TRANSIENT))).says().works()
    script.lane(wait_reason="no luck", attempts=1)
    script.hears(after_s=59).says().hears(after_s=1).says(COMPARE)
    script.hears(facts.Compared("one")).says().rests()


def test_a_sync_ends_when_only_comparisons_are_left_and_two_of_them_failed() -> None:
    """The waits between comparisons double, so six failures would take half an hour."""
    script = restarted().says()
    refused = facts.CompareFailed("one", failure(Fault.TRANSIENT))

    script.hears(refused).says()
    once = gets_no_answer(script.machine)
    script.hears(after_s=AGAIN_S).says(COMPARE).hears(refused).says().works()

    assert not once
    assert gets_no_answer(script.machine)


def test_a_sync_goes_on_with_a_save_while_comparisons_fail() -> None:
    """A missing permission to list must not end a long upload."""
    script = restarted().says()
    refused = facts.CompareFailed("one", failure(Fault.TRANSIENT))
    script.hears(refused).says().hears(after_s=AGAIN_S).says(COMPARE).hears(refused).says()

    settles(script, A, 2, store(A, 2, again=True))

    assert not gets_no_answer(script.machine)


def test_a_comparison_that_fails_keeps_no_save_from_the_imodel() -> None:
    """A missing permission to list must not stop what works."""
    script = restarted().says()

    script.hears(facts.CompareFailed("one", failure(Fault.REFUSED))).says()

    settles(script, A, 2, store(A, 2, again=True))


def test_a_refused_comparison_is_remembered_until_one_succeeds() -> None:
    """Who lost every role must not be shown as in sync, even after a restart."""
    script = restarted().says()
    script.hears(facts.CompareFailed("one", failure(Fault.REFUSED))).says()
    refused = script.journal.connections["one"]

    script.hears(after_s=AGAIN_S).says(COMPARE).hears(facts.Compared("one")).says()

    assert (refused.compare_failed, refused.compare_refused) == ("no luck", True)
    seen = script.journal.connections["one"]
    assert (seen.compare_failed, seen.compare_refused) == ("", False)


def test_a_refused_comparison_is_tried_every_five_minutes_at_the_least() -> None:
    """The role may be given back at any time, and nobody says so."""
    script = restarted().says()
    refused = facts.CompareFailed("one", failure(Fault.REFUSED))

    script.hears(refused).says()
    for _ in range(9):
        script.hears(after_s=HALT_S).says(COMPARE).hears(refused).says()


def test_retry_repeats_a_comparison_that_failed() -> None:
    """A person who has corrected the reason wants to see at once whether that was it."""
    script = restarted().says()
    script.hears(facts.CompareFailed("one", failure(Fault.REFUSED))).says()

    script.hears(facts.RetryAsked()).says(COMPARE)


def test_a_sync_ends_at_a_refused_comparison_once_all_else_is_done() -> None:
    """To wait does not help; the saves go in first."""
    script = restarted().says()
    script.hears(facts.CompareFailed("one", failure(Fault.REFUSED))).says()
    alone = script.machine.refused_comparisons()

    script.hears(facts.RetryAsked()).says(COMPARE)

    assert alone == {"one": "no luck"}
    assert not script.machine.refused_comparisons()


def test_saves_wait_for_a_comparison_that_is_under_way() -> None:
    """Else it would find differences that are our own doing."""
    script = restarted().says()

    settles(script, A, 2).hears(facts.Compared("one")).says(store(A, 2, again=True))


def test_the_cloud_is_compared_every_day() -> None:
    """Somebody may delete a file at any time."""
    script = synced(compares=True, compare_every_s=DAY_S)

    script.meanwhile(after_s=DAY_S - 60)
    assert COMPARE not in script.said
    script.meanwhile(after_s=60)

    assert COMPARE in script.said


def test_a_file_that_cannot_be_read_is_not_compared_by_its_size() -> None:
    """Nobody overwrote it in Storage; it must not be stored and run again once it is readable."""
    script = synced(compares=True).hears(SAVED).says(look_at(A))
    for miss in range(UNREAD_MISSES):
        script.hears(facts.LookFailed(A, "locked"), facts.Looked(CAD, ())).says()
        again = try_to_read(A) if miss == UNREAD_MISSES - 1 else look_at(A)
        script.hears(after_s=5 * 2.0**miss).says(again)

    unsized = replace(REMEMBERED, size_bytes=None)
    script.remembers(A, unread="locked").hears(facts.SyncAsked())
    script.says(scan(), replace(COMPARE, files=(unsized,)))


def test_a_person_who_asks_for_a_sync_asks_for_a_comparison() -> None:
    """`sync` says that all agree, so it must have looked."""
    script = synced(compares=True)

    script.hears(facts.SyncAsked()).says(scan(), COMPARE).works()


def test_what_a_run_left_unproven_is_looked_for_in_the_cloud() -> None:
    """The file may be gone from Storage; its task only says that it failed."""
    script = running(compares=True).hears(after_s=0.25).says(LOOK_AT_RUN)
    failed = ended(Outcome.PARTIAL, result(A, Outcome.FAILED, message="not found"))

    script.hears(failed).says(COMPARE)

    script.hears(differs(facts.Differs.MISSING)).says()
    script.hears(after_s=RETRY_S).says(store(A, 1, again=True))


def test_looks_after_failed_runs_become_rarer_when_they_find_nothing() -> None:
    """A file that fails for its own reasons must not cost a comparison each time."""
    script = running(compares=True).hears(after_s=0.25).says(LOOK_AT_RUN)
    failed = ended(Outcome.PARTIAL, result(A, Outcome.FAILED, message="broken"))
    script.hears(failed).says(COMPARE).hears(facts.Compared("one")).says()

    script.hears(after_s=RETRY_S).says(prepare(A)).hears(prepared(A)).says(START)
    script.hears(STARTED).says().hears(after_s=0.25).says(LOOK_AT_RUN).hears(failed).says()

    script.hears(after_s=AGAIN_S - RETRY_S - 1).says().hears(after_s=1).says(COMPARE)


def test_of_a_file_that_is_to_be_stored_again_the_place_is_compared() -> None:
    """It was overwritten and then moved: it was stored where somebody had put it, "in sync"."""
    overwritten = FileRow(A, look(1), "v1", storage_id=storage_id(A), in_connection=True)
    gone = replace(overwritten, seen="", in_connection=False)

    compared = list(stored_files([overwritten, gone, FileRow(A, look(1), "v1")]))

    assert compared == [commands.StoredFile(A, storage_id(A), IN_DOUBT, None, "", True)]


def test_a_file_that_got_another_id_takes_the_place_of_the_old_one() -> None:
    """Else the dead source file stays, and every later run ends as partial."""
    script = settles(synced(), A, 2, store(A, 2, again=True))

    script.hears(facts.Reserved(A, "new")).says()
    script.remembers(A, storage_id="new", replaces=(storage_id(A),), in_connection=False, synced="")
    script.hears(facts.Stored(A, "v2", "new")).says().hears(after_s=25)

    replaced = commands.ExpectedFile(A, "new", (storage_id(A),))
    script.says(commands.Prepare("one", "remote", (replaced,)))
    script.hears(prepared(A)).says(START).remembers(A, replaces=(), in_connection=True)


def test_a_file_that_got_another_id_needs_a_run_even_with_equal_content() -> None:
    """No run has processed the new source file yet."""
    script = restarted().says().hears(differs(facts.Differs.MISSING))
    script.says(store(A, 1, again=True))

    script.hears(facts.Reserved(A, "new"), facts.Stored(A, "v1", "new"))

    replaced = commands.ExpectedFile(A, "new", (storage_id(A),))
    script.says(commands.Prepare("one", "remote", (replaced,)))


def test_a_file_that_storage_lost_before_the_run_is_looked_for() -> None:
    """The preparation cannot add what is gone; it is uploaded again instead of set aside."""
    script = settles(synced(compares=True), A, 2, store(A, 2, again=True))
    script.hears(stored(A, 2)).says().hears(after_s=25).says(prepare(A))
    refused = ((A, "the file is no longer in Storage"),)

    script.hears(facts.Prepared("one", "remote", "", refused=refused, storage_as_expected=False))

    now = commands.StoredFile(A, storage_id(A), "v2", look(2).size_bytes, "", False)
    script.says(commands.Compare("one", "remote", (now,), "run-1"))
    script.hears(differs(facts.Differs.MISSING)).says(store(A, 2, again=True))
    script.remembers(A, aside="")


def test_the_newest_run_of_ours_that_ended_is_remembered_for_the_comparison() -> None:
    """Only a run of ours that ended proves anything."""
    script = running(compares=True)
    assert script.journal.connections["one"].last_run == ""

    script.hears(after_s=0.25).says(LOOK_AT_RUN).hears(SUCCEEDED).says()

    assert script.journal.connections["one"].last_run == "run-1"
