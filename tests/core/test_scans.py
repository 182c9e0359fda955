# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""When absence may count, when it may not, and what an unhealthy drive may never cause (P7)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_script import (
    CAD,
    CAD_SOURCE,
    SAVED,
    SELDOM_S,
    A,
    B,
    Script,
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
    settles_meanwhile,
    store,
    stored,
    storing,
    synced,
)

from twinsyncd.core import commands, facts
from twinsyncd.core.drive_facts import PART_SILENT
from twinsyncd.core.hash_queue import SMALL_HASHES_MAX
from twinsyncd.core.machine import UNSEEN
from twinsyncd.core.model import BlindSpot, Failure, Fault, FileKey, FileRow, HeldSource
from twinsyncd.core.safety import CONFIRM_S, EXAMPLES_MAX, REMEMBERED_MAX, mark_of
from twinsyncd.core.setup import Guard, Source
from twinsyncd.core.source_state import OFFLINE_BASE_S, SCAN_REST_S, SCAN_SOON_S
from twinsyncd.core.waits import CAP_S

MASS_LEAST = Guard().least
SILENT = "the drive does not answer since noon"
LOST = facts.HintsLost(CAD, "overflow")


def scanning(script: Script) -> Script:
    """Let a scan begin some time later."""
    return script.hears(LOST, after_s=10).says().hears(after_s=SCAN_SOON_S).says(scan())


def offline(reason: str) -> facts.ScanFailed:
    """Say that the source is not healthy."""
    return facts.ScanFailed(CAD, reason)


def test_what_was_not_scanned_since_the_start_is_named() -> None:
    """Whoever asks in the first minutes must not be told that all is in sync (P12)."""
    script = Script()
    before = script.machine.unlisted()

    script.hears().says(scan("")).hears(scanned(0))

    assert (before, script.machine.unlisted()) == ([CAD], [])


def silent(script: Script, reason: str = SILENT, since_s: float = 7.0) -> Script:
    """Let the share have no answer for some seconds."""
    return script.meanwhile(facts.ShareSlow(CAD, reason, since_s))


def test_what_does_not_answer_is_named_before_it_counts_as_offline() -> None:
    """For a minute all was "in sync" that nobody could read (P12)."""
    script = silent(is_idle())
    script.source(silent=SILENT, silent_since_s=7.0, offline="")

    script.hears(facts.ShareAnswers(CAD)).says()

    script.source(silent="", silent_since_s=0.0)


def test_a_folder_that_hangs_is_silent_until_a_scan_has_named_it() -> None:
    """Between the two all would be in sync (P12)."""
    script = silent(scanning(is_idle()), f"{PART_SILENT} noon")
    script.hears(facts.ShareAnswers(CAD)).says().source(CAD, silent_since_s=7.0)

    script.hears(scanned(0, blind=(BlindSpot("away", "it does not answer"),)))

    script.source(CAD, silent="", silent_since_s=0.0, blind_count=1)


def test_a_drive_is_offline_since_it_answered_last() -> None:
    """A person sees how things stood then; not when it was given up, a minute later."""
    script = silent(scanning(is_idle()))

    script.hears(facts.ScanFailed(CAD, "later", silent_since_s=70.0)).says()

    script.source(offline=SILENT, offline_since_s=7.0)


def test_a_drive_that_hangs_as_a_whole_is_not_called_a_folder_of_it() -> None:
    """First one folder did not answer, and then nothing."""
    script = silent(scanning(is_idle()), f"{PART_SILENT} noon")

    script.hears(facts.ScanFailed(CAD, SILENT, silent_since_s=70.0)).says()

    script.source(CAD, offline=SILENT, silent=SILENT)


def test_a_restart_does_not_forget_since_when_a_drive_is_silent() -> None:
    """The next process knows only since when it does not answer itself."""
    script = silent(is_idle()).dies().hears().says(scan("drive"))
    script = silent(script, "since the restart", 80.0)

    script.hears(facts.ScanFailed(CAD, "since the restart", silent_since_s=80.0)).says()

    script.source(offline=SILENT, offline_since_s=7.0)


def test_a_silent_drive_that_answers_is_scanned_at_once() -> None:
    """Its next scan would come minutes later, after so many failures."""
    script = silent(scanning(is_idle()))
    script.hears(facts.ScanFailed(CAD, SILENT, silent_since_s=7.0)).says()

    script.hears(facts.ShareAnswers(CAD)).says()

    script.hears(after_s=2.5).says(scan("drive"))


