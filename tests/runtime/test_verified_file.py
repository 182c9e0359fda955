# mypy: disable-error-code="arg-type"
# Keys are written as plain text here.
"""The verdict on one file: what could not be read is never called gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinsyncd.core.facts import Difference, Differs
from twinsyncd.core.file_changes import LEFT
from twinsyncd.core.model import ABSENT, IN_DOUBT, FileKey, FileRow, Fingerprint, SourceKey
from twinsyncd.core.results import Outcome, RunFile
from twinsyncd.core.safety import CONFIRM_S
from twinsyncd.runtime.formatting import clock_time
from twinsyncd.runtime.found_files import Cloud, Drive, JournalEntry
from twinsyncd.runtime.verified_file import Verdict, VerifiedFile, judge

CAD = "Bridge 12/cad"
LOOK = Fingerprint(7, 1, 1)
CLOUD = Cloud({}, "", frozenset(), all_changesets=False)


def verdict(path: str, drive: Drive) -> tuple[str, Verdict]:
    """Return what is said of the drive and of a file that was synced."""
    key = FileKey(CAD, path)
    row = FileRow(key, LOOK, "v1", "v1", "v1", storage_id="i", in_connection=True)
    judged = judge(key, JournalEntry(row), drive, CLOUD, None)
    return judged.drive, judged.verdict


@pytest.mark.parametrize("blind", ["a", "a/b", "a/b/1.dxf"])
def test_a_file_below_what_cannot_be_read_is_not_called_gone(blind: str) -> None:
    """It may well be there; "kept" would say that somebody deleted it."""
    drive = Drive(blind={FileKey(CAD, blind): "Permission denied"})

    said, _ = verdict("a/b/1.dxf", drive)

    assert said == "not read: Permission denied"


@pytest.mark.parametrize("blind", ["a/c", "a/b/1", "a/b/2.dxf"])
def test_a_file_beside_what_cannot_be_read_is_gone(blind: str) -> None:
    """Its folder was listed, and it was not in it."""
    drive = Drive(blind={FileKey(CAD, blind): "Permission denied"})

    assert verdict("a/b/1.dxf", drive) == (
        "not there any more, which a sync has not decided yet",
        Verdict.NOT_CURRENT,
    )


def test_a_file_is_kept_once_it_counts_as_gone() -> None:
    """Before that `on_delete` has not had its say."""
    row = FileRow(FileKey(CAD, "1.dxf"), None, "", "v1", "v1", storage_id="i", in_connection=True)

    assert judge(row.key, JournalEntry(row), Drive(), CLOUD, None).verdict is Verdict.KEPT


def test_the_next_step_of_a_file_set_aside_is_what_ends_that() -> None:
    """It was "twinsyncd sync", which tries nothing that waits for a person."""
    key = FileKey(CAD, "a.dxf")
    row = FileRow(key, LOOK, "v1", IN_DOUBT, aside="invalid characters")

    found = judge(key, JournalEntry(row), Drive({key: LOOK}), CLOUD, None)

    assert found.verdict is Verdict.NOT_CURRENT
    assert found.next_step == "twinsyncd retry, once this is mended: invalid characters"
    assert found.storage == "not known: an upload ended in trouble"


def test_what_only_the_cloud_has_is_not_called_kept() -> None:
    """ "Kept" is what somebody chose; of this nobody knows when it left the drive."""
    key = FileKey(CAD, "old.dxf")
    row = FileRow(key, storage_id="i9", in_connection=True, aside=LEFT)

    found = judge(key, JournalEntry(row), Drive(), CLOUD, None)

    assert found.verdict is Verdict.NOT_CURRENT
    assert "twinsyncd forget --delete" in found.next_step


@pytest.mark.parametrize(
    ("read", "advice"),
    [("v2", "twinsyncd retry 'Bridge 12/cad/a.dxf'"), ("v1", ""), (None, "")],
    ids=["other content", "same content", "not read"],
)
def test_what_only_reading_finds_is_not_left_to_a_sync(read: str | None, advice: str) -> None:
    """It advised a sync, which compares sizes and times and mends nothing."""
    key = FileKey(CAD, "a.dxf")
    row = FileRow(key, LOOK, "v1", "v1", "v1", storage_id="i", in_connection=True)
    run = RunFile("c", "runs/9", CAD, "a.dxf", "i", "v1", Outcome.SUCCEEDED, 1.0)
    digest = None if read is None else lambda: read

    found = judge(key, JournalEntry(row, run), Drive({key: LOOK}), CLOUD, digest)

    assert found.next_step == advice


def test_a_file_that_came_back_waits_for_a_sync_and_not_for_a_retry() -> None:
    """Nothing of it is proven, so there is nothing that a retry could doubt."""
    key = FileKey(CAD, "a.dxf")
    row = FileRow(key, storage_id="i")

    found = judge(key, JournalEntry(row), Drive({key: LOOK}), CLOUD, lambda: "v1")

    assert found.next_step == "twinsyncd sync"


def test_a_file_that_failed_in_a_later_run_for_others_is_unknown_and_says_what_helps() -> None:
    """It was "not current, twinsyncd sync", which does nothing: the file has not changed."""
    key = FileKey(CAD, "a.dxf")
    row = FileRow(key, LOOK, "v1", "v1", "v1", storage_id="i", in_connection=True)
    failed = RunFile("c", "runs/9", CAD, "a.dxf", "i", ABSENT, Outcome.FAILED, 1.0, message="odd")

    found = judge(key, JournalEntry(row, failed), Drive({key: LOOK}), CLOUD, None)

    assert found.verdict is Verdict.UNKNOWN
    assert found.run == (
        "run 9, which was for other files, failed on it: odd; its content went in before"
    )
    assert "save it again" in found.next_step


def test_a_file_that_somebody_renamed_in_storage_is_not_current() -> None:
    """It was called current, while every run of its connection may fail on its new name."""
    key, text = FileKey(CAD, "a.dxf"), "somebody renamed it in Storage to 'a.txt'"
    row = FileRow(key, LOOK, "v1", "v1", "v1", storage_id="i", in_connection=True)
    proof = RunFile("c", "runs/9", CAD, "a.dxf", "i", "v1", Outcome.SUCCEEDED, 1.0)
    cloud = Cloud({key: [Difference(key, Differs.MISPLACED, text)]}, "", frozenset(), True)

    found = judge(key, JournalEntry(row, proof), Drive({key: LOOK}), cloud, None)

    assert (found.verdict, found.storage) == (Verdict.NOT_CURRENT, text)
    assert found.next_step == "twinsyncd sync"


@pytest.mark.parametrize(
    ("found_then", "shown"),
    [("", "0123456789ab"), ("fedcba98765432100000", "fedcba987654")],
    ids=["not found when the run ended", "found"],
)
def test_a_changeset_that_was_not_found_at_the_runs_end_is_found_by_its_task(
    found_then: str, shown: str
) -> None:
    """One answer got lost, and the file never had a changeset to show to an auditor."""
    key, here = FileKey(CAD, "a.dxf"), "0123456789ab0000"
    row = FileRow(key, LOOK, "v1", "v1", "v1", storage_id="i", in_connection=True)
    run = RunFile(
        "c", "runs/9", CAD, "a.dxf", "i", "v1", Outcome.SUCCEEDED, 1.0, "task-1", found_then
    )
    cloud = Cloud({}, "", frozenset({here, found_then}), True, {"task-1": here, "task-2": "x"})

    found = judge(key, JournalEntry(row, run), Drive({key: LOOK}), cloud, None)

    assert (found.changeset, found.verdict) == (shown, Verdict.CURRENT)


GONE = FileKey(CAD, "gone.dxf")
KEPT = FileRow(GONE, None, "", "v1", "v1", storage_id="i", in_connection=True)


def kept(row: FileRow = KEPT, cloud: Cloud = CLOUD, **more: object) -> VerifiedFile:
    """Return what is said of a file that is not on the drive any more."""
    proof = RunFile("c", "runs/9", CAD, row.key.path, "i", "v1", Outcome.SUCCEEDED, 1.0)
    return judge(row.key, JournalEntry(row, proof), replace(Drive(), **more), cloud, None)


def test_a_kept_file_of_which_the_cloud_is_not_known_is_not_known() -> None:
    """ "Kept" won, and the exit code was 0 while nobody could look."""
    found = kept(cloud=replace(CLOUD, problem="no right"))

    assert (found.verdict, found.storage) == (Verdict.UNKNOWN, "unknown: no right")


def test_nothing_is_said_to_be_mended_of_what_is_not_on_the_drive() -> None:
    """ "It is uploaded again" was said of a file that nobody has."""
    text = "somebody deleted it in Storage; it is uploaded again"
    missing = Difference(GONE, Differs.MISSING, text)
    found = kept(cloud=replace(CLOUD, differences={GONE: [missing]}))

    assert found.verdict is Verdict.KEPT
    assert found.storage == (
        "somebody deleted it in Storage; it is not on the drive any more, so that is not mended"
    )


def test_a_deletion_that_waits_says_which_sync_decides_it() -> None:
    """A sync at once decides nothing: two lists a minute apart must lack the file."""
    row = replace(KEPT, seen="v1", fingerprint=LOOK)

    named, unnamed = kept(row, missed_s={GONE: 1_000.0}), kept(row)

    assert named.next_step == f"twinsyncd sync, after {clock_time(1_000.0 + CONFIRM_S)}"
    assert unnamed.next_step == "twinsyncd sync, and once more a minute later"


def test_an_upload_whose_end_is_not_known_is_not_called_under_way() -> None:
    """While the connection is halted nothing is under way."""
    row = replace(KEPT, seen="v1", fingerprint=LOOK, stored=IN_DOUBT)

    assert kept(row).storage == "not known: an upload was begun, and its end is not known"


def test_a_forgotten_file_was_processed_by_the_run_that_brought_it() -> None:
    """ "No run processed it" stood beside the changeset that the run wrote."""
    found = kept(replace(KEPT, synced=ABSENT, in_connection=False))

    assert (found.run, found.verdict) == ("run 9, the last one that processed it", Verdict.KEPT)


@pytest.mark.parametrize(
    ("found", "next_step"),
    [
        (Drive(blind={GONE: "Permission denied"}), "make it readable"),
        (Drive(blind={GONE: "it does not answer; see the server"}), "see the server"),
        (
            Drive(offline={SourceKey(CAD): "the drive does not answer since noon"}),
            "connect the drive, or see whether its server runs and can be reached",
        ),
    ],
)
def test_what_is_not_read_says_what_helps(found: Drive, next_step: str) -> None:
    """ "Make it readable" was the advice for a server that is gone."""
    judged = kept(blind=found.blind, offline=found.offline)

    assert judged.verdict is Verdict.UNKNOWN
    assert judged.next_step == next_step
    assert ";" not in judged.drive
