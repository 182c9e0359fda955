# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""From a hint to a digest: when a save counts as finished, and what it costs to find out."""

from __future__ import annotations

import pytest
from core_script import (
    CAD,
    CAD_SOURCE,
    SAVED,
    A,
    B,
    hashed,
    is_idle,
    look,
    look_at,
    read,
    saw,
    scan,
    settles,
    store,
    storing,
    synced,
    try_to_read,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.drive import UNREAD_MISSES
from twinsyncd.core.hash_queue import HASHES_MAX, SMALL_BYTES, SMALL_HASHES_MAX
from twinsyncd.core.looks import LOOKS_MAX
from twinsyncd.core.model import FileKey, Fingerprint
from twinsyncd.core.settle import Settler
from twinsyncd.core.setup import Source


def test_a_save_counts_once_two_looks_a_quiet_time_apart_are_equal() -> None:
    """A single look cannot tell a finished file from one that is being written."""
    (
        is_idle()
        .hears(SAVED)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says()
        .hears(after_s=4.9)
        .says()
        .hears(after_s=0.1)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says(read(A, 1))
        .hears(hashed(A, 1))
        .says(store(A, 1))
        .remembers(A, seen="v1", fingerprint=look(1))
    )


def test_a_burst_of_hints_costs_a_look_each_quarter_of_the_quiet_time() -> None:
    """MicroStation writes many times a second; every write must not become a stat over SMB."""
    script = is_idle().hears(SAVED).says(look_at(A)).hears(saw(A, 1)).says()

    for _ in range(12):
        script.hears(SAVED, after_s=0.1).says()

    script.hears(SAVED, after_s=0.1).says(look_at(A))


def test_a_file_written_in_slices_is_read_only_after_the_last() -> None:
    """A digest of a half-written file would be stored as if it were a version (P1)."""
    (
        is_idle()
        .hears(SAVED)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 2))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 3))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 3))
        .says(read(A, 3))
    )


def test_a_hint_between_two_equal_looks_starts_the_quiet_time_again() -> None:
    """Size and time can stand still while a program keeps writing through a mapping."""
    (
        is_idle()
        .hears(SAVED)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says()
        .hears(SAVED, after_s=1)
        .says()
        .hears(after_s=0.25)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says()
        .hears(after_s=4.9)
        .says()
        .hears(after_s=0.1)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says(read(A, 1))
    )


def test_a_rename_over_a_synced_file_settles_as_new_content() -> None:
    """AutoCAD and Revit save beside and rename over: same path, another file id."""
    settles(synced(), A, 2, store(A, 2, again=True)).remembers(A, seen="v2", synced="")


def test_a_hint_during_a_hash_lets_the_file_rest_anew() -> None:
    """The bytes that were read may be of two saves; only a fresh rest proves otherwise (P1)."""
    (
        is_idle()
        .hears(SAVED)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says(read(A, 1))
        .hears(SAVED, after_s=1)
        .says()
        .hears(hashed(A, 1))
        .says()
        .remembers(A, seen="")
        .hears(after_s=1.25)
        .says(look_at(A))
    )


def test_a_temporary_file_that_vanishes_before_it_rests_leaves_no_trace() -> None:
    """Programs write and delete scratch files all day; they may cost a look and no row."""
    script = is_idle().hears(SAVED).says(look_at(A)).hears(saw(A, None)).says().rests()

    assert A not in script.journal.files


def test_a_touched_but_equal_file_costs_one_hash_and_nothing_else() -> None:
    """Backups and virus scanners touch thousands of files: no upload, no run (P5)."""
    (
        synced()
        .hears(SAVED)
        .says(look_at(A))
        .hears(saw(A, 2))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 2))
        .says(read(A, 2))
        .hears(hashed(A, 2, "v1"))
        .says()
        .remembers(A, seen="v1", stored="v1", synced="v1", fingerprint=look(2))
        .rests()
        .hears(after_s=1_000)
        .says()
    )


def test_a_scan_finds_what_no_hint_told() -> None:
    """Another host's write on a share makes no event here: the scan is the truth (P2)."""
    (
        synced()
        .hears(facts.HintsLost(CAD, "overflow"))
        .says()
        .hears(after_s=2)
        .says(scan())
        .hears(facts.FilesFound(CAD, ((B.path, look(1)),)), facts.Scanned(CAD, "drive", 1))
        .says()
        .works()
        .hears(after_s=5)
        .says(look_at(B))
        .hears(saw(B, 1))
        .says(read(B, 1))
        .hears(hashed(B, 1))
        .says(store(B, 1))
    )