@pytest.mark.parametrize("reason", ["offline", "another drive is mounted there", "it is empty"])
def test_an_unhealthy_source_changes_no_file(reason: str) -> None:
    """An unplugged or exchanged share looks exactly like a deleted project."""
    script = synced()
    before = dict(script.journal.files)

    scanning(script).hears(offline(reason)).says().source(offline=reason, identity="drive").rests()

    assert before == script.journal.files


def test_an_unhealthy_source_is_scanned_again_ever_more_seldom() -> None:
    """A share that is away for a week must cost little, and be noticed soon when it is back."""
    script = scanning(synced())
    waits = []

    for _ in range(9):
        script.hears(offline("offline")).says()
        before_s = script.at_s
        while not script.said:
            script.hears(after_s=1)
        waits.append(script.at_s - before_s)
        script.says(scan())

    assert [OFFLINE_BASE_S * 2**n for n in range(6)] == waits[:6]
    assert waits[-1] == 300


def test_a_source_that_comes_back_is_taken_up_where_it_was() -> None:
    """The scan that finds the drive again also finds what was saved meanwhile."""
    (
        scanning(synced())
        .hears(offline("offline"))
        .says()
        .hears(after_s=OFFLINE_BASE_S)
        .says(scan())
        .hears(facts.FilesFound(CAD, ((A.path, look(2)),)), scanned(1))
        .says()
        .source(offline="")
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 2))
        .says(read(A, 2))
        .hears(hashed(A, 2))
        .says(store(A, 2, again=True))
    )


def test_hints_from_an_unhealthy_source_are_not_followed() -> None:
    """A mount point that lost its drive still makes events, about nothing."""
    scanning(synced()).hears(offline("offline")).says().hears(SAVED).says().rests()


def test_nothing_of_an_unhealthy_source_is_stored() -> None:
    """The read would fail or, worse, read another drive's file of the same name."""
    script = scanning(synced())
    script.hears(SAVED).says(look_at(A)).hears(saw(A, 2), offline("offline")).says()

    script.hears(after_s=4).says().remembers(A, seen="v1").rests()


def test_a_first_scan_accepts_any_drive_and_remembers_which() -> None:
    """From then on another drive under the same path is a mishap."""
    is_idle().source(identity="drive", offline="").hears(LOST, after_s=10).says()


def test_one_look_that_finds_nothing_is_no_deletion() -> None:
    """Programs delete and rename on every save; a look may fall in between."""
    (
        synced()
        .hears(SAVED)
        .says(look_at(A))
        .hears(saw(A, None))
        .says()
        .remembers(A, seen="v1")
        .hears(after_s=SCAN_REST_S)
        .says(scan())
        .hears(scanned(1))
        .says()
        .remembers(A, seen="v1", synced="v1")
        .rests()
    )


def test_a_file_is_gone_only_when_two_scans_a_minute_apart_miss_it() -> None:
    """Only then is it certain that nobody is just replacing it."""
    (
        scanning(synced())
        .hears(scanned(1, A))
        .says()
        .remembers(A, seen="v1")
        .hears(after_s=CONFIRM_S + SCAN_SOON_S - 0.1)
        .says()
        .hears(after_s=0.1)
        .says(scan())
        .hears(scanned(1, A))
        .says()
        .remembers(A, seen="", fingerprint=None, stored="v1", synced="v1")
        .rests()
    )


@pytest.mark.parametrize("missed", [True, False], ids=["by a look", "by the watcher"])
def test_what_was_missed_is_no_rest_before_a_scan_has_told(*, missed: bool) -> None:
    """A file that was just being renamed into place would be left out, and called in sync."""
    script = synced()
    if missed:
        script.hears(SAVED).says(look_at(A)).hears(saw(A, None)).says().works()
    else:
        script.hears(LOST).says().works()

    script.hears(after_s=SCAN_SOON_S).says(scan()).works().hears(scanned(1)).says().rests()


def test_a_file_that_a_look_did_not_find_is_named_until_a_list_is_there() -> None:
    """A list of a large share takes minutes, in which status said "In sync" (P12)."""
    script = synced().hears(SAVED).says(look_at(A)).hears(saw(A, None)).says()
    (unseen,) = script.machine.unsettled_files(script.now)
    assert (script.machine.unsettled(), unseen.path, unseen.awaits) == (1, A.path, UNSEEN)
    assert unseen.since_s == script.now.wall_s

    script.hears(after_s=SCAN_SOON_S).says(scan())
    assert script.machine.unsettled() == 1

    script.hears(scanned(1, A)).says().source(missed=((A.path, script.now.wall_s),))
    assert (script.machine.unsettled(), script.machine.unsettled_files(script.now)) == (0, [])


