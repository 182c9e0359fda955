# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Plays of files that are renamed or moved: they stay what they are in the cloud."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from core_script import (
    CAD,
    CAD_SOURCE,
    LOOK_AT_RUN,
    START,
    STARTED,
    A,
    Script,
    failure,
    hashed,
    is_idle,
    look,
    look_at,
    place,
    prepare,
    prepared,
    read,
    result,
    running,
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
from twinsyncd.core.file_changes import exchanged
from twinsyncd.core.model import Fault, FileKey, FileRow, Fingerprint, LaneKey, SourceKey
from twinsyncd.core.moves import GONE_S
from twinsyncd.core.placements import PLACE_TRIES
from twinsyncd.core.results import Outcome
from twinsyncd.core.safety import CONFIRM_S
from twinsyncd.core.setup import Connection, Source
from twinsyncd.core.source_state import SCAN_SOON_S

NEW = FileKey(CAD, "new name.dgn")
ELSEWHERE = FileKey(CAD, "archive/a.dgn")
A_ID = storage_id(A)
PLACE_NEW = place(NEW, A_ID)


def renamed(script: Script, key: FileKey = NEW, *, digest: str = "v1") -> Script:
    """Let A be renamed to `key`, both of which the watcher reports, until `key` was read."""
    seen = facts.Looked(CAD, ((A.path, None), (key.path, look(1))))
    script.hears(facts.Touched(A), facts.Touched(key)).says(look_at(A, key)).hears(seen).says()
    script.hears(after_s=SCAN_SOON_S + 1.5).says(scan()).hears(scanned(1, A)).says()
    script.hears(after_s=5 - SCAN_SOON_S - 1.5).says(look_at(key)).hears(saw(key, 1))
    return script.says(read(key, 1)).hears(hashed(key, 1, digest))


def events(script: Script, kind: EventKind) -> list[tuple[str, str]]:
    """Return path and text of the events of a kind."""
    return [(event.path, event.text) for event in script.journal.events if event.kind is kind]


def test_a_renamed_file_keeps_its_id_and_needs_no_run() -> None:
    """Its elements in the iModel keep their history; nothing is uploaded."""
    script = renamed(synced()).says(PLACE_NEW)
    script.remembers(
        NEW, seen="v1", stored="v1", synced="v1", storage_id=A_ID, in_connection=True, moved_from=A
    )
    script.remembers(A, seen="", stored="", synced="", storage_id="", in_connection=False)

    script.hears(facts.Placed(NEW)).says().remembers(NEW, moved_from=None).rests()

    assert events(script, EventKind.FILE_RENAMED) == [(NEW.path, f"{CAD}/{A.path}")]
    assert events(script, EventKind.FILE_GONE) == []


def test_a_file_that_a_person_doubts_is_the_same_file_when_it_is_renamed() -> None:
    """It was forgotten at once, so the renamed one was a second file with the same elements."""
    script = synced().hears(facts.RetryAsked(A)).says(look_at(A))

    script.hears(facts.Touched(A), facts.Touched(NEW)).says(look_at(NEW))
    script.hears(facts.Looked(CAD, ((A.path, None),)), saw(NEW, 1)).says()
    script.hears(after_s=SCAN_SOON_S + 1.5).says(scan()).hears(scanned(1, A)).says()
    script.hears(after_s=5 - SCAN_SOON_S - 1.5).says(look_at(NEW)).hears(saw(NEW, 1))
    script.says(read(NEW, 1)).hears(hashed(NEW, 1)).says(PLACE_NEW)

    script.remembers(NEW, stored="v1", synced="v1", storage_id=A_ID, moved_from=A)


def test_a_renaming_that_was_cut_off_is_done_after_a_restart() -> None:
    """The service's answer was lost with the process; renaming twice changes nothing (P8)."""
    script = renamed(synced()).says(PLACE_NEW).dies().hears()

    script.says(scan(), PLACE_NEW).hears(facts.Placed(NEW)).says()

    script.hears(scanned(1)).says().rests()