def test_a_hint_at_the_instant_of_a_look_is_newer_than_the_look() -> None:
    """Both may arrive at once; half a second later nobody may take the file for settled (P1)."""
    script = is_idle().hears(facts.Touched(A)).says(look_at(A))

    script.hears(saw(A, 1), facts.Touched(A)).says().hears(after_s=1.25).says(look_at(A))

    script.hears(saw(A, 1)).says().hears(after_s=5).says(look_at(A)).hears(saw(A, 1))
    script.says(read(A, 1))


def test_a_scan_that_read_the_journal_before_a_digest_was_saved_starts_nothing() -> None:
    """A scan lists a file while it is being hashed; that must not settle it a second time."""
    (
        is_idle()
        .hears(facts.HintsLost(CAD, "overflow"))
        .says()
        .hears(after_s=2)
        .says(scan())
        .hears(SAVED)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says(read(A, 1))
        .hears(hashed(A, 1))
        .says(store(A, 1))
        .hears(facts.FilesFound(CAD, (("a.dgn", look(1)),)), facts.Scanned(CAD, "drive", 0))
        .says()
        .hears(after_s=60)
        .says()
    )


def test_a_newer_save_while_one_is_stored_waits_for_its_turn() -> None:
    """Two stores of one file at a time could land in either order."""
    script = settles(storing(), A, 2).remembers(A, seen="v2", stored="?")

    script.hears(facts.Stored(A, "v1", "item:a.dgn")).says(store(A, 2, again=True))


def test_quiet_times_differ_by_suffix_whatever_its_case() -> None:
    """A Revit save takes minutes, a DGN save does not."""
    source = Source(CAD, "one", CAD_SOURCE.scan_every_s, 5.0, {".rvt": 60.0})
    tower = FileKey(CAD, "Tower.RVT")

    (
        is_idle(sources=(source,))
        .hears(facts.Touched(tower))
        .says(look_at(tower))
        .hears(saw(tower, 1))
        .says()
        .hears(after_s=59.9)
        .says()
        .hears(after_s=0.1)
        .says(look_at(tower))
    )


@pytest.mark.parametrize(
    ("size_bytes", "at_a_time"),
    [(SMALL_BYTES, HASHES_MAX), (1000, SMALL_HASHES_MAX)],
    ids=["large files", "small files"],
)
def test_files_are_hashed_a_few_at_a_time(size_bytes: int, at_a_time: int) -> None:
    """Many large files at once only make a drive seek; small ones are over before we decide."""
    seen = Fingerprint(size_bytes, 10**9, 7)
    names = [f"{number:02}.dgn" for number in range(at_a_time + 2)]
    keys = [FileKey(CAD, name) for name in names]
    looks = facts.Looked(CAD, tuple((name, seen) for name in names))
    script = (
        is_idle()
        .hears(*(facts.Touched(key) for key in keys))
        .says(look_at(*keys))
        .hears(looks)
        .says()
        .hears(after_s=5)
        .says(look_at(*keys))
        .hears(looks)
        .says(*(commands.Hash(key, seen) for key in keys[:at_a_time]))
    )

    script.meanwhile(facts.Hashed(keys[0], seen, "digest"))

    assert commands.Hash(keys[at_a_time], seen) in script.said


def test_a_flock_of_files_is_looked_at_in_bounded_portions() -> None:
    """A copied project of 50,000 files must not become one command and one commit."""
    keys = [FileKey(CAD, f"{number:03}.dgn") for number in range(LOOKS_MAX + 1)]

    (
        is_idle()
        .hears(*(facts.Touched(key) for key in keys))
        .says(look_at(*keys[:LOOKS_MAX]))
        .hears(after_s=0.01)
        .says(look_at(keys[-1]))
    )


def test_a_file_that_cannot_be_read_is_tried_ever_more_seldom_and_then_told() -> None:
    """A file that a program keeps locked must show up in the status, and recover by itself."""
    script = is_idle().hears(SAVED).says(look_at(A))

    for miss in range(UNREAD_MISSES):
        script.hears(facts.LookFailed(A, "locked"), facts.Looked(CAD, ())).says()
        is_aside = miss == UNREAD_MISSES - 1
        again = try_to_read(A) if is_aside else look_at(A)
        script.hears(after_s=5 * 2.0**miss).says(again)
    script.remembers(A, unread="locked")

    (
        script.hears(saw(A, 1))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says(read(A, 1))
        .hears(hashed(A, 1))
        .says(store(A, 1))
        .remembers(A, unread="")
    )