def test_a_second_scan_too_soon_confirms_nothing() -> None:
    """Two scans in one rename see the same gap twice."""
    (
        scanning(synced())
        .hears(scanned(1, A))
        .says()
        .hears(LOST)
        .says()
        .hears(after_s=SCAN_REST_S)
        .says(scan())
        .hears(scanned(1, A))
        .says()
        .remembers(A, seen="v1")
    )


def test_a_file_that_is_there_again_must_be_missed_afresh() -> None:
    """The minute counts from the first scan of the present absence."""
    (
        scanning(synced())
        .hears(scanned(1, A))
        .says()
        .hears(after_s=CONFIRM_S + SCAN_SOON_S)
        .says(scan())
        .hears(scanned(1))
        .says()
        .hears(LOST, after_s=10)
        .says()
        .hears(after_s=SCAN_SOON_S)
        .says(scan())
        .hears(scanned(1, A))
        .says()
        .remembers(A, seen="v1")
    )


def test_a_folder_that_cannot_be_listed_counts_no_file_below_it_as_missing() -> None:
    """A right that was taken away is no deletion; the rest of the source goes on."""
    script = settles(synced(), B, 1, store(B, 1)).hears(stored(B, 1)).says()
    partial = scanned(2, blind=(BlindSpot("locked", "permission denied"),))

    scanning(script).hears(partial).says().source(offline="").remembers(A, seen="v1")


def test_what_cannot_be_read_is_kept_with_the_time_since_when() -> None:
    """A person asks since when; another scan that finds the same starts no new time (P12)."""
    spots = tuple(BlindSpot(f"{number:03}", "denied") for number in range(EXAMPLES_MAX + 1))
    script = scanning(synced())
    since_s = script.wall_s + script.at_s
    first = script.hears(scanned(1, blind=spots)).says()
    again = first.hears(after_s=OFFLINE_BASE_S).says(scan()).hears(scanned(1, blind=spots)).says()

    again.source(blind=spots[:-1], blind_count=EXAMPLES_MAX + 1, blind_since_s=since_s)
    (
        again.hears(after_s=2 * OFFLINE_BASE_S)
        .says(scan())
        .hears(scanned(1))
        .says()
        .source(blind=(), blind_count=0, blind_since_s=0.0)
    )


def test_a_drive_inside_the_source_must_be_found_again_by_the_next_scan() -> None:
    """Also after the source was offline: else its files would look deleted (P7)."""
    inside = (("survey", "nfs:nas:/survey"),)
    expecting = replace(scan(), drives_inside=inside)
    script = scanning(synced()).hears(scanned(1, drives_inside=inside)).says()
    offline = script.hears(LOST, after_s=10).says().hears(after_s=SCAN_SOON_S).says(expecting)

    offline = offline.hears(facts.ScanFailed(CAD, "offline")).says()

    offline.hears(after_s=OFFLINE_BASE_S).says(expecting)


def test_trouble_of_the_watches_is_kept_until_it_ends() -> None:
    """Scans go on, so it must not vanish with the next one; a restart finds it anew."""
    script = synced().hears(facts.HintsDegraded(CAD, "limit reached")).says()
    script = scanning(script).hears(scanned(1)).says().source(watch_trouble="limit reached").rests()

    script.hears(facts.HintsDegraded(CAD, "")).says().source(watch_trouble="")
    script.hears(facts.HintsDegraded(CAD, "again")).says()
    script.dies().hears().says(scan()).source(watch_trouble="")


def test_a_missing_file_is_not_stored_until_it_is_seen_again() -> None:
    """The store could only fail; the scan after the next tells what became of it."""
    script = storing().hears(facts.StoreMoved(A)).says(look_at(A)).hears(saw(A, None)).says()

    (
        script.hears(after_s=SCAN_REST_S)
        .says(scan())
        .hears(scanned(1, A))
        .says()
        .hears(after_s=CONFIRM_S + SCAN_SOON_S)
        .says(scan())
        .hears(scanned(1, A))
        .says()
        .remembers(A, seen="")
        .rests()
    )


# ---- masses ---------------------------------------------------------------------------


def crowd(count: int) -> Script:
    """Begin with so many synced files, and a scan that was just asked for."""
    script = is_idle()
    for number in range(count):
        key = FileKey(CAD, f"{number}.dgn")
        script.journal.files[key] = FileRow(key, look(1), "v", "v", "v", storage_id=f"i{number}")
    return scanning(script.dies().hears().says(scan()).hears(scanned(count)).says())


