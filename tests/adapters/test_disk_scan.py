# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The scan: what is new, what is missing, and above all what is unknown."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from scan_scene import (
    Drawings,
    Facts,
    FlakyDrive,
    Memory,
    closing,
    failure,
    fill,
    found,
    remembering,
    run,
    what_needs_a_person,
)

from twinsyncd.core.commands import Scan
from twinsyncd.core.facts import FilesFound, Scanned
from twinsyncd.core.model import BlindSpot, Fingerprint
from twinsyncd.disk import root
from twinsyncd.disk.listing import NOTED_EVERY
from twinsyncd.disk.look import look
from twinsyncd.disk.protocols import Entry
from twinsyncd.disk.scan import scan
from twinsyncd.disk.stuck import STUCK_S, StuckPlaces
from twinsyncd.disk.tree import Tree

# ---- what is there --------------------------------------------------------------------


def test_unknown_files_are_found_with_what_a_look_would_see(tmp_path: Path) -> None:
    """A scan and a look that disagreed would hash the whole drive again and again."""
    fill(tmp_path, "a.dgn", "sub/deep/b.dgn", "notes.txt")

    facts = run(tmp_path)

    assert found(facts) == ["a.dgn", "sub/deep/b.dgn"]
    part = facts[0]
    assert isinstance(part, FilesFound)
    assert dict(part.files)["sub/deep/b.dgn"] == look(Tree(tmp_path), "sub/deep/b.dgn")
    assert closing(facts) == Scanned("s", root.identity(tmp_path), 0)


@pytest.mark.parametrize("remote", [True, False])
def test_the_end_tells_whether_other_hosts_may_change_the_drive(
    tmp_path: Path, *, remote: bool
) -> None:
    """The daemon may have begun while the share was not mounted: only now is it known."""
    facts = list(
        scan(Scan("s", ""), Tree(tmp_path), Drawings(), Memory(), is_remote=lambda _: remote)
    )

    assert closing(facts).remote is remote


def test_only_files_that_differ_from_memory_are_found(tmp_path: Path) -> None:
    """A quiet drive costs one walk and not one fact per file."""
    fill(tmp_path, "a.dgn", "b.dgn", "sub/c.dgn")
    known = remembering(tmp_path, "a.dgn", "b.dgn", "sub/c.dgn")
    (tmp_path / "b.dgn").write_bytes(b"changed")

    facts = run(tmp_path, known)

    assert found(facts) == ["b.dgn"]
    assert closing(facts).known == 3


def test_an_older_time_stamp_is_a_difference_too(tmp_path: Path) -> None:
    """A file restored from a backup is older than before, and changed all the same."""
    fill(tmp_path, "a.dgn")
    known = remembering(tmp_path, "a.dgn")
    os.utime(tmp_path / "a.dgn", ns=(0, 0))

    assert found(run(tmp_path, known)) == ["a.dgn"]


def test_a_file_rewritten_with_its_old_size_and_time_is_found(tmp_path: Path) -> None:
    """Document managers, rsync -t and VeraCrypt put the time back; the system keeps its own."""
    fill(tmp_path, "a.dgn")
    os.utime(tmp_path / "a.dgn", ns=(0, 1_600_000_000_000_000_000))
    known = remembering(tmp_path, "a.dgn")
    with (tmp_path / "a.dgn").open("r+b") as handle:
        handle.write(b"A")
    os.utime(tmp_path / "a.dgn", ns=(0, 1_600_000_000_000_000_000))

    assert found(run(tmp_path, known)) == ["a.dgn"]


def test_a_file_without_a_remembered_change_time_is_not_different(tmp_path: Path) -> None:
    """After an update of the program the whole drive would be read at once."""
    fill(tmp_path, "a.dgn", "b.dgn")
    known = remembering(tmp_path, "a.dgn", "b.dgn")
    for name, look_of in known.held[""].items():
        assert look_of is not None
        known.held[""][name] = replace(look_of, ctime_ns=0)
    (tmp_path / "b.dgn").write_bytes(b"changed")

    assert found(run(tmp_path, known)) == ["b.dgn"]


def test_many_files_come_in_parts(tmp_path: Path) -> None:
    """The first files settle while the rest of a large drive is still being read."""
    for number in range(1100):
        (tmp_path / f"{number}.dgn").touch()

    facts = run(tmp_path)

    assert [len(fact.files) for fact in facts if isinstance(fact, FilesFound)] == [500, 500, 100]
    assert len(set(found(facts))) == 1100


