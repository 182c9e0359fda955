# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""From a digest to Storage: the doubt first, every way it can fail, nobody held up by others."""

from __future__ import annotations

from dataclasses import replace

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
    C,
    Script,
    failure,
    hashed,
    look_at,
    prepare,
    prepared,
    read,
    running,
    saw,
    scan,
    scanned,
    settles,
    settles_meanwhile,
    starting,
    storage_id,
    store,
    stored,
    storing,
    synced,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.events import EventKind
from twinsyncd.core.lane_state import HALT_S
from twinsyncd.core.model import IN_DOUBT, Fault, FileKey, Phase
from twinsyncd.core.safety import CONFIRM_S
from twinsyncd.core.source_state import SCAN_SOON_S
from twinsyncd.core.stores import AFTER_OTHERS_S, LATE_S, STORE_TRIES


def failed(key: FileKey, fault: Fault, retry_after_s: float = 0.0) -> facts.StoreFailed:
    """Say that a store did not succeed."""
    return facts.StoreFailed(key, failure(fault, "no luck", retry_after_s))


def retried(script: Script, key: FileKey, times: int) -> Script:
    """Let the stores of a file fail one after another, each begun again in time."""
    for _ in range(times):
        script.hears(failed(key, Fault.TRANSIENT)).says()
        script.hears(after_s=300)
        assert [key] == [each.key for each in script.said if isinstance(each, commands.Store)]
        script.said = []
    return script


def test_the_doubt_is_durable_before_the_store_begins() -> None:
    """With a lost answer the old digest would stand for a content that is not there any more."""
    (
        settles(synced(), A, 2, store(A, 2, again=True))
        .remembers(A, seen="v2", stored=IN_DOUBT, synced="")
        .hears(stored(A, 2))
        .remembers(A, seen="v2", stored="v2", synced="")
    )


def test_a_reserved_item_is_remembered_before_the_content_is_there() -> None:
    """A second try must fill the file that the first one made, not make another."""
    (
        storing()
        .hears(facts.Reserved(A, "item:a.dgn"))
        .says()
        .remembers(A, storage_id="item:a.dgn", stored=IN_DOUBT)
        .dies()
        .hears()
        .says(scan(), store(A, 1, again=True))
    )


def test_a_file_that_moved_on_while_it_was_stored_settles_again() -> None:
    """The bytes that were read are of no whole save, so none of them may count (P1)."""
    (
        storing()
        .hears(facts.StoreMoved(A))
        .says(look_at(A))
        .hears(saw(A, 2))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 2))
        .says(read(A, 2))
        .remembers(A, stored="")
        .hears(hashed(A, 2))
        .says(store(A, 2))
    )


def test_a_transient_failure_is_tried_again_a_little_later() -> None:
    """A dropped connection is everyday life; it may cost a second, and no person."""
    (
        storing()
        .hears(failed(A, Fault.TRANSIENT))
        .says()
        .hears(after_s=0.9)
        .says()
        .remembers(A, stored=IN_DOUBT, attempts=1)
        .hears(after_s=0.1)
        .says(store(A, 1))
        .hears(stored(A, 1))
        .says()
        .remembers(A, attempts=0)
        .lane(attempts=0)
    )


def test_a_throttled_store_waits_as_long_as_the_service_asks() -> None:
    """Retry-After is the service's own word; asking sooner makes it longer (P10)."""
    (
        storing()
        .hears(failed(A, Fault.THROTTLED, 42.0))
        .says()
        .remembers(A, attempts=0)
        .lane(attempts=0)
        .hears(after_s=41.9)
        .says()
        .hears(after_s=0.1)
        .says(store(A, 1))
    )


def test_a_throttled_store_without_a_word_waits_a_little() -> None:
    """A service may leave Retry-After out; asking again at once would spin."""
    storing().hears(failed(A, Fault.THROTTLED)).says().hears(after_s=1).says(store(A, 1))


def test_refused_credentials_halt_the_lane_and_are_tried_again_by_and_by() -> None:
    """A person must act, but a secret that was renewed elsewhere must not need a restart too."""
    (
        storing()
        .hears(failed(A, Fault.UNAUTHORISED))
        .says()
        .lane(halt="no luck")
        .remembers(A, attempts=0, aside="")
        .hears(after_s=HALT_S - 0.1)
        .says()
        .hears(after_s=0.1)
        .says(store(A, 1))
        .hears(stored(A, 1))
        .says(prepare(A, remote=""))
        .lane(halt="")
    )