def some(count: int) -> tuple[FileKey, ...]:
    """Return so many of the crowd."""
    return tuple(FileKey(CAD, f"{number}.dgn") for number in range(count))


def confirmed(script: Script, known: int, missing: tuple[FileKey, ...]) -> Script:
    """Let two scans a minute apart miss these files."""
    script.hears(scanned(known, *missing)).says().hears(after_s=CONFIRM_S + SCAN_SOON_S)
    return script.says(scan()).hears(scanned(known, *missing)).says()


def gone(script: Script) -> int:
    """Return how many files count as gone."""
    return sum(row.seen == "" for row in script.journal.files.values())


def test_a_mass_deletion_waits_for_a_person() -> None:
    """A folder that was moved away, or a share half mounted, must not empty an iModel."""
    script = confirmed(crowd(20), 20, some(MASS_LEAST)).source(
        offline=f"{MASS_LEAST} of 20 files are gone at once; nothing counts as deleted"
        " until they are back or a person says that it is meant"
    )

    assert gone(script) == 0


def test_a_person_is_shown_some_of_the_missing_files_by_name() -> None:
    """Who knows the project sees at once whether it was tidied up or went away."""
    script = confirmed(crowd(60), 60, some(30))

    shown = sorted(key.path for key in some(30))[:EXAMPLES_MAX]
    script.source(missing_count=30, examples=tuple(shown))

    script.hears(after_s=CONFIRM_S + SCAN_SOON_S).says(scan()).hears(scanned(60)).says()
    script.source(offline="", examples=())


@pytest.mark.parametrize(
    ("known", "missing"), [(20, MASS_LEAST - 1), (100, 20)], ids=["few", "a small share"]
)
def test_an_ordinary_clean_up_needs_nobody(known: int, missing: int) -> None:
    """People do tidy up; a guard that cries each time is switched off."""
    script = confirmed(crowd(known), known, some(missing)).source(offline="")

    assert missing == gone(script)


def test_a_mass_that_is_back_lifts_the_guard_by_itself() -> None:
    """Somebody remounted the share; nobody should have to say so as well."""
    script = confirmed(crowd(20), 20, some(15)).hears(after_s=CONFIRM_S + SCAN_SOON_S)

    script.says(scan()).hears(scanned(20)).says().source(offline="").rests()

    assert gone(script) == 0


def test_a_hint_about_a_file_that_a_scan_found_counts_before_the_scan_has_ended() -> None:
    """A save that shows only when it is closed would be taken half-written (P1)."""
    back = facts.FilesFound(CAD, ((A.path, look(2)),))
    script = scanning(synced()).hears(offline("offline")).says()
    script.hears(after_s=OFFLINE_BASE_S).says(scan()).hears(back).says()

    script.hears(SAVED, after_s=1).hears(scanned(1)).says()

    script.hears(after_s=4).says(look_at(A)).hears(saw(A, 2)).says()
    script.hears(after_s=5).says(look_at(A)).hears(saw(A, 2)).says(read(A, 2))


def test_a_hint_that_was_not_followed_during_a_scan_asks_for_another() -> None:
    """The list may have been made before the file came back; the next one may be hours away."""
    script = scanning(synced()).hears(offline("offline")).says()
    script.hears(after_s=OFFLINE_BASE_S).says(scan()).hears(SAVED).says()

    script.hears(scanned(1)).says().hears(after_s=SCAN_REST_S).says(scan())


def test_a_hint_during_an_approved_scan_puts_off_what_it_would_confirm() -> None:
    """The list may have been made before somebody put a file back; a look will tell (P7)."""
    back, *others = some(15)
    script = held(40, 15).hears(meant(15)).says(approved())
    script.hears(facts.Touched(back)).says(look_at(back))

    script.hears(scanned(40, back, *others)).says()
    script.source(offline="", approved=True, missing_count=1).remembers(back, seen="v")
    assert gone(script) == 14

    script.hears(saw(back, 1)).says().hears(after_s=5).says(look_at(back))
    script.hears(saw(back, 1)).says(read(back, 1)).hears(hashed(back, 1, "v")).says()
    assert gone(script) == 14


def test_what_was_never_stored_is_no_loss() -> None:
    """Nothing of these files is in the cloud, so nobody needs to approve anything."""
    script = crowd(20)
    for key in some(15):
        row = replace(script.journal.files[key], stored="", synced="", storage_id="")
        script.journal.files[key] = row

    confirmed(script, 20, some(15)).source(offline="")

    assert gone(script) == 15