def test_folders_that_can_hold_no_match_are_never_listed(tmp_path: Path) -> None:
    """The cost must follow the matched tree, not the share."""
    fill(tmp_path, "a.dgn", "archive/old.dgn", "sub/archive/old.dgn")
    drive = FlakyDrive()

    facts = run(tmp_path, drive=drive)

    assert found(facts) == ["a.dgn"]
    assert sorted(drive.listed) == [tmp_path, tmp_path / "sub"]


# ---- what is missing ------------------------------------------------------------------


def test_a_remembered_file_not_in_its_listed_folder_is_missing(tmp_path: Path) -> None:
    """A deletion is seen by the scan even without a hint."""
    fill(tmp_path, "a.dgn", "b.dgn", "sub/c.dgn", "sub/d.dgn")
    known = remembering(tmp_path, "a.dgn", "b.dgn", "sub/c.dgn", "sub/d.dgn")
    (tmp_path / "b.dgn").unlink()
    (tmp_path / "sub/c.dgn").unlink()

    assert sorted(closing(run(tmp_path, known)).missing) == ["b.dgn", "sub/c.dgn"]


def test_a_folder_gone_from_a_listed_one_takes_its_files_along(tmp_path: Path) -> None:
    """Deleting a project folder is a deletion of all its files, however deep."""
    fill(tmp_path, "a.dgn", "sub/b.dgn", "sub/deep/er/c.dgn")
    known = remembering(tmp_path, "a.dgn", "sub/b.dgn", "sub/deep/er/c.dgn")
    for path in ["sub/deep/er/c.dgn", "sub/b.dgn"]:
        (tmp_path / path).unlink()
    for path in ["sub/deep/er", "sub/deep", "sub"]:
        (tmp_path / path).rmdir()

    closed = closing(run(tmp_path, known))

    assert sorted(closed.missing) == ["sub/b.dgn", "sub/deep/er/c.dgn"]
    assert closed.known == 3


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE, errno.ENOENT])
def test_a_folder_that_cannot_be_listed_misses_nothing_below_it(tmp_path: Path, code: int) -> None:
    """One refused folder read as emptiness would delete a project."""
    fill(tmp_path, "a.dgn", "sub/b.dgn", "sub/deep/c.dgn")
    known = remembering(tmp_path, "a.dgn", "sub/b.dgn", "sub/deep/c.dgn")

    facts = run(tmp_path, known, FlakyDrive({tmp_path / "sub": code}))

    assert closing(facts).missing == ()
    assert closing(facts).known == 3


def test_a_folder_that_failed_is_named_with_its_reason(tmp_path: Path) -> None:
    """The operator gives the account the right it lacks."""
    fill(tmp_path, "sub/b.dgn", "c.dgn")

    facts = run(tmp_path, drive=FlakyDrive({tmp_path / "sub": errno.EACCES}))

    assert closing(facts).blind == (BlindSpot("sub", os.strerror(errno.EACCES)),)
    assert found(facts) == ["c.dgn"]


def test_a_listing_that_breaks_off_counts_as_failed(tmp_path: Path) -> None:
    """Half a listing looks exactly like half the files deleted."""
    fill(tmp_path, "a.dgn", "sub/b.dgn", "sub/c.dgn")
    known = remembering(tmp_path, "a.dgn", "sub/b.dgn", "sub/c.dgn")

    @contextmanager
    def breaking(tree: Tree, path: str) -> Iterator[Iterator[Entry]]:
        def half(entries: Iterator[Entry]) -> Iterator[Entry]:
            yield next(entries)
            raise OSError(errno.EIO, "the wire was cut")

        with tree.list(path) as entries:
            yield half(entries) if path == "sub" else entries

    facts = list(scan(Scan("s", ""), Tree(tmp_path), Drawings(), known, lister=breaking))

    assert closing(facts).missing == ()
    assert closing(facts).blind == (BlindSpot("sub", "the wire was cut"),)


class Refusing:
    """A listed file that cannot be looked at."""

    def __init__(self, name: str, code: int) -> None:
        self.name = name
        self._code = code

    def is_symlink(self) -> bool:
        return False

    def is_dir(self, *, follow_symlinks: bool) -> bool:
        return False

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        raise OSError(self._code, os.strerror(self._code), self.name)