@pytest.mark.parametrize("key", [None, A])
def test_a_person_who_retries_wakes_a_halted_lane(key: FileKey | None) -> None:
    """Whoever has renewed the secret says so, and need not wait five minutes."""
    script = storing().hears(failed(A, Fault.UNAUTHORISED)).says().lane(halt="no luck")

    script.hears(facts.RetryAsked(key)).says(store(A, 1)).lane(halt="")


def test_a_retry_of_a_file_that_is_configured_no_more_changes_nothing() -> None:
    """The request may be older than the configuration; it must not stop the daemon (P15)."""
    script = storing().hears(failed(A, Fault.UNAUTHORISED)).says()

    script.hears(facts.RetryAsked(FileKey("gone/cad", "a.dgn"))).says().lane(halt="no luck")


def test_a_synced_file_that_a_person_doubts_is_read_stored_and_run_again() -> None:
    """Content exchanged with equal size and time is seen by reading alone; a scan finds nothing."""
    script = synced().hears(facts.RetryAsked(A)).says(look_at(A)).hears(saw(A, 1)).says()
    script.remembers(A, stored="v1", synced="v1")  # it may be renamed, or go, before it is read
    script.hears(after_s=5).says(look_at(A)).hears(saw(A, 1)).says(read(A, 1))

    script.hears(hashed(A, 1)).says(store(A, 1, again=True)).works()

    script.hears(stored(A, 1)).says().remembers(A, stored="v1", synced="").works()


def test_a_doubt_outlives_the_process_that_heard_of_it() -> None:
    """The request is handled once it is read; a crash before the file was read forgot it (P8)."""
    script = synced().hears(facts.RetryAsked(A)).says(look_at(A))

    script.dies().hears().says(scan()).hears(scanned(1)).says(look_at(A)).hears(saw(A, 1)).says()
    script.hears(after_s=5).says(look_at(A)).hears(saw(A, 1)).says(read(A, 1))

    script.hears(hashed(A, 1)).says(store(A, 1, again=True)).source(doubted=())


def test_a_doubt_waits_for_a_drive_that_is_offline() -> None:
    """Nothing looked at the file when the drive came back: nothing of it had changed."""
    script = synced().hears(facts.SyncAsked()).says(scan())
    script.hears(facts.ScanFailed(CAD, "not mounted")).says()
    script.hears(facts.RetryAsked(A)).says().source(doubted=(A.path,))

    script.hears(after_s=20).says(scan()).hears(scanned(1)).says(look_at(A))


def test_a_doubt_ends_with_its_file() -> None:
    """Each scan would look for it again."""
    script = synced().hears(facts.RetryAsked(A)).says(look_at(A)).hears(saw(A, None)).says()

    script.meanwhile(after_s=SCAN_SOON_S + 2.0).meanwhile(scanned(1, A))
    script.meanwhile(after_s=CONFIRM_S + 2.0).meanwhile(scanned(1, A))

    script.source(doubted=()).remembers(A, seen="")


def test_a_synced_file_that_could_not_be_read_is_read_again_and_not_stored_again() -> None:
    """A right that was missing for an hour is no reason to upload the drawing once more (P5)."""
    script = synced()
    script.journal.files[A] = replace(script.journal.files[A], unread="EIO")
    script.dies().hears().says(scan()).hears(scanned(1)).says()

    script.hears(facts.RetryAsked(A)).says(look_at(A)).hears(saw(A, 1)).says()
    script.hears(after_s=5).says(look_at(A)).hears(saw(A, 1)).says(read(A, 1))

    script.hears(hashed(A, 1)).says().remembers(A, unread="", stored="v1", synced="v1").rests()


def test_a_retry_of_all_doubts_no_synced_file() -> None:
    """Else a button on the page would upload the whole drive again."""
    synced().hears(facts.RetryAsked()).says().rests()