def test_a_retry_of_a_file_that_cannot_be_read_looks_at_it_at_once_and_names_it() -> None:
    """The button made it vanish from the page until its next turn, most of a minute later."""
    script = is_idle().hears(SAVED).says(look_at(A))
    locked = (facts.LookFailed(A, "locked"), facts.Looked(CAD, ()))
    for miss in range(UNREAD_MISSES - 1):
        script.hears(*locked).says().hears(after_s=5 * 2.0**miss).says(look_at(A))
    script.hears(*locked).says().remembers(A, unread="locked")
    assert script.machine.unsettled_files(script.now) == []

    script.hears(facts.RetryAsked(A)).says(look_at(A)).remembers(A, unread="")

    (waiting,) = script.machine.unsettled_files(script.now)
    assert (waiting.path, waiting.awaits) == (A.path, "it must stay unchanged for its quiet time")


def test_a_file_that_failed_once_says_why_it_is_waited_for() -> None:
    """Whoever asks before it is set aside must learn that it is incomplete, not unreadable."""
    script = is_idle().hears(SAVED).says(look_at(A)).hears(saw(A, 1)).says()
    script.hears(after_s=5).says(look_at(A)).hears(saw(A, 1)).says(read(A, 1))

    script.hears(facts.HashMissed(A, "a.dgn is incomplete: its end is missing")).says()

    (waiting,) = script.machine.unsettled_files(script.now)
    assert waiting.awaits == "a.dgn is incomplete: its end is missing; it is tried again"


def test_a_hash_that_missed_lets_the_file_settle_again() -> None:
    """A file that changes while it is read is being saved, which is no error."""
    (
        is_idle()
        .hears(SAVED)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says(read(A, 1))
        .hears(facts.HashMissed(A, "changed while it was read", moved=True))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 2))
        .says()
        .remembers(A, unread="", seen="")
        .works()
    )


def test_a_file_that_changes_during_every_read_is_unsettled_not_unreadable() -> None:
    """A file that is being written can be read: it is named as such, and never set aside."""
    script = is_idle().hears(SAVED).says(look_at(A))
    moved = facts.HashMissed(A, "changed while it was read", moved=True)

    for save in range(1, UNREAD_MISSES + 2):
        script.hears(saw(A, save)).says()
        script.hears(after_s=5).says(look_at(A)).hears(saw(A, save)).says(read(A, save))
        script.hears(moved).says()
        script.hears(after_s=5 * 2.0 ** (save - 1)).says(look_at(A))

    script.remembers(A, unread="", seen="").works()
    (waiting,) = script.machine.unsettled_files(script.now)
    assert FileKey(waiting.source, waiting.path) == A
    assert "it keeps changing while its content is read" in waiting.awaits


def test_a_file_that_looks_unchanged_and_never_reads_the_same_is_set_aside() -> None:
    """Some file systems show one file in two ways for ever; nothing may wait for it (P9)."""
    script = is_idle().hears(SAVED).says(look_at(A))
    moved = facts.HashMissed(A, "changed while it was read", moved=True)

    for miss in range(UNREAD_MISSES + 1):
        script.hears(saw(A, 1)).says()
        script.hears(after_s=5).says(look_at(A)).hears(saw(A, 1)).says(read(A, 1))
        script.hears(moved).says()
        is_aside = miss == UNREAD_MISSES
        again = try_to_read(A) if is_aside else look_at(A)
        script.hears(after_s=min(5 * 2.0**miss, 20.0)).says(again)

    script.remembers(A, unread="changed while it was read")


def test_a_file_that_is_only_looked_at_is_not_said_to_be_written() -> None:
    """Files of the same content as a new one were named as if somebody were saving them."""
    settler = Settler(lambda _key: 5.0)

    def awaits() -> str:
        ((_, _, said),) = settler.longest_unsettled(1)
        return said

    settler.touched(A, 10.0, "it may have been renamed")
    assert awaits() == "it may have been renamed"
    settler.due(10.0, 1)
    settler.looked(A, look(1), 10.0)
    assert awaits() == "it may have been renamed"

    settler.touched(A, 11.0)
    assert awaits() == "it must stay unchanged for its quiet time"