def test_a_held_deletion_holds_up_no_save() -> None:
    """Only what is missing waits for a person; who saves another drawing must not."""
    script = held(40, 15)

    settles(script, A, 2, store(A, 2))

    script.hears(stored(A, 2)).says().source(needs_person=True)


def test_a_look_that_fails_while_its_drive_comes_back_asks_for_another_scan() -> None:
    """The scan under way has told of the file already; the next one may be ten minutes off."""
    back = facts.FilesFound(CAD, ((A.path, look(2)),))
    script = scanning(synced()).hears(offline("offline")).says()
    script.hears(after_s=OFFLINE_BASE_S).says(scan()).hears(back).says()
    script.hears(after_s=5).says(look_at(A))

    script.hears(facts.LookFailed(A, "EIO"), facts.Looked(CAD, ())).says()

    script.hears(scanned(1)).says().hears(after_s=SCAN_REST_S).says(scan())


def test_a_late_list_outdoes_no_hint_that_a_file_came_back() -> None:
    """The list was made before the file was restored; with hints alone nobody would look again."""
    script = scanning(synced()).hears(scanned(1, A)).says()
    script.hears(after_s=CONFIRM_S + SCAN_SOON_S).says(scan()).hears(SAVED).says(look_at(A))

    script.hears(scanned(1, A)).says().remembers(A, seen="v1")

    script.hears(saw(A, 1)).says().hears(after_s=5).says(look_at(A)).hears(saw(A, 1))
    script.says(read(A, 1)).hears(hashed(A, 1)).says().remembers(A, seen="v1").rests()


# ---- when scans come ------------------------------------------------------------------


def test_every_source_is_scanned_on_its_own_account() -> None:
    """Hints may all be lost; the scan alone must be enough (P2)."""
    source = Source(CAD, "one", scan_every_s=60.0)
    script = is_idle(sources=(source,))

    for _ in range(3):
        script.hears(after_s=59.9).says().hears(after_s=0.1).says(scan()).hears(scanned(0)).says()


def test_a_drive_that_other_hosts_change_is_scanned_more_often() -> None:
    """Which it is shows when it is scanned: a share may be mounted long after we began."""
    source = Source(CAD, "one", scan_every_s=600.0, scan_remote_every_s=60.0)
    script = is_idle(sources=(source,)).hears(after_s=600.0).says(scan())

    script.hears(scanned(0, remote=True)).says().hears(after_s=59.9).says()

    script.hears(after_s=0.1).says(scan()).hears(scanned(0)).says().hears(after_s=599.9).says()


def test_chance_takes_up_to_a_quarter_off_the_time_between_scans() -> None:
    """Sources that start together must not hit the file server together for ever."""
    source = Source(CAD, "one", scan_every_s=100.0)
    script = is_idle(sources=(source,), jitter=lambda: 0.8)

    script.hears(after_s=79.9).says().hears(after_s=0.1).says(scan())


def test_a_flock_of_lost_hints_costs_one_scan() -> None:
    """Overflows come in rows; each saying the same, and scans are dear."""
    script = synced().hears(*[LOST] * 50).says()

    for _ in range(3):
        script.hears(LOST, after_s=SCAN_SOON_S / 4).says()

    script.hears(after_s=SCAN_SOON_S / 4).says(scan()).hears(scanned(1)).says()
    script.hears(LOST).says().hears(after_s=SCAN_REST_S - 0.1).says().hears(after_s=0.1)
    script.says(scan())


def test_a_lost_hint_during_a_scan_asks_for_another() -> None:
    """The scan may have passed that folder already."""
    script = scanning(synced()).hears(LOST).says().hears(scanned(1)).says()

    script.hears(after_s=SCAN_REST_S).says(scan())


def test_the_usual_scan_of_these_plays_comes_after_their_end() -> None:
    """Else the plays would test the calendar instead of what they say."""
    assert CAD_SOURCE.scan_every_s > 100_000


# ---- what a person says -------------------------------------------------------------------


def meant(lost: int, drive: str = "drive", *, first: int = 0) -> facts.ApproveAsked:
    """Say that these missing files were shown to a person, who says that it is meant."""
    names = [key.path for key in some(first + lost)[first:]]
    return facts.ApproveAsked((HeldSource(CAD, drive, lost, mark_of(names)),))


def counted(lost: int, drive: str = "drive") -> facts.ApproveAsked:
    """Say that what was shown to a person was not listed, only counted."""
    return facts.ApproveAsked((HeldSource(CAD, drive, lost),))


def approved(identity: str = "drive") -> commands.Scan:
    """Ask for a scan that accepts the loss of files on that drive."""
    return commands.Scan(CAD, identity, approved=True)