def test_a_refused_file_is_set_aside_and_the_others_go_on() -> None:
    """One file with a forbidden name must not hold up a project (P9)."""
    script = settles(storing(uploads_max=2), B, 1, store(B, 1))

    (
        script.hears(failed(A, Fault.REFUSED))
        .says()
        .remembers(A, aside="no luck")
        .hears(stored(B, 1))
        .says()
        .hears(after_s=30)
        .says(prepare(B, remote=""))
    )


def test_a_file_set_aside_is_tried_again_when_it_is_saved_again() -> None:
    """The save may be the mending; nobody should have to tell the daemon (P9)."""
    script = storing().hears(failed(A, Fault.REFUSED)).says().rests()

    settles(script, A, 2, store(A, 2)).remembers(A, aside="", attempts=0)


def test_an_item_that_is_gone_is_made_anew() -> None:
    """Somebody deleted the file in Storage; its old id would be refused for ever."""
    (
        settles(synced(), A, 2, store(A, 2, again=True))
        .hears(failed(A, Fault.GONE))
        .says()
        .remembers(A, storage_id="", in_connection=False)
        .hears(after_s=1)
        .says(store(A, 2))
    )


def test_a_file_that_the_blob_host_refuses_delays_nobody_else() -> None:
    """A lease on one blob is no outage: the others are stored and run at once (P9)."""
    script = settles(storing(), B, 1, store(B, 1))

    script.hears(failed(A, Fault.FILE)).says().remembers(A, attempts=1).lane(attempts=0)

    script.hears(stored(B, 1)).says().hears(after_s=1).says(store(A, 1))
    script.hears(failed(A, Fault.FILE)).says().hears(after_s=2).says(store(A, 1))
    script.hears(failed(A, Fault.FILE)).meanwhile(after_s=3.9).meanwhile(after_s=0.1)
    script.meanwhile(failed(A, Fault.FILE)).meanwhile(after_s=7.9).meanwhile(after_s=0.1)
    script.meanwhile(failed(A, Fault.FILE)).meanwhile(after_s=15.9)
    assert prepare(B, remote="") in script.open


def test_a_file_that_the_blob_host_keeps_refusing_is_set_aside() -> None:
    """It is shown with the host's words, and tried again when it changes (P9)."""
    script = storing()

    for _ in range(STORE_TRIES):
        script.meanwhile(failed(A, Fault.FILE)).meanwhile(after_s=300)

    script.remembers(A, aside="no luck").lane(attempts=0, halt="").rests()


def test_a_poison_file_among_healthy_ones_is_set_aside() -> None:
    """A content that makes the service fail each time must not hold the run up for ever (P9)."""
    script = storing()

    for save in range(1, STORE_TRIES + 1):
        script.meanwhile(failed(A, Fault.TRANSIENT)).remembers(A, attempts=save)
        settles_meanwhile(script, B, save).meanwhile(stored(B, save)).meanwhile(after_s=200)
        assert (store(A, 1) in script.open) == (save < STORE_TRIES)

    script.remembers(A, aside="no luck", stored=IN_DOUBT).remembers(B, aside="")
    script.lane(phase=Phase.PREPARING)


def test_a_poison_file_holds_no_run_of_the_others_up_for_ever() -> None:
    """Nothing else may be there to store, and its failures still say nothing of the others (P9)."""
    script = settles(storing(), B, 1, store(B, 1)).hears(stored(B, 1)).says()

    for _ in range(3 * STORE_TRIES):
        if store(A, 1) in script.open:
            script.meanwhile(failed(A, Fault.TRANSIENT))
        script.meanwhile(after_s=300)

    assert prepare(B, remote="") in script.open


def test_an_outage_sets_nothing_aside() -> None:
    """When nobody gets through it is no file's fault, however long it lasts."""
    script = retried(storing(), A, 3 * STORE_TRIES)

    script.remembers(A, aside="", attempts=1).lane(attempts=3 * STORE_TRIES, halt="")


