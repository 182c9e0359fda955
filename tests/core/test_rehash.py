# mypy: disable-error-code="arg-type,list-item"
# Keys, ids and digests are written as plain text here.
"""Every file is read again in the background, for changes that no look shows."""

from __future__ import annotations

from dataclasses import replace

from core_script import CAD, CAD_SOURCE, A, Script, look, look_at, read, saw, store, synced

from simulation.journal import VirtualJournal
from twinsyncd.core import commands, facts
from twinsyncd.core.model import FileKey, FileRow, Fingerprint, Now
from twinsyncd.core.rehash import BYTES_PER_S, CONFIRM_S, NOTHING_DUE_S, REST_S, Rehasher

DAY_S = 86_400.0
AGAIN = commands.Rehash(A, look(1))
NEVER_SCANNED = replace(CAD_SOURCE, scan_every_s=10**9)


def due() -> Script:
    """Begin with a synced file that was read long ago; its re-hash is under way."""
    script = synced(rehash_every_s=DAY_S, sources=(NEVER_SCANNED,))
    while AGAIN not in script.said:
        assert script.at_s < DAY_S + 2 * NOTHING_DUE_S
        script.hears(after_s=1)
    return script.says(AGAIN)


def rehashed(digest: str) -> facts.Rehashed:
    return facts.Rehashed(A, look(1), digest)


def test_a_file_is_read_again_once_its_time_has_come() -> None:
    """And then not before that time has passed once more."""
    script = due()
    at_s = script.wall_s + script.at_s

    script.hears(rehashed("v1")).says().remembers(A, seen="v1", hashed_s=at_s).rests()


def test_nothing_waits_for_a_file_that_is_read_again() -> None:
    """A month of background reading is no month of 'not in sync'."""
    due().rests()


def test_a_content_that_differs_twice_settles_and_is_stored() -> None:
    """Rewritten with its old size and time on a file system without change times."""
    script = due().hears(rehashed("v9")).says().remembers(A, seen="v1")

    (
        script.hears(after_s=CONFIRM_S + 10 * REST_S)
        .says(AGAIN)
        .hears(rehashed("v9"))
        .says(look_at(A))
        .hears(saw(A, 1))
        .says()
        .hears(after_s=5)
        .says(look_at(A))
        .hears(saw(A, 1))
        .says(read(A, 1))
        .hears(facts.Hashed(A, look(1), "v9"))
        .says(store(A, 1, again=True, digest="v9"))
    )


def test_a_content_that_differs_once_is_a_program_that_is_writing() -> None:
    """Windows shows size and time of an open file only once it is closed (P1)."""
    script = due().hears(rehashed("half written")).says()

    (
        script.hears(after_s=CONFIRM_S - 1)
        .says()
        .hears(after_s=1 + 10 * REST_S)
        .says(AGAIN)
        .hears(rehashed("written"))
        .says()
        .remembers(A, seen="v1")
        .rests()
    )


def test_a_file_that_cannot_be_read_again_is_looked_at() -> None:
    """It changed, or the right to read it was taken away."""
    due().hears(facts.Rehashed(A, None, "")).says(look_at(A))


def test_a_large_file_is_followed_by_a_long_rest() -> None:
    """The background may not cost the office the speed of its drive."""
    rows = VirtualJournal()
    for path in ("a.dgn", "b.dgn"):
        key = FileKey(CAD, path)
        rows.files[key] = FileRow(key, Fingerprint(100 * BYTES_PER_S, 1), "v1")
    rehasher = Rehasher(rows, DAY_S)
    first = rehasher.plan([CAD], lambda _: True, Now(0.0, 2 * DAY_S))

    rehasher.is_changed(facts.Rehashed(A, look(1), "v1"), "v1", Now(5.0, 2 * DAY_S))

    assert [command.key.path for command in first] == ["a.dgn"]
    assert rehasher.deadline() == 105.0
    assert rehasher.plan([CAD], lambda _: True, Now(104.0, 2 * DAY_S)) == []


def test_a_slow_drive_is_left_alone_most_of_the_time() -> None:
    """Reading as fast as it can would leave nothing to those who work there."""
    rows = VirtualJournal()
    rows.files[A] = FileRow(A, look(1), "v1")
    rehasher = Rehasher(rows, DAY_S)
    rehasher.plan([CAD], lambda _: True, Now(0.0, 2 * DAY_S))

    rehasher.is_changed(facts.Rehashed(A, look(1), "v1"), "v1", Now(60.0, 2 * DAY_S))

    assert rehasher.deadline() == 240.0


def test_a_drive_that_is_offline_holds_no_other_up() -> None:
    """Its files were read longest ago, and stay so while it is away."""
    rows = VirtualJournal()
    for source, hashed_s in ((CAD, 0.0), ("other", 1.0)):
        key = FileKey(source, "a.dgn")
        rows.files[key] = FileRow(key, look(1), "v1", hashed_s=hashed_s)
    rehasher = Rehasher(rows, DAY_S)

    (command,) = rehasher.plan(["other"], lambda _: True, Now(0.0, 2 * DAY_S))

    assert command.key.source == "other"