def held(known: int, missing: int) -> Script:
    """Begin with so many files gone at once, as a person is shown them."""
    script = confirmed(crowd(known), known, some(missing))
    return script.source(needs_person=True, drive="drive", missing_count=missing)


def test_an_approved_mass_deletion_goes_through() -> None:
    """The project was really moved; after the person's word the guard may not ask again."""
    script = held(20, 15)

    (
        script.hears(meant(15))
        .says(approved())
        .hears(scanned(20, *some(15)))
        .says()
        .source(offline="", approved=False)
    )

    assert gone(script) == 15


def test_an_approval_survives_a_crash() -> None:
    """A person who has decided once must not be asked again by the next process (P8)."""
    script = held(20, 15).hears(meant(15)).says(approved()).dies()

    script.hears().says(approved()).hears(scanned(20, *some(15))).source(offline="")


def test_an_approval_does_not_outlast_what_it_was_given_for() -> None:
    """Else the next mishap would pass unseen, years later (P7)."""
    script = held(40, 15).hears(meant(15)).says(approved())
    script.hears(scanned(40, *some(15))).says().source(approved=False)

    missing = tuple(FileKey(CAD, f"{number}.dgn") for number in range(15, 30))
    confirmed(scanning(script), 25, missing).source(needs_person=True, missing_count=15)

    assert gone(script) == 15


@pytest.mark.parametrize(
    ("shown", "is_taken"),
    [
        (meant(15), True),
        (meant(15, first=5), False),
        (meant(20), False),
        (meant(14), False),
        (meant(15, "drive-2"), False),
    ],
    ids=["what is found", "as many others", "more", "less", "another drive"],
)
def test_an_approval_covers_what_was_shown_and_no_more(
    shown: facts.ApproveAsked, is_taken: bool
) -> None:
    """Between the question and the answer the drive may have lost more (P7)."""
    script = held(40, 15).hears(shown)

    script.says(*[approved()] * is_taken).source(approved=is_taken)


def test_what_goes_missing_after_the_approval_needs_another() -> None:
    """A person said yes to fifteen files, and not to the thirty that the next scan misses (P7)."""
    script = held(60, 15).hears(meant(15)).says(approved())

    script.hears(scanned(60, *some(30))).says()

    script.source(approved=False, needs_person=True, missing_count=30)
    assert gone(script) == 0


def test_files_that_go_missing_in_the_place_of_approved_ones_need_another() -> None:
    """Fifteen came back, and fifteen others went: nobody has seen their names (P7)."""
    script = held(60, 15).hears(meant(15)).says(approved())
    others = tuple(key.path for key in some(30)[15:])

    script.hears(facts.Scanned(CAD, "drive", 60, others)).says()

    script.source(approved=False, needs_person=True, missing_count=15)
    assert gone(script) == 0


def test_other_files_than_approved_need_another_after_a_crash() -> None:
    """The next process knows by the mark alone which files the person has seen (P7)."""
    script = held(60, 15).hears(meant(15)).says(approved()).dies()
    others = tuple(key.path for key in some(30)[15:])
    script.hears().says(approved()).hears(facts.Scanned(CAD, "drive", 60, others)).says()

    script.source(approved=False, needs_person=True, missing_count=15)


def test_an_approved_drive_approves_no_loss_that_was_not_counted() -> None:
    """Nobody was shown a file that is missing on another drive, whatever becomes of it (P7)."""
    script = crowd(60).hears(other_drive()).says().hears(counted(0, "drive-2"))
    script.says(scan("drive-2"))

    few = tuple(key.path for key in some(5))
    script.hears(facts.Scanned(CAD, "drive-2", 60, few)).says()

    script.source(identity="drive-2", offline="", approved=False)


def test_a_few_more_than_approved_are_as_ordinary_as_ever() -> None:
    """A share that people work on loses a file now and then; that must not undo the approval."""
    script = held(60, 15).hears(meant(15)).says(approved())

    script.hears(scanned(60, *some(18))).says().source(offline="", approved=False)

    assert gone(script) == 15


def test_an_approved_loss_that_was_listed_before_a_crash_needs_no_second_minute() -> None:
    """The person has spoken already, and the process that died missed the files for a minute."""
    script = held(40, 15).hears(meant(15)).says(approved()).dies()

    script.hears().says(approved()).hears(scanned(40, *some(15))).says()

    script.source(offline="", approved=False)
    assert gone(script) == 15


def test_an_approval_without_a_question_means_nothing() -> None:
    """It may have been typed a minute after the drive had mended itself."""
    synced().hears(meant(15)).says().source(approved=False)