def test_a_file_that_was_renamed_and_edited_in_another_folder_is_known_by_its_file_id() -> None:
    """The daemon was down meanwhile, so no content says what it was."""
    script = renamed(synced(), ELSEWHERE, digest="v2")

    script.says(place(ELSEWHERE, A_ID)).remembers(ELSEWHERE, stored="v1", synced="v1")

    script.hears(facts.Placed(ELSEWHERE))
    script.says(commands.Store(ELSEWHERE, "one", "v2", look(1), A_ID))


def test_another_content_under_another_name_is_another_file() -> None:
    """File systems give the number of a deleted file to the next one that is created."""
    script = renamed(synced(), digest="v2")

    script.says(commands.Store(NEW, "one", "v2", look(1), ""))
    script.remembers(A, seen="v1", stored="v1", storage_id=A_ID)


def test_a_file_of_another_kind_is_not_what_was_renamed() -> None:
    """A drawing that becomes a reference is read by no connector any more."""
    script = renamed(synced(), FileKey(CAD, "xref/a.dgn"))

    script.says(commands.Store(FileKey(CAD, "xref/a.dgn"), "one", "v1", look(1), ""))


def test_a_renamed_folder_is_no_mass_deletion() -> None:
    """All of it is there under other names, so nobody has to approve anything."""
    before = [FileKey(CAD, f"old/{number:02}.dgn") for number in range(25)]
    after = [FileKey(CAD, f"new/{number:02}.dgn") for number in range(25)]
    script = is_idle(uploads_max=25)
    for number, key in enumerate(before):
        script.meanwhile(facts.FilesFound(CAD, ((key.path, mark(number)),)))
    settle(script, before)
    script.meanwhile(*(facts.Stored(key, f"d{n}", storage_id(key)) for n, key in enumerate(before)))
    script.meanwhile(after_s=25).meanwhile(prepared(*before))
    script.meanwhile(STARTED).meanwhile(after_s=0.25)
    good = tuple(result(key) for key in before)
    script.meanwhile(facts.RunSeen("one", "run-1", Outcome.SUCCEEDED, files=good))
    script.remembers(before[7], synced="d7").rests()

    script.meanwhile(facts.HintsLost(CAD, "overflow")).meanwhile(after_s=2)
    found = tuple((key.path, mark(number)) for number, key in enumerate(after))
    script.meanwhile(facts.FilesFound(CAD, found), scanned(25, *before))
    script.source(offline="", needs_person=False)
    said = settle(script, after)

    assert said == [place(key, storage_id(old)) for key, old in zip(after, before, strict=True)]
    assert events(script, EventKind.FILE_GONE) == []
    script.meanwhile(*(facts.Placed(key) for key in after)).says()
    script.remembers(after[7], stored="d7", synced="d7", storage_id=storage_id(before[7]))


def mark(number: int) -> Fingerprint:
    """Return how one of many files looks."""
    return Fingerprint(1000 + number, 10**9, 500 + number)


def settle(script: Script, keys: list[FileKey]) -> list[commands.Command]:
    """Let files that a scan found come to rest and be read; return what is said then."""
    looks = facts.Looked(CAD, tuple((key.path, mark(n)) for n, key in enumerate(keys)))
    script.meanwhile(after_s=5).meanwhile(looks)
    said: list[commands.Command] = []
    for number, key in enumerate(keys):
        script.meanwhile(facts.Hashed(key, mark(number), f"d{number}"))
        said += script.said
    return [each for each in said if not isinstance(each, commands.Hash)]


def test_a_copy_is_another_file() -> None:
    """Its original is looked at first, since a hint about that may come later; it is there."""
    script = settles(synced(), NEW, 1, look_at(A))

    script.hears(saw(A, 1)).says(store(NEW, 1))


def test_a_file_whose_original_turns_out_to_be_gone_was_moved() -> None:
    """The list of the other folder, or its hint, came after the news of this one."""
    script = settles(synced(), NEW, 1, look_at(A)).hears(saw(A, None)).says()
    script.hears(after_s=SCAN_SOON_S).says(scan()).hears(scanned(1, A)).says()

    script.hears(after_s=GONE_S).says(PLACE_NEW)