@pytest.mark.parametrize(
    ("code", "blind"),
    [(errno.EIO, [BlindSpot("a.dgn", os.strerror(errno.EIO))]), (errno.ENOENT, [])],
)
def test_a_listed_file_that_cannot_be_looked_at_is_not_missing(
    tmp_path: Path, code: int, blind: list[BlindSpot]
) -> None:
    """It was there a moment ago: a hiccup, or the middle of a save by renaming."""
    fill(tmp_path, "a.dgn")
    known = remembering(tmp_path, "a.dgn")

    @contextmanager
    def refusing(tree: Tree, path: str) -> Iterator[Iterator[Entry]]:
        yield iter([Refusing("a.dgn", code)])

    closed = closing(list(scan(Scan("s", ""), Tree(tmp_path), Drawings(), known, lister=refusing)))

    assert closed.missing == ()
    assert list(closed.blind) == blind


def test_a_file_away_for_a_moment_is_found_not_missed(tmp_path: Path) -> None:
    """AutoCAD renames the drawing away before it renames the new one into place."""
    fill(tmp_path, "sub/a.dgn")
    known = remembering(tmp_path, "sub/a.dgn")
    file, aside = tmp_path / "sub/a.dgn", tmp_path / "sub/sav.tmp"
    file.replace(aside)
    aside.write_bytes(b"the new drawing")
    drive = FlakyDrive()

    def rename_before_the_second_listing(folder: Path) -> None:
        if folder in drive.listed and folder.name == "sub":
            aside.replace(file)

    drive.before = rename_before_the_second_listing

    facts = run(tmp_path, known, drive)

    assert closing(facts).missing == ()
    assert found(facts) == ["sub/a.dgn"]


def test_a_folder_that_matters_no_more_is_not_missing(tmp_path: Path) -> None:
    """Narrowing the configuration is not a deletion on the drive."""
    fill(tmp_path, "a.dgn", "archive/b.dgn", "c.txt")
    known = remembering(tmp_path, "a.dgn", "archive/b.dgn", "c.txt")

    assert closing(run(tmp_path, known)).missing == ()


def test_a_pipe_in_the_place_of_a_drawing_is_named(tmp_path: Path) -> None:
    """It matches and cannot be read, so nobody may claim that everything was read (P12)."""
    os.mkfifo(tmp_path / "a.dgn")
    os.mkfifo(tmp_path / "notes.txt")

    (spot,) = closing(run(tmp_path)).blind

    assert spot.path == "a.dgn"
    assert spot.advice == "remove it, or exclude it"  # no right to read would help


@pytest.mark.parametrize("place", ["folder", "pipe"])
def test_what_took_the_place_of_a_file_is_not_the_file(tmp_path: Path, place: str) -> None:
    """A folder of the drawing's name is no drawing: the drawing is gone."""
    fill(tmp_path, "a.dgn", "b.dgn")
    known = remembering(tmp_path, "a.dgn", "b.dgn")
    (tmp_path / "a.dgn").unlink()
    if place == "folder":
        (tmp_path / "a.dgn").mkdir()
    else:
        os.mkfifo(tmp_path / "a.dgn")

    assert closing(run(tmp_path, known)).missing == ("a.dgn",)


# ---- names and links ------------------------------------------------------------------


def test_a_name_that_is_not_unicode_is_reported_and_holds_up_nothing(tmp_path: Path) -> None:
    """Old archives bring such names; the journal and the service can take only Unicode."""
    fill(tmp_path, "a.dgn")
    (tmp_path / os.fsdecode(b"br\xfccke.dgn")).touch()
    (tmp_path / os.fsdecode(b"stra\xdfe")).mkdir()

    facts = run(tmp_path)

    assert found(facts) == ["a.dgn"]
    assert sorted(spot.path for spot in closing(facts).blind) == [
        "br\\xfccke.dgn",
        "stra\\xdfe",
    ]
    assert {spot.advice for spot in closing(facts).blind} == {"rename it"}


def test_names_are_kept_as_the_system_gives_them(tmp_path: Path) -> None:
    """The same letters composed in another way are another file, and must be found again."""
    names = ["Bru\u0308cke.dgn", "Br\u00fccke.dgn", "100% a#b [c].dgn", "a\\b.dgn"]
    fill(tmp_path, *names)

    assert found(run(tmp_path)) == sorted(names)