def other_drive(drive: str = "drive-2") -> facts.ScanFailed:
    """Say that another drive is there."""
    return facts.ScanFailed(CAD, "another drive", needs_person=True, drive=drive)


def test_another_drive_is_accepted_once_a_person_says_so() -> None:
    """A file server is replaced every few years; its identity is a new one for good."""
    (
        scanning(synced())
        .hears(other_drive())
        .says()
        .source(offline="another drive", needs_person=True, drive="drive-2")
        .hears(counted(0, "drive-2"))
        .says(scan("drive-2"))
        .hears(facts.Scanned(CAD, "drive-2", 1))
        .says()
        .source(identity="drive-2", offline="", needs_person=False, approved=False)
    )


def test_an_approved_drive_that_is_found_empty_is_asked_about_until_it_is_answered() -> None:
    """Else the two questions take turns, and who answers one finds the other a minute later."""
    empty = facts.ScanFailed(CAD, "empty", needs_person=True, drive="drive-2", missing_count=20)
    script = crowd(20).hears(other_drive()).says()
    script.hears(counted(0, "drive-2")).says(scan("drive-2")).hears(empty).says()
    script.source(identity="drive-2", approved=False, needs_person=True, missing_count=20)

    for _ in range(3):
        script.hears(after_s=CAP_S).says(scan("drive-2")).hears(empty).says().source(
            missing_count=20
        )

    script.hears(counted(20, "drive-2")).says(approved("drive-2"))


def test_a_third_drive_needs_an_approval_of_its_own() -> None:
    """The approval named the drive that was there; what is plugged in next is another (P7)."""
    script = scanning(synced()).hears(other_drive()).says().hears(counted(0, "drive-2"))

    script.says(scan("drive-2")).hears(other_drive("drive-3")).says()

    script.source(identity="drive", approved=False, needs_person=True, drive="drive-3")


def test_files_missing_on_an_approved_drive_are_asked_about_by_themselves() -> None:
    """Nobody could have been shown them: the drive was not listed before it was approved (P7)."""
    script = crowd(20).hears(other_drive()).says()
    script.hears(counted(0, "drive-2")).says(scan("drive-2"))

    script.hears(facts.Scanned(CAD, "drive-2", 20, tuple(key.path for key in some(15)))).says()

    script.source(identity="drive-2", needs_person=True, drive="drive-2", missing_count=15)
    assert gone(script) == 0


def test_a_loss_that_was_approved_on_another_drive_is_none_on_this_one() -> None:
    """The scan under way found the old drive again; nobody was shown what is missing there (P7)."""
    empty = facts.ScanFailed(CAD, "empty", needs_person=True, drive="drive-2", missing_count=20)
    script = crowd(20).hears(empty).says().hears(after_s=OFFLINE_BASE_S).says(scan())
    script.hears(counted(20, "drive-2")).says().source(approved=True)

    script.hears(scanned(20, *some(15))).says(scan())

    script.source(approved=False, needs_person=True, drive="drive", missing_count=15)


def test_an_approval_during_a_scan_counts_from_the_next() -> None:
    """The scan that was under way knew nothing of it, and must not undo it."""
    script = scanning(synced()).hears(other_drive()).says()
    script.hears(after_s=OFFLINE_BASE_S).says(scan()).hears(counted(0, "drive-2")).says()

    script.hears(other_drive()).says(scan("drive-2"))


def test_emptiness_is_believed_once_a_person_says_so() -> None:
    """A folder may be cleared on purpose; then its emptiness is the truth."""
    empty = facts.ScanFailed(CAD, "empty", needs_person=True, drive="drive", missing_count=1)
    script = scanning(synced()).hears(empty).says().hears(counted(1)).says(approved())

    script.hears(scanned(1, A)).says().hears(after_s=CONFIRM_S + SCAN_SOON_S).says(approved())

    script.hears(scanned(1, A)).says().remembers(A, seen="").source(approved=False)


@pytest.mark.parametrize("asked", [facts.RetryAsked(), facts.RetryAsked(A)], ids=["all", "one"])
def test_a_file_set_aside_is_looked_at_afresh_when_a_person_asks(asked: facts.RetryAsked) -> None:
    """The cause may lie outside the file: a right, a quota, a service that was mended (P9)."""
    refused = facts.StoreFailed(A, Failure(Fault.REFUSED, "no"))
    (
        storing()
        .hears(refused)
        .says()
        .rests()
        .hears(asked)
        .says(look_at(A))
        .remembers(A, aside="", attempts=0)
        .hears(saw(A, 1))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says(read(A, 1))
        .hears(hashed(A, 1))
        .says(store(A, 1))
    )