def test_a_save_that_replaces_the_file_leaves_it_what_it_was() -> None:
    """The original is away for a moment while its copy comes to rest; that is no rename."""
    script = settles(synced(), NEW, 1, look_at(A)).hears(saw(A, None)).says()
    script.hears(after_s=SCAN_SOON_S).says(scan()).hears(scanned(1, A)).says()

    script.hears(facts.Touched(A), after_s=1).says(look_at(A)).hears(saw(A, 2)).says(store(NEW, 1))
    script.remembers(A, storage_id=A_ID, synced="v1")


def test_who_takes_the_earlier_name_waits_until_storage_has_given_it_up() -> None:
    """Its store would adopt the file that still has this name there."""
    script = renamed(synced()).says(PLACE_NEW)

    settles(script, A, 3)

    script.hears(facts.Placed(NEW)).says(store(A, 3))


def test_no_file_is_renamed_in_storage_during_a_run_of_ours() -> None:
    """What a run reads stays as it is (P4); its result counts before."""
    seen = facts.Looked(CAD, ((A.path, None), (NEW.path, look(1))))
    script = running().meanwhile(facts.Touched(A), facts.Touched(NEW)).meanwhile(seen)
    script.meanwhile(after_s=2).meanwhile(scanned(1, A)).meanwhile(after_s=3)
    script.meanwhile(saw(NEW, 1)).meanwhile(hashed(NEW, 1)).says().remembers(NEW, storage_id="")

    ended = facts.RunSeen("one", "run-1", Outcome.SUCCEEDED, files=(result(A),))
    script.hears(ended).says(PLACE_NEW).remembers(NEW, synced="v1")


def test_a_renaming_that_storage_refuses_leads_to_a_new_file_in_its_place() -> None:
    """The iModel must not hold both, so the earlier source file is taken out."""
    script = renamed(synced()).says(PLACE_NEW)
    refused = facts.PlaceFailed(NEW, failure(Fault.REFUSED, "a file of that name exists"))

    script.hears(refused).says(store(NEW, 1)).remembers(NEW, replaces=(A_ID,), storage_id="")

    script.hears(stored(NEW, 1)).says().hears(after_s=25)
    expected = commands.ExpectedFile(NEW, storage_id(NEW), replaces=(A_ID,))
    script.says(replace(prepare(), files=(expected,), last_run="run-1"))


def test_a_renaming_that_keeps_failing_is_given_up() -> None:
    """While other calls succeed it is this one's own trouble (P9)."""
    script = renamed(synced())
    for _ in range(PLACE_TRIES - 1):
        script.says(PLACE_NEW).hears(facts.PlaceFailed(NEW, failure(Fault.TRANSIENT)))
        script.says().lane(attempts=1)
        script.machine._lanes[LaneKey("imodel")].state.set(attempts=0)
        script.hears(after_s=1)
    script.says(PLACE_NEW).hears(facts.PlaceFailed(NEW, failure(Fault.TRANSIENT))).says()

    script.hears(after_s=1).says(store(NEW, 1))


def test_a_file_that_is_gone_from_storage_is_uploaded_again() -> None:
    """Somebody deleted it there while it was being renamed here."""
    script = renamed(synced()).says(PLACE_NEW)

    script.hears(facts.PlaceFailed(NEW, failure(Fault.GONE)))

    script.says(commands.Store(NEW, "one", "v1", look(1), A_ID))


def test_a_file_that_is_renamed_back_is_renamed_back_in_storage() -> None:
    """One after the other, since the answer to the first may have been lost."""
    script = renamed(synced()).says(PLACE_NEW)
    gone = facts.PlaceFailed(NEW, failure(Fault.THROTTLED, retry_after_s=60.0))
    script.hears(gone).says()
    back = facts.Looked(CAD, ((A.path, look(1)), (NEW.path, None)))
    script.hears(facts.Touched(A), facts.Touched(NEW)).says(look_at(A, NEW)).hears(back).says()
    script.hears(after_s=2).says(scan()).hears(scanned(1, NEW)).says()
    script.hears(after_s=3).says(look_at(A)).hears(saw(A, 1)).says(read(A, 1))
    script.hears(hashed(A, 1)).says().remembers(A, storage_id="")

    script.meanwhile(after_s=60).meanwhile(facts.Placed(NEW)).says(place(A, A_ID))

    script.hears(facts.Placed(A), scanned(1)).says().rests()
    script.remembers(A, seen="v1", synced="v1", storage_id=A_ID, moved_from=None)