def test_the_wait_grows_with_each_failure_and_ends() -> None:
    """An outage of hours must not become a request a second, nor outlast its end by an hour."""
    script = storing()
    waits = []

    for _ in range(12):
        script.hears(failed(A, Fault.TRANSIENT)).says()
        before_s = script.at_s
        while not script.said:
            script.hears(after_s=1)
        waits.append(script.at_s - before_s)
        script.says(store(A, 1))

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_stores_that_fail_together_are_one_failure() -> None:
    """A hiccup of a second that meets a dozen uploads must not keep all away for minutes."""
    script = settles(settles(storing(), B, 1, store(B, 1)), C, 1, store(C, 1))

    script.hears(failed(A, Fault.TRANSIENT), failed(B, Fault.TRANSIENT)).says()
    script.hears(failed(C, Fault.TRANSIENT), after_s=0.5).says().lane(attempts=1)

    script.hears(after_s=0.5).meanwhile()
    assert script.open, "a second after the first failure somebody tries again"


def test_a_failure_during_a_wait_may_ask_for_a_longer_one() -> None:
    """The service's own word counts, whichever request it comes with (P10)."""
    script = settles(storing(), B, 1, store(B, 1))

    script.hears(failed(A, Fault.TRANSIENT), failed(B, Fault.TRANSIENT, 60.0)).says()

    script.lane(attempts=1).hears(after_s=59.0).says()


def test_stores_are_bounded_per_lane() -> None:
    """Every upload more only shares the same line, and the service counts requests."""
    script = settles(storing(uploads_max=2), B, 1, store(B, 1))

    settles(script, C, 1).hears(stored(A, 1)).says(store(C, 1))


def test_nothing_is_stored_while_a_run_of_ours_is_active() -> None:
    """Runs read Storage while they work, so content must not change under them (P4)."""
    (
        running()
        .hears(SAVED)
        .says(look_at(A))
        .hears(saw(A, 2))
        .says()
        .hears(after_s=0.25)
        .says(LOOK_AT_RUN)
        .hears(after_s=4.75)
        .says(look_at(A))
        .hears(saw(A, 2))
        .says(read(A, 2))
        .hears(hashed(A, 2))
        .says()
        .remembers(A, seen="v2", stored="v1", covered="v1")
        .hears(SUCCEEDED)
        .says(store(A, 2, again=True))
        .remembers(A, stored=IN_DOUBT, covered="")
    )


def test_nothing_is_stored_while_a_run_is_being_asked_for() -> None:
    """From the request on a run may read; the answer only comes later (P4)."""
    settles(starting(), B, 1).remembers(B, seen="v1", stored="").hears(STARTED).says()


@pytest.mark.parametrize(
    "fault", [Fault.TRANSIENT, Fault.THROTTLED, Fault.UNAUTHORISED, Fault.QUOTA, Fault.GONE]
)
def test_a_person_who_asks_for_a_sync_need_not_wait(fault: Fault) -> None:
    """Who has just mended the network wants to see it work, not a back-off (P10 bounds us only)."""
    (
        storing()
        .hears(failed(A, fault, 200.0))
        .says()
        .hears(facts.SyncAsked(), after_s=0.1)
        .says(scan(), store(A, 1))
        .lane(halt="", attempts=0)
    )


# ---- a store that found another file ------------------------------------------------------


def deleted_while_stored(script: Script) -> Script:
    """Let the store of A find another file, a look find none, and a list miss it."""
    script.hears(facts.StoreMoved(A)).says(look_at(A)).hears(saw(A, None)).says()
    return script.hears(after_s=SCAN_SOON_S).says(scan()).hears(scanned(2, A)).says()


def storing_beside_b() -> Script:
    """Begin while the second save of A is stored, and B waits for a run."""
    script = settles(synced(), B, 1, store(B, 1)).hears(stored(B, 1)).says()
    return settles(script, A, 2, store(A, 2, again=True))


def test_a_store_that_committed_nothing_holds_up_no_run() -> None:
    """A file deleted in the middle of its store would make all others wait for three minutes."""
    script = deleted_while_stored(storing_beside_b())

    script.hears(after_s=30).says(prepare(B))


def test_a_store_that_committed_nothing_leaves_an_earlier_doubt_as_it_was() -> None:
    """The request that timed out before may still take effect, in the middle of a run (P4)."""
    script = storing_beside_b().hears(failed(A, Fault.TRANSIENT)).says()
    timed_out_s = script.at_s
    script.hears(after_s=1).says(store(A, 2, again=True))

    deleted_while_stored(script).hears(after_s=40).says()
    row = script.journal.connections["one"]
    assert row.late_store == f"{A.source}/{A.path}"
    assert row.late_until_s - script.wall_s == pytest.approx(timed_out_s + LATE_S)

    script.meanwhile(after_s=timed_out_s + LATE_S - script.at_s)
    assert prepare(B) in script.said
    assert script.journal.connections["one"].late_store == ""