def test_a_retry_of_another_file_leaves_a_file_set_aside() -> None:
    """One word for one file."""
    refused = facts.StoreFailed(A, Failure(Fault.REFUSED, "no"))
    script = storing().hears(refused).says().hears(facts.RetryAsked(B)).says()

    script.remembers(A, aside="no").rests()


def test_a_file_that_two_processes_missed_a_minute_apart_is_gone() -> None:
    """A sync that is run now and then is over within seconds; no file would ever be gone."""
    script = synced().dies().hears().says(scan()).hears(scanned(1, A)).says()
    script.remembers(A, seen="v1")

    script.dies(for_s=CONFIRM_S).hears().says(scan()).hears(scanned(1, A)).says()

    script.remembers(A, seen="", stored="v1")


def test_what_a_list_lacked_is_remembered_by_name_or_by_number_until_it_is_found() -> None:
    """Nothing else tells a person that a deletion is due, or how many are (P12)."""
    many = some(REMEMBERED_MAX + 1)
    script = crowd(len(many)).hears(scanned(20 * len(many), *many)).says()
    script.source(missed=(), missed_unnamed=len(many), offline="")

    script.dies().hears().says(scan()).hears(scanned(20 * len(many), many[0])).says()
    since_s = script.now.wall_s
    script.source(missed=((many[0].path, since_s),), missed_unnamed=0)
    script.dies().hears().says(scan()).hears(scanned(20 * len(many))).says()
    script.source(missed=(), missed_unnamed=0)


def test_a_file_that_was_there_in_between_is_missed_afresh_by_the_next_process() -> None:
    """Two lists that lack it prove a deletion only if none between them has it."""
    script = synced().dies().hears().says(scan()).hears(scanned(1, A)).says()
    script.dies().hears().says(scan()).hears(scanned(1)).says()

    script.dies(for_s=CONFIRM_S).hears().says(scan()).hears(scanned(1, A)).says()

    script.remembers(A, seen="v1")


# ---- a share that hangs delays nothing else (P14) -------------------------------------------

BIM = "one/bim"
TWO_SHARES = (CAD_SOURCE, Source(BIM, "one", scan_every_s=SELDOM_S))


def starts_on_a_hung_share() -> Script:
    """Start with a share that does not answer, and a save on the other one; it is stored."""
    script = Script(sources=TWO_SHARES).hears().says(scan(""), scan("", BIM))
    script.hears(facts.Scanned(CAD, "drive", 0)).says()
    return settles(script, A, 1, store(A, 1)).hears(stored(A, 1)).says()


def test_a_save_does_not_wait_for_a_share_that_hangs_since_the_start() -> None:
    """It would wait for a minute, until that share is given up."""
    script = starts_on_a_hung_share().hears(after_s=120.0).says()

    script.hears(facts.ShareSlow(BIM, SILENT, 7.0)).says(prepare(A, remote=""))


def test_a_share_that_answers_again_is_waited_for_again() -> None:
    """What it brings next belongs to the same batch; a run for each file would be in the way."""
    script = Script(sources=TWO_SHARES).hears().says(scan(""), scan("", BIM))
    script.hears(facts.Scanned(CAD, "drive", 0), facts.ShareSlow(BIM, SILENT, 7.0)).says()
    b = FileKey(BIM, "b.dwg")
    script.hears(facts.ShareAnswers(BIM), facts.FilesFound(BIM, (("b.dwg", look(1)),))).says()
    settles_meanwhile(script, A, 1).meanwhile(stored(A, 1))

    script.meanwhile(after_s=120.0)

    assert commands.LookAt in {type(each) for each in script.open}, "the other one is unsettled"
    assert commands.Prepare not in {type(each) for each in script.open}
    assert script.machine.unsettled_files(script.now)[0].path == b.path


def test_files_of_a_drive_are_read_while_another_drive_hangs() -> None:
    """Reads that hang took all the places there are."""
    script = Script(sources=TWO_SHARES).hears().says(scan(""), scan("", BIM))
    script.hears(facts.Scanned(CAD, "drive", 0), facts.Scanned(BIM, "other", 0)).says()
    hung = [FileKey(BIM, f"{n}.dgn") for n in range(SMALL_HASHES_MAX + 1)]
    found = tuple((key.path, look(1)) for key in hung)
    script.meanwhile(facts.FilesFound(BIM, found)).meanwhile(after_s=5)
    script.meanwhile(facts.Looked(BIM, found))
    script.said = []

    settles(script, A, 1, store(A, 1))
