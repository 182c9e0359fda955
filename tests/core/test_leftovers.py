# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What the cloud has of ours and the drive has not, where nobody saw it go."""

from __future__ import annotations

from core_script import (
    CAD,
    A,
    Script,
    hashed,
    look,
    look_at,
    read,
    saw,
    scan,
    scanned,
    storage_id,
    synced,
)
from test_comparison import COMPARE, restarted

from twinsyncd.core import commands, facts
from twinsyncd.core.events import EventKind
from twinsyncd.core.file_changes import LEFT, is_leftover
from twinsyncd.core.model import IN_DOUBT, STAYS, BlindSpot, FileKey, FileRow

OLD = FileKey(CAD, "old.dgn")
FOUND = facts.Compared("one", others=(("i9", "old.dgn"),), leftovers=((OLD, "i9"),))
NOTHING = facts.Compared("one")


def found() -> Script:
    """Begin with a file that the comparison at the start found in the cloud alone."""
    return restarted().says().hears(FOUND).says()


def test_a_file_that_only_the_cloud_has_waits_for_a_person() -> None:
    """A journal made anew said "in sync", although Storage and the iModel hold a deleted file."""
    script = found()

    script.remembers(OLD, seen="", aside=LEFT, storage_id="i9", in_connection=True)
    script.rests()


def test_a_retry_does_not_silence_it() -> None:
    """An upgrade tries all again that was set aside; nothing of this is on the drive."""
    for asked in (facts.RetryAsked(), facts.RetryAsked(OLD)):
        found().hears(asked).remembers(OLD, aside=LEFT)


def test_nothing_counts_as_left_over_before_its_drive_was_listed_whole() -> None:
    """After a restart the file may be there, and not read yet; it would be uploaded again."""
    script = synced(compares=True).dies().hears().says(scan(), COMPARE).hears(FOUND).says()
    script.remembers(OLD, aside="", storage_id="")

    script.hears(scanned(1)).says()
    script.hears(after_s=60).says(COMPARE).hears(FOUND).remembers(OLD, aside=LEFT)


def test_nothing_counts_as_left_over_where_somebody_cannot_look() -> None:
    """It may lie in the folder that cannot be read."""
    script = synced(compares=True).dies().hears().says(scan(), COMPARE)
    blind = facts.Scanned(CAD, "drive", 1, (), blind=(BlindSpot("secret", "permission denied"),))

    script.hears(blind, FOUND).remembers(OLD, aside="", storage_id="")


def test_a_file_of_the_drive_is_not_left_over_however_it_is_in_the_cloud() -> None:
    """Another file of its name in Storage is somebody's; its own one is on its way."""
    twin = facts.Compared("one", leftovers=((A, "i9"),))

    restarted().says().hears(twin).says().remembers(A, aside="", storage_id=storage_id(A))


def test_it_stays_named_while_the_connection_holds_it() -> None:
    """Deleted in Storage alone, or not looked up this time: every run fails on it, or reads it."""
    mapped = facts.Compared("one", others=FOUND.others)
    script = found().hears(facts.SyncAsked()).says(scan(), COMPARE).hears(scanned(1), mapped)

    script.remembers(OLD, aside=LEFT, in_connection=True)


def test_it_ends_when_it_is_out_of_the_connection() -> None:
    """A person took it out, by forget or in the portal."""
    script = found().hears(facts.SyncAsked()).says(scan(), COMPARE).hears(scanned(1), NOTHING)

    script.remembers(OLD, aside="", in_connection=False, note=STAYS)
    assert [each.path for each in script.journal.events if each.kind is EventKind.FILE_REMOVED] == [
        OLD.path
    ]


def test_it_ends_when_the_file_is_put_back() -> None:
    """It is stored to the id that it had, so that the iModel keeps its elements."""
    script = found().hears(facts.Touched(OLD)).says(look_at(OLD)).hears(saw(OLD, 2)).says()
    script.hears(after_s=5).says(look_at(OLD)).hears(saw(OLD, 2)).says(read(OLD, 2))

    script.hears(hashed(OLD, 2))

    script.says(commands.Store(OLD, "one", "v2", look(2), "i9"))
    script.remembers(OLD, aside="", seen="v2", storage_id="i9")


def test_what_is_gone_and_was_refused_is_not_left_over() -> None:
    """Its doubt was forgotten by the next comparison, as if a person had taken it out."""
    assert not is_leftover(FileRow(A, stored=IN_DOUBT, aside="the service refuses it"))
