# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Nothing outside a source's folder is ever read, whatever is exchanged for a link, and when."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from twinsyncd.disk import openat2
from twinsyncd.disk.look import StableContent, digest_of, look
from twinsyncd.disk.tree import Tree
from twinsyncd.errors import DiskError, FileMoved

SECRET = b"not of this project"


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A source with one drawing in a folder, and a folder outside with one of the same name."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a.dgn").write_bytes(SECRET)
    (tmp_path / "drive/cad").mkdir(parents=True)
    (tmp_path / "drive/cad/a.dgn").write_bytes(b"the drawing")
    return tmp_path / "drive"


@pytest.fixture(params=["openat2", "folder by folder"])
def tree(request: pytest.FixtureRequest, drive: Path) -> Tree:
    """The source's tree in both ways of opening; older kernels and sandboxes have no openat2."""
    if request.param == "openat2" and not openat2.is_available():
        pytest.skip("this kernel has no openat2")
    return Tree(drive, in_one_call=request.param == "openat2")


def exchange_folder(drive: Path) -> None:
    (drive / "cad").rename(drive / "moved")
    (drive / "cad").symlink_to("../outside")


def exchange_file(drive: Path) -> None:
    (drive / "cad/a.dgn").unlink()
    (drive / "cad/a.dgn").symlink_to("../../outside/a.dgn")


def same_file_behind_a_link(drive: Path) -> None:
    (drive / "cad/a.dgn").rename(drive / "b.dgn")
    (drive / "cad/a.dgn").symlink_to("../b.dgn")


EXCHANGES = [exchange_folder, exchange_file, same_file_behind_a_link]


def read(tree: Tree, path: str) -> bytes:
    descriptor = tree.open(path)
    try:
        return os.read(descriptor, 99)
    finally:
        os.close(descriptor)


def test_what_is_really_there_is_listed_looked_at_and_read(drive: Path, tree: Tree) -> None:
    """The safe way must work like the plain one."""
    with tree.list("cad") as entries:
        names = [entry.name for entry in entries]

    assert names == ["a.dgn"]
    assert tree.stat("cad/a.dgn").st_ino == (drive / "cad/a.dgn").stat().st_ino
    assert read(tree, "cad/a.dgn") == b"the drawing"


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_opening_never_follows_a_link(
    drive: Path, tree: Tree, exchange: Callable[[Path], None]
) -> None:
    """The system must refuse it, not a check that ran before."""
    exchange(drive)

    with pytest.raises(OSError, match="symbolic links") as caught:
        tree.open("cad/a.dgn")

    assert caught.value.errno == errno.ELOOP


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_exchange_after_the_look_is_no_content(
    drive: Path, tree: Tree, exchange: Callable[[Path], None]
) -> None:
    """The file settles again; nothing outside the source is hashed or uploaded."""
    fingerprint = look(tree, "cad/a.dgn")
    assert fingerprint is not None
    exchange(drive)
    digest = hashlib.sha256(b"the drawing").hexdigest()

    with pytest.raises(FileMoved):
        digest_of(tree, "cad/a.dgn", fingerprint)
    with pytest.raises(FileMoved), StableContent(tree, "cad/a.dgn", fingerprint, digest):
        pass


def test_a_folder_behind_a_link_is_not_listed(drive: Path, tree: Tree) -> None:
    """A scan that had queued the folder must not list what took its place."""
    exchange_folder(drive)

    with pytest.raises(OSError, match="symbolic links") as caught, tree.list("cad"):
        pass

    assert caught.value.errno == errno.ELOOP


def test_a_look_behind_a_link_says_neither_there_nor_gone(drive: Path, tree: Tree) -> None:
    """The file may exist in the folder that was moved away: unknown is not absent (P7)."""
    exchange_folder(drive)

    with pytest.raises(DiskError) as caught:
        look(tree, "cad/a.dgn")

    assert "not followed" in caught.value.hint


def test_no_path_leads_above_the_source(drive: Path, tree: Tree) -> None:
    """A path comes from a listing, but a journal can be restored from anywhere."""
    with pytest.raises(OSError, match=r".+"):
        tree.open("../outside/a.dgn")


def test_the_source_itself_may_be_a_link(drive: Path, tree: Tree) -> None:
    """A person wrote it into the configuration."""
    link = drive.with_name("link")
    link.symlink_to(drive)

    assert read(replace(tree, folder=link), "cad/a.dgn") == b"the drawing"


def test_a_path_longer_than_the_system_takes_is_read(drive: Path, tree: Tree) -> None:
    """Windows clients of a share nest folders past the 4,096 bytes of Linux."""
    above = os.open(drive, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("n" * 200, dir_fd=above)
        below = os.open("n" * 200, os.O_RDONLY, dir_fd=above)
        os.close(above)
        above = below
    descriptor = os.open("deep.dgn", os.O_CREAT | os.O_WRONLY, dir_fd=above)
    os.write(descriptor, b"deep")
    os.close(descriptor)
    os.close(above)
    path = "/".join(["n" * 200] * 25 + ["deep.dgn"])

    assert len(path) > 4096
    assert read(tree, path) == b"deep"
    assert look(tree, path) is not None


def test_every_answer_of_the_drive_is_noted(drive: Path, tree: Tree) -> None:
    """Whoever waits for a hung drive knows by it that a long read is none."""
    answers: list[int] = []
    tree = replace(tree, answered=lambda: answers.append(1))
    fingerprint = look(tree, "cad/a.dgn")
    assert fingerprint is not None
    before = len(answers)

    digest_of(tree, "cad/a.dgn", fingerprint)

    assert (before, len(answers) - before) == (1, 3)  # the look; open, read, look again