def test_links_are_not_followed_but_named(tmp_path: Path) -> None:
    """A link may loop, or lead to what nobody asked to be uploaded."""
    outside = tmp_path / "outside"
    fill(outside, "secret.dgn", "folder/x.dgn")
    drive = tmp_path / "drive"
    fill(drive, "a.dgn", "b.txt")
    (drive / "loop").symlink_to(drive)
    (drive / "link.dgn").symlink_to(outside / "secret.dgn")
    (drive / "far").symlink_to(outside / "folder")

    facts = run(drive)

    assert found(facts) == ["a.dgn"]
    assert sorted(spot.path for spot in closing(facts).blind) == ["far", "link.dgn", "loop"]


@pytest.mark.parametrize("name", ["sub", "archive"])
def test_a_folder_replaced_by_a_link_misses_nothing(tmp_path: Path, name: str) -> None:
    """An office that moved a project to another disk and left a link has deleted nothing."""
    drive = tmp_path / "drive"
    fill(drive, "a.dgn", f"{name}/b.dgn")
    known = remembering(drive, "a.dgn", f"{name}/b.dgn")
    (drive / name).rename(tmp_path / "elsewhere")
    (drive / name).symlink_to(tmp_path / "elsewhere")

    assert closing(run(drive, known)).missing == ()


# ---- the whole drive ------------------------------------------------------------------


def test_a_missing_drive_fails_the_scan(tmp_path: Path) -> None:
    """A share that is offline must never look like deleted files."""
    fill(tmp_path, "drive/a.dgn")
    known = remembering(tmp_path / "drive", "a.dgn")
    (tmp_path / "drive").rename(tmp_path / "away")

    assert "does not exist" in failure(run(tmp_path / "drive", known))


def test_another_drive_in_its_place_fails_the_scan(tmp_path: Path) -> None:
    """The mount point without its share is a folder like any other."""
    fill(tmp_path, "a.dgn")

    facts = run(tmp_path, identity="cifs://fileserver/projects")

    assert "another drive" in failure(facts)
    assert what_needs_a_person(facts) == (root.identity(tmp_path), 0)


def test_an_approved_loss_lets_no_other_drive_in(tmp_path: Path) -> None:
    """A person approved what is missing on one drive; another in its place is news (P7)."""
    fill(tmp_path, "a.dgn")

    facts = list(scan(Scan("s", "nfs:a:/b", approved=True), Tree(tmp_path), Drawings(), Memory()))

    assert "another drive" in failure(facts)


def test_a_drive_that_is_empty_where_it_was_not_fails_the_scan(tmp_path: Path) -> None:
    """An unmounted share is an empty folder, readable and on a disk."""
    fill(tmp_path, "drive/sub/a.dgn")
    known = remembering(tmp_path / "drive", "sub/a.dgn")
    (tmp_path / "drive").rename(tmp_path / "away")
    (tmp_path / "drive").mkdir()

    facts = run(tmp_path / "drive", known)

    assert "is empty where it was not" in failure(facts)
    assert what_needs_a_person(facts) == (root.identity(tmp_path), 1)


def test_an_empty_drive_that_always_was_is_healthy(tmp_path: Path) -> None:
    """A new project starts with an empty folder."""
    assert closing(run(tmp_path)).missing == ()


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOENT, errno.ESTALE])
def test_a_root_that_cannot_be_listed_fails_the_scan(tmp_path: Path, code: int) -> None:
    """Nothing at all was learnt, so nothing may be concluded."""
    fill(tmp_path, "a.dgn")

    facts = run(tmp_path, drive=FlakyDrive({tmp_path: code}))

    assert os.strerror(code) in failure(facts)


def remove(drive: Path) -> None:
    drive.rename(drive.with_name("away"))


def exchange(drive: Path) -> None:
    drive.rename(drive.with_name("away"))
    drive.mkdir()
    fill(drive, "stray.dgn")


@pytest.mark.parametrize("accident", [remove, exchange])
def test_a_drive_that_goes_in_the_middle_fails_the_scan(
    tmp_path: Path, accident: Callable[[Path], None]
) -> None:
    """The folders not yet listed are gone then, and would all be missing."""
    folder = tmp_path / "drive"
    fill(folder, "a.dgn", "one/b.dgn", "two/c.dgn")
    known = remembering(folder, "a.dgn", "one/b.dgn", "two/c.dgn")
    drive = FlakyDrive()

    def strike(listed: Path) -> None:
        if listed != folder and len(drive.listed) == 1:
            accident(folder)

    drive.before = strike

    facts = run(folder, known, drive)

    assert failure(facts) != ""
    assert found(facts) == []