def test_a_file_that_was_stored_in_the_place_of_another_gets_one_of_its_own() -> None:
    """A renaming that came late left the earlier name in Storage, and a store adopted it (P8)."""
    script = renamed(synced()).says(PLACE_NEW).hears(facts.Placed(NEW)).says()
    settles(script, A, 3, store(A, 3))

    script.hears(facts.Reserved(A, A_ID), facts.Stored(A, "v3", A_ID)).says(place(NEW, A_ID))

    script.hears(facts.Placed(NEW))
    script.says(store(A, 3), commands.Store(NEW, "one", "v1", look(1), A_ID))
    script.remembers(A, storage_id="", stored="?").remembers(NEW, storage_id=A_ID, synced="")


def test_two_stores_into_one_file_of_storage_prove_neither() -> None:
    """Which content is there nobody knows: the answer of the one came before the other's (P12)."""
    script = renamed(synced()).says(PLACE_NEW).hears(facts.Placed(NEW)).says()
    settles(script, A, 3, store(A, 3))
    settles(script, NEW, 2, commands.Store(NEW, "one", "v2", look(2), A_ID))
    script.meanwhile(facts.Reserved(A, A_ID)).meanwhile(facts.Stored(NEW, "v2", A_ID))
    script.remembers(NEW, stored="?", synced="")

    script.meanwhile(facts.Stored(A, "v3", A_ID)).meanwhile(facts.Placed(NEW))

    script.remembers(NEW, storage_id=A_ID, stored="?").remembers(A, storage_id="", stored="?")
    assert len(events(script, EventKind.FILE_STORED)) == 1


def test_a_file_that_storage_calls_by_the_name_of_a_new_one_becomes_that_one() -> None:
    """It was renamed and edited, and the journal of before was put back (P8).

    With a file of its own the new one would be in the iModel twice, since what is gone stays.
    """
    script = renamed(synced(), digest="v2")
    script.says(commands.Store(NEW, "one", "v2", look(1), ""))

    script.hears(facts.Reserved(NEW, A_ID)).says()

    script.remembers(NEW, stored="?", synced="", storage_id=A_ID, in_connection=True)
    script.remembers(NEW, moved_from=None).remembers(A, seen="", stored="", storage_id="")
    script.hears(facts.Stored(NEW, "v2", A_ID)).says().remembers(NEW, stored="v2")
    assert events(script, EventKind.FILE_RENAMED) == [(NEW.path, f"{CAD}/{A.path}")]
    assert events(script, EventKind.FILE_DIFFERS) == []


def test_a_file_whose_id_is_just_being_renamed_in_storage_is_renamed_after_that() -> None:
    """Two renamings of one item at a time end in either order, so under either name (P13)."""
    script = synced(compares=True).dies().hears().meanwhile(scanned(1))
    misplaced = facts.Difference(A, facts.Differs.MISPLACED, "somebody")
    script.hears(facts.Compared("one", (misplaced,))).says(place(A, A_ID))
    renamed(script, digest="v2").says(commands.Store(NEW, "one", "v2", look(1), ""))

    script.hears(facts.Reserved(NEW, A_ID)).says()

    script.remembers(NEW, storage_id=A_ID, moved_from=A).remembers(A, storage_id="")
    script.hears(facts.Stored(NEW, "v2", A_ID)).says()
    script.hears(facts.Placed(A)).says(PLACE_NEW)


