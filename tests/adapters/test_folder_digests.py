# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Scans that follow each other: a folder that stayed the same is not compared again."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from scan_scene import Drawings, Facts, Memory, closing, fill, found, remembering

from twinsyncd.core.commands import Scan
from twinsyncd.core.facts import ScanFailed
from twinsyncd.disk.folder_digests import FolderDigests
from twinsyncd.disk.look import look
from twinsyncd.disk.scan import scan
from twinsyncd.disk.tree import Tree

NAMES = ("a.dgn", "b.dgn", "notes.txt")
FOLDERS = ("", "one", "one b", "one/two", "three")


def again(folder: Path, known: Memory, digests: FolderDigests) -> Facts:
    """Scan once more, with what the scans before found."""
    known.asked.clear()
    return list(scan(Scan("s", ""), Tree(folder), Drawings(), known, digests=digests))


@pytest.fixture
def digests() -> FolderDigests:
    """Nothing was scanned yet."""
    return FolderDigests()


def test_folders_that_stayed_the_same_are_not_compared_again(
    tmp_path: Path, digests: FolderDigests
) -> None:
    """A quiet drive is scanned every minute for months; its journal is read once."""
    fill(tmp_path, "a.dgn", "sub/b.dgn", "sub/c.dgn")
    known = remembering(tmp_path, "a.dgn", "sub/b.dgn", "sub/c.dgn")

    first = again(tmp_path, known, digests)
    asked = list(known.asked)
    second = again(tmp_path, known, digests)

    assert first == second
    assert asked == [""]
    assert known.asked == []


def test_a_first_scan_reads_the_journal_in_one_pass(tmp_path: Path, digests: FolderDigests) -> None:
    """A question per folder costs a second for a thousand folders."""
    paths = [f"{folder:03d}/{number}.dgn" for folder in range(200) for number in range(10)]
    fill(tmp_path, *paths)
    known = remembering(tmp_path, *paths)

    closed = closing(again(tmp_path, known, digests))

    assert closed.known == 2000
    assert len(known.asked) <= 6