def test_a_drive_exchanged_between_parts_fails_the_scan(
    tmp_path: Path,
) -> None:
    """Parts read from the wrong drive must not end in a scan that looks whole."""
    folder, away, other = tmp_path / "drive", tmp_path / "away", tmp_path / "other"
    for number in range(600):
        fill(folder, f"{number}.dgn")
    other.mkdir()
    fill(folder, "sub/x.dgn")
    facts = scan(Scan("s", ""), Tree(folder), Drawings(), Memory())
    seen: Facts = [next(facts)]

    folder.rename(away)
    other.rename(folder)
    seen.append(next(facts))

    assert "replaced" in failure(seen)
    assert list(facts) == []


def test_a_drive_that_is_not_healthy_after_the_walk_fails_the_scan(tmp_path: Path) -> None:
    """The last folders may have been read from something else, without a single error."""
    fill(tmp_path, "a.dgn")
    reasons = iter(["", "another drive than before"])

    facts = list(
        scan(Scan("s", ""), Tree(tmp_path), Drawings(), Memory(), check=lambda *_: next(reasons))
    )

    assert failure(facts) == "another drive than before"


def test_a_large_folder_answers_while_it_is_listed(tmp_path: Path) -> None:
    """Listing half a million names over a slow line takes minutes, and is no silence (P14)."""
    listed = 0
    answers: list[int] = []

    class Entries:
        def __iter__(self) -> Iterator[Entry]:
            nonlocal listed
            for number in range(2 * NOTED_EVERY):
                listed = number
                yield Refusing(f"{number}.txt", errno.EIO)

    @contextmanager
    def large(tree: Tree, path: str) -> Iterator[Iterator[Entry]]:
        yield iter(Entries())

    tree = Tree(tmp_path, lambda: answers.append(listed))
    list(scan(Scan("s", ""), tree, Drawings(), Memory(), lister=large))

    assert answers == [0, NOTED_EVERY, 2 * NOTED_EVERY - 1]


def test_a_large_drive_is_walked_with_one_listing_per_folder(tmp_path: Path) -> None:
    """The anchor of the cost: folders are listed once and files looked at once."""
    for number in range(60):
        fill(tmp_path, *(f"{number}/{name}.dgn" for name in range(20)))
    known = remembering(tmp_path, *(f"{n}/{name}.dgn" for n in range(60) for name in range(20)))
    drive = FlakyDrive()

    facts = run(tmp_path, known, drive)

    assert len(drive.listed) == 61
    assert facts == [Scanned("s", root.identity(tmp_path), 1200)]


def test_a_folder_that_does_not_answer_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    """It may lead to a server that is gone; nothing below it counts as missing."""
    now_s = [1_000.0]
    stuck = StuckPlaces(clock=lambda: now_s[0], wall=lambda: now_s[0])
    for folder in ("away/deep", "here"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.dgn").write_bytes(b"1")
    memory, command = (
        Memory({"away/deep": {"gone.dgn": Fingerprint(1, 1)}, "here": {}}),
        Scan("Bridge/cad", ""),
    )

    with stuck.using("away"):
        now_s[0] += STUCK_S + 1
        parts = [*scan(command, Tree(tmp_path), Drawings(), memory, stuck=stuck)]
    *_, after = scan(command, Tree(tmp_path), Drawings(), memory, stuck=stuck)

    end = parts[-1]
    listed = [path for part in parts if isinstance(part, FilesFound) for path, _ in part.files]
    assert listed == ["here/a.dgn"]
    assert isinstance(end, Scanned)
    assert [spot.path for spot in end.blind] == ["away"]
    assert "it does not answer since " in end.blind[0].reason
    assert end.missing == ()
    assert isinstance(after, Scanned)
    assert after.missing == ("away/deep/gone.dgn",)


def test_what_is_asked_now_is_not_stuck() -> None:
    """A slow server takes some seconds, and a file may be looked at twice at once."""
    now_s = [1_000.0]
    stuck = StuckPlaces(clock=lambda: now_s[0], wall=lambda: now_s[0])
    with stuck.using("away"):
        now_s[0] += STUCK_S
        soon = stuck.reason("away")
        now_s[0] += 1
        late = stuck.reason("away/deep/a.dgn")
        other = stuck.reason("away too/a.dgn")

    assert (soon, other, stuck.reason("away")) == ("", "", "")
    assert late.startswith("its folder away does not answer since ")