REFUSALS = [Fault.THROTTLED, Fault.UNAUTHORISED, Fault.SIGNED_OUT, Fault.QUOTA, Fault.REFUSED]


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_store_that_was_refused_holds_up_no_run(fault: Fault) -> None:
    """The service answered, so nothing follows; all others waited for three minutes."""
    script = storing_beside_b().hears(failed(A, fault)).says()

    assert script.journal.connections["one"].late_store == ""

    script.meanwhile(after_s=HALT_S)
    if fault in (Fault.QUOTA, Fault.REFUSED):
        assert prepare(B) in script.said


def test_a_store_that_was_refused_holds_up_no_run_after_a_restart() -> None:
    """A `sync` each hour waited three minutes each time for what cannot come any more."""
    script = storing_beside_b().hears(failed(A, Fault.REFUSED)).says().remembers(A, stored="")

    script.dies().hears().says(scan()).hears(scanned(2)).says(prepare(B))


@pytest.mark.parametrize("fault", [*REFUSALS, Fault.FILE])
def test_a_refusal_after_a_try_without_an_answer_leaves_a_doubt(fault: Fault) -> None:
    """The first try of the same call may still take effect, in the middle of a run (P4)."""
    lost = replace(failure(fault, "no luck"), unanswered=True)
    script = storing_beside_b().hears(facts.StoreFailed(A, lost)).says()

    assert script.journal.connections["one"].late_store == f"{A.source}/{A.path}"


def test_who_tries_a_file_again_is_told_when_it_is_no_person() -> None:
    """Another export shares its records; the history said that a person had asked."""
    script = storing().hears(failed(A, Fault.REFUSED)).says()

    script.hears(facts.RetryAsked(A, "another export has records of it")).says(look_at(A))

    events = [each for each in script.journal.events if each.kind is EventKind.RETRY_ASKED]
    assert [(each.path, each.text) for each in events] == [
        (A.path, "another export has records of it")
    ]


def test_a_refusal_leaves_an_earlier_doubt_as_it_was() -> None:
    """The file is set aside, and its upload that timed out may still change Storage (P4)."""
    script = storing_beside_b().hears(failed(A, Fault.TRANSIENT)).says()
    script.hears(after_s=1).says(store(A, 2, again=True)).hears(failed(A, Fault.REFUSED)).says()

    script.meanwhile(after_s=LATE_S - 2.0)
    assert prepare(B) not in script.said

    script.meanwhile(after_s=2.0)
    assert prepare(B) in script.said


def test_a_used_up_quota_is_named_while_other_uploads_still_succeed() -> None:
    """What began before it ended the reason, and the lane waited on without a word (K7)."""
    script = settles(storing(), B, 1, store(B, 1)).hears(failed(A, Fault.QUOTA)).says()

    script.hears(stored(B, 1)).says()
    script.lane(halt="no luck").remembers(A, note="no luck", stored="")

    script.hears(after_s=HALT_S).says(prepare(B, remote="")).hears(after_s=AFTER_OTHERS_S)
    script.says().hears(prepared(B)).says(START).lane(halt="")


def test_a_file_changed_back_is_run_again_since_the_imodel_may_hold_the_other_content() -> None:
    """A to B and back to A: a run whose result is not known may have brought B into the iModel."""
    script = settles(synced(), A, 2, store(A, 2, again=True)).hears(stored(A, 2)).says()

    script.hears(facts.Touched(A)).says(look_at(A)).hears(saw(A, 3)).says()
    script.hears(after_s=5).says(look_at(A)).hears(saw(A, 3)).says(read(A, 3))
    script.hears(hashed(A, 3, "v1")).says(store(A, 3, again=True, digest="v1"))

    script.hears(facts.Stored(A, "v1", storage_id(A))).says().remembers(A, synced="")
    script.hears(after_s=25).says(prepare(A))