def test_a_small_drive_is_known_from_one_page(
    tmp_path: Path, digests: FolderDigests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand small drives are scanned at a start: a second question costs as much again."""
    fill(tmp_path, "a.dgn", "kept/b.dgn", "gone/c.dgn")
    known = remembering(tmp_path, "a.dgn", "kept/b.dgn", "gone/c.dgn")
    (tmp_path / "gone" / "c.dgn").unlink()
    (tmp_path / "gone").rmdir()
    monkeypatch.delattr(Memory, "folders")

    closed = closing(again(tmp_path, known, digests))

    assert (closed.known, closed.missing) == (3, ("gone/c.dgn",))
    assert known.asked == [""]


def test_names_that_can_match_nothing_cause_no_comparison(
    tmp_path: Path, digests: FolderDigests
) -> None:
    """Programs write logs and locks beside drawings all day long."""
    fill(tmp_path, "a.dgn", "a.log")
    known = remembering(tmp_path, "a.dgn")
    again(tmp_path, known, digests)
    fill(tmp_path, "b.log")
    (tmp_path / "a.log").write_bytes(b"much longer than before")

    facts = again(tmp_path, known, digests)

    assert found(facts) == []
    assert known.asked == []


def test_a_file_changed_after_a_quiet_scan_is_found(tmp_path: Path, digests: FolderDigests) -> None:
    """What an earlier scan found must never hide a save (P2)."""
    fill(tmp_path, "sub/a.dgn", "sub/b.dgn")
    known = remembering(tmp_path, "sub/a.dgn", "sub/b.dgn")
    again(tmp_path, known, digests)
    (tmp_path / "sub/b.dgn").write_bytes(b"other")

    assert found(again(tmp_path, known, digests)) == ["sub/b.dgn"]
    assert found(again(tmp_path, known, digests)) == ["sub/b.dgn"]


def test_a_file_remembered_otherwise_after_a_quiet_scan_is_found(
    tmp_path: Path, digests: FolderDigests
) -> None:
    """The journal changed and the folder did not: the digest says nothing any more."""
    fill(tmp_path, "a.dgn")
    known = remembering(tmp_path, "a.dgn")
    again(tmp_path, known, digests)
    seen = look(Tree(tmp_path), "a.dgn")
    assert seen is not None
    known.change("a.dgn", replace(seen, size_bytes=1))

    assert found(again(tmp_path, known, digests)) == ["a.dgn"]


def test_a_row_committed_while_the_folder_is_compared_counts_as_newer(
    tmp_path: Path, digests: FolderDigests
) -> None:
    """The scan read the old row: what it concluded holds no more."""
    fill(tmp_path, "a.dgn")
    known = remembering(tmp_path, "a.dgn")
    seen = look(Tree(tmp_path), "a.dgn")
    assert seen is not None
    other = replace(seen, size_bytes=1)

    class Racing(Memory):
        def files_from(self, source, folder, rows):  # type: ignore[no-untyped-def]
            page = super().files_from(source, folder, rows)
            self.change("a.dgn", other)
            return page

    racing = Racing(known.held)
    again(tmp_path, racing, digests)

    assert found(again(tmp_path, racing, digests)) == ["a.dgn"]


def test_an_emptied_drive_is_noticed_after_quiet_scans(
    tmp_path: Path, digests: FolderDigests
) -> None:
    """The unmounted share is an empty folder like one that was listed before (P7)."""
    drive = tmp_path / "drive"
    fill(drive, "sub/a.dgn")
    known = remembering(drive, "sub/a.dgn")
    again(drive, known, digests)
    drive.rename(tmp_path / "away")
    drive.mkdir()

    facts = again(drive, known, digests)

    assert isinstance(facts[-1], ScanFailed)


def test_a_link_is_named_by_every_scan(tmp_path: Path, digests: FolderDigests) -> None:
    """What cannot be read stays unread, however often it was reported (P12)."""
    fill(tmp_path, "a.dgn")
    (tmp_path / "link.dgn").symlink_to(tmp_path / "a.dgn")
    known = remembering(tmp_path, "a.dgn")

    for _ in range(3):
        assert [spot.path for spot in closing(again(tmp_path, known, digests)).blind] == [
            "link.dgn"
        ]


@pytest.mark.parametrize("seed", range(25))
def test_scans_in_a_row_find_what_a_first_scan_finds(tmp_path: Path, seed: int) -> None:
    """Whatever happens to drive and journal, nothing an earlier scan kept may change a fact."""
    chance = random.Random(seed)  # noqa: S311 - chooses what happens
    drive = tmp_path / "drive"
    fill(drive, "a.dgn", "one/a.dgn")
    known, digests = remembering(drive, "a.dgn"), FolderDigests()
    for _ in range(40):
        change(chance, drive, known)

        assert again(drive, known, digests) == again(drive, known, FolderDigests())


def change(chance: random.Random, drive: Path, known: Memory) -> None:
    """Do something to a file, a folder or the journal."""
    folder, name = chance.choice(FOLDERS), chance.choice(NAMES)
    path = f"{folder}/{name}" if folder else name
    file = drive / path
    match chance.randrange(8):
        case 0 | 1:
            fill(drive, path)
            file.write_bytes(chance.randbytes(3))
        case 2:
            file.unlink(missing_ok=True)
        case 3 if folder and file.parent.exists():
            with suppress(OSError):  # another folder is there already
                file.parent.rename(drive / chance.choice(["archive", "moved"]))
        case 4 if (drive / folder).exists():
            link = drive / folder / "link.dgn"
            link.unlink() if link.is_symlink() else link.symlink_to(drive)
        case 5 if file.exists():
            os.utime(file, ns=(0, chance.randrange(5)))
        case 6 if file.exists():
            known.change(path, look(Tree(drive), path))
        case _ if known.held.get(folder, {}).pop(name, None):
            known.change(f"{folder}/gone.dgn" if folder else "gone.dgn", None)