def test_a_file_that_is_another_one_in_the_cloud_by_now_is_not_refused_for_what_it_was() -> None:
    """The service refused the id that it had, of a content that somebody had deleted (P9)."""
    other = FileRow(A, seen="v2", stored="v1", synced="v1", storage_id=A_ID, in_connection=True)
    gone = FileRow(NEW, seen="v1", stored="v2", storage_id="deleted", aside="refused", attempts=3)

    of_new, of_a = exchanged(other, gone)

    assert (of_new.storage_id, of_new.synced, of_a.storage_id) == (A_ID, "v1", "deleted")
    assert (of_new.aside, of_new.attempts) == ("", 0)
    assert exchanged(other, replace(gone, unread="locked"))[0].unread == "locked"


def test_a_file_that_moves_to_another_source_of_its_connection_stays_what_it_is() -> None:
    """Two folders of one connection are one set of source files."""
    bim = Source("one/bim", "one", scan_every_s=1e6)
    moved = FileKey("one/bim", A.path)
    script = Script(sources=(CAD_SOURCE, bim)).hears()
    script.says(scan(""), commands.Scan("one/bim", ""))
    script.hears(scanned(0), facts.Scanned("one/bim", "drive", 0)).says()
    settles(script, A, 1, store(A, 1)).hears(stored(A, 1)).says()
    script.hears(after_s=25).says(prepare(A, remote="")).hears(prepared(A)).says(START)
    script.hears(STARTED).says().hears(after_s=0.25).says(LOOK_AT_RUN)
    script.hears(facts.RunSeen("one", "run-1", Outcome.SUCCEEDED, files=(result(A),))).says()

    settles(script, moved, 1, look_at(A)).hears(saw(A, None)).says()
    script.hears(after_s=SCAN_SOON_S).says(scan()).hears(scanned(1, A)).says()

    script.hears(after_s=GONE_S).says(place(moved, A_ID)).hears(facts.Placed(moved)).says()
    script.rests().hears(after_s=CONFIRM_S).says(scan()).hears(scanned(0)).says().rests()


def test_a_file_that_moves_to_another_connection_is_a_new_one_there() -> None:
    """Its source file belongs to the connection it was in."""
    connections = (Connection("one", "imodel"), Connection("two", "imodel"))
    sources = (CAD_SOURCE, Source("two/bim", "two", scan_every_s=1e6))
    moved = FileKey("two/bim", A.path)
    script = Script(connections=connections, sources=sources).hears()
    script.says(scan(""), commands.Scan("two/bim", ""))
    script.hears(scanned(0), facts.Scanned("two/bim", "drive", 0)).says()
    settles(script, A, 1, store(A, 1)).hears(stored(A, 1)).says()

    settles(script, moved, 1, store(moved, 1, connection="two"))


def test_many_equal_files_that_move_cost_one_question_and_keep_their_names() -> None:
    """Files copied from one template are all equal; each decision asks for them once."""
    before = [FileKey(CAD, f"old/{number:03}.dgn") for number in range(120)]
    after = [FileKey(CAD, f"new/{number:03}.dgn") for number in range(120)]
    script = is_idle(uploads_max=len(after))
    for number, key in enumerate(before):
        stored_ = FileRow(
            key,
            mark(number),
            "same",
            "same",
            "same",
            storage_id=storage_id(key),
            in_connection=True,
        )
        script.journal.files[key] = stored_
    found = tuple((key.path, replace(mark(n), file_id=0)) for n, key in enumerate(after))
    script.meanwhile(facts.HintsLost(CAD, "overflow")).meanwhile(after_s=2)
    script.meanwhile(facts.FilesFound(CAD, found), scanned(120, *before))
    script.meanwhile(after_s=5).meanwhile(facts.Looked(CAD, found))
    asked: list[str] = []
    with_content = script.journal.with_content

    def ask(sources: Iterable[SourceKey], digests: Collection[str]) -> list[FileRow]:
        asked.extend(digests)
        return with_content(sources, digests)

    script.journal.with_content = ask  # type: ignore[method-assign]
    said: list[commands.Command] = []
    while read_ := [each for each in script.open if isinstance(each, commands.Hash)]:
        script.meanwhile(*(facts.Hashed(e.key, e.fingerprint, "same") for e in read_))
        said += [each for each in script.said if isinstance(each, commands.Place)]

    assert said == [place(key, storage_id(old)) for key, old in zip(after, before, strict=True)]
    assert 0 < len(asked) < 10
