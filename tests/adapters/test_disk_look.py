# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Looking at, hashing and reading one file, while others may be writing it."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from twinsyncd.core.model import Fingerprint
from twinsyncd.disk.look import StableContent, digest_of, fingerprint_of, look, try_reading
from twinsyncd.disk.tree import Tree
from twinsyncd.disk.windows import long_path
from twinsyncd.errors import DiskError, FileMoved


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def settled(file: Path, data: bytes) -> Fingerprint:
    file.write_bytes(data)
    fingerprint = look(Tree(file.parent), file.name)
    assert fingerprint is not None
    return fingerprint


class Refusing(Tree):
    """A drive that answers every look and every opening with an error."""

    def __init__(self, folder: Path, code: int) -> None:
        super().__init__(folder)
        object.__setattr__(self, "code", code)

    def stat(self, path: str) -> os.stat_result:
        raise OSError(self.code, os.strerror(self.code), path)  # type: ignore[attr-defined]

    def open(self, path: str) -> int:
        raise OSError(self.code, os.strerror(self.code), path)  # type: ignore[attr-defined]


def test_a_look_tells_size_time_and_identity(tmp_path: Path) -> None:
    """Two equal looks are what calls a save finished, so all three must be in them."""
    file = tmp_path / "a.dgn"
    file.write_bytes(b"abc")
    os.utime(file, ns=(1, 1_700_000_000_123_456_789))

    found = file.stat()
    fingerprint = look(Tree(tmp_path), "a.dgn")

    expected = Fingerprint(3, 1_700_000_000_123_456_789, found.st_ino, found.st_ctime_ns)
    assert expected == fingerprint


@pytest.mark.parametrize("year", [1601, 1969, 2300, 30_000])
def test_a_time_that_no_journal_can_hold_becomes_the_nearest(year: int) -> None:
    """NTFS' zero date is 1601, and ext4 holds 2300; neither may end the daemon."""
    time_ns = (year - 1970) * 31_556_952 * 10**9
    values = {"st_mtime_ns": time_ns, "st_ctime_ns": time_ns, "st_size": 3, "st_ino": 7}
    found = fingerprint_of(SimpleNamespace(st_dev=0, **values))

    limit = 2**63 - 1
    assert found.mtime_ns == found.ctime_ns == max(-limit, min(time_ns, limit))


def test_what_is_not_a_regular_file_is_no_file(tmp_path: Path) -> None:
    """A folder, a pipe or a link of a drawing's name must never be opened as a drawing."""
    (tmp_path / "folder.dgn").mkdir()
    os.mkfifo(tmp_path / "pipe.dgn")
    (tmp_path / "real.dgn").write_bytes(b"x")
    (tmp_path / "link.dgn").symlink_to(tmp_path / "real.dgn")
    (tmp_path / "dangling.dgn").symlink_to(tmp_path / "nowhere")
    names = ["folder.dgn", "pipe.dgn", "link.dgn", "dangling.dgn", "none.dgn", "real.dgn/below"]

    assert [look(Tree(tmp_path), name) for name in names] == [None] * 6


@pytest.mark.parametrize(
    "code", [errno.EIO, errno.EACCES, errno.ESTALE, errno.ELOOP, errno.ETIMEDOUT]
)
def test_a_look_that_fails_never_says_the_file_is_gone(code: int) -> None:
    """A hiccup of the share read as absence would delete models."""
    with pytest.raises(DiskError) as caught:
        look(Refusing(Path("/drive"), code), "a.dgn")

    assert os.strerror(code) in str(caught.value)
    assert not isinstance(caught.value, FileMoved)


def test_a_refused_look_tells_what_to_do() -> None:
    """The operator sees the hint, not the errno."""
    with pytest.raises(DiskError) as caught:
        look(Refusing(Path("/drive"), errno.EACCES), "a.dgn")

    assert "right to read" in caught.value.hint


@pytest.mark.parametrize("data", [b"", b"abc", bytes(3_000_000)])
def test_a_digest_is_the_sha_256_of_the_whole_file(tmp_path: Path, data: bytes) -> None:
    """An auditor compares it with sha256sum."""
    file = tmp_path / "a.dgn"
    fingerprint = settled(file, data)

    assert sha(data) == digest_of(Tree(tmp_path), "a.dgn", fingerprint)


def test_hashing_refuses_a_file_that_changed_since_the_look(tmp_path: Path) -> None:
    """A digest that belongs to no settled moment must not exist."""
    file = tmp_path / "a.dgn"
    fingerprint = settled(file, b"before")
    file.write_bytes(b"after it")

    with pytest.raises(FileMoved):
        digest_of(Tree(tmp_path), "a.dgn", fingerprint)


def test_hashing_refuses_a_file_that_vanished(tmp_path: Path) -> None:
    """AutoCAD's save leaves a moment without a file; it settles again, it is no error."""
    file = tmp_path / "a.dgn"
    fingerprint = settled(file, b"before")
    file.unlink()

    with pytest.raises(FileMoved):
        digest_of(Tree(tmp_path), "a.dgn", fingerprint)


def test_hashing_notices_that_the_path_was_replaced_meanwhile(tmp_path: Path) -> None:
    """The open handle still shows the old file after a save by renaming."""
    file = tmp_path / "a.dgn"
    fingerprint = settled(file, b"before")

    class Replaced(Tree):
        def stat(self, path: str) -> os.stat_result:
            (tmp_path / "sav.tmp").write_bytes(b"before")
            (tmp_path / "sav.tmp").replace(file)
            return super().stat(path)

    with pytest.raises(FileMoved):
        digest_of(Replaced(tmp_path), "a.dgn", fingerprint)


@pytest.mark.parametrize("place", ["folder", "pipe", "link"])
def test_opening_never_waits_for_what_took_the_place_of_a_file(tmp_path: Path, place: str) -> None:
    """Opening a pipe blocks until somebody writes: a thread would hang for ever."""
    file, other = tmp_path / "a.dgn", tmp_path / "other"
    fingerprint = settled(file, b"before")
    file.replace(other)
    match place:
        case "folder":
            file.mkdir()
        case "pipe":
            os.mkfifo(file)
        case _:
            file.symlink_to(other)

    with pytest.raises(FileMoved):
        digest_of(Tree(tmp_path), "a.dgn", fingerprint)


def test_content_comes_in_pieces_of_the_asked_size(tmp_path: Path) -> None:
    """Blocks of an upload have a fixed size but the last."""
    file = tmp_path / "a.dgn"
    fingerprint = settled(file, b"abcdefgh")

    with StableContent(Tree(tmp_path), "a.dgn", fingerprint, sha(b"abcdefgh")) as content:
        pieces = list(content.chunks(3))
        content.verify()

    assert pieces == [b"abc", b"def", b"gh"]
    assert content.size_bytes == 8


def test_content_can_be_sent_again_from_the_start(tmp_path: Path) -> None:
    """A repeated request needs the bytes from the first on, and a digest of only those."""
    file = tmp_path / "a.dgn"
    fingerprint = settled(file, b"abcdefgh")

    with StableContent(Tree(tmp_path), "a.dgn", fingerprint, sha(b"abcdefgh")) as content:
        first = content.chunks(3)
        assert next(first) == b"abc"
        pieces = list(content.chunks(5))
        content.verify()

    assert pieces == [b"abcde", b"fgh"]


def test_content_that_was_not_read_to_its_end_is_not_verified(tmp_path: Path) -> None:
    """A sender that stops early must not get its blob committed."""
    file = tmp_path / "a.dgn"
    fingerprint = settled(file, b"abcdefgh")

    with StableContent(Tree(tmp_path), "a.dgn", fingerprint, sha(b"abcdefgh")) as content:
        next(content.chunks(3))

        with pytest.raises(FileMoved):
            content.verify()


def overwrite(file: Path) -> None:
    """Write in place and put the time back, as a restore from a backup does."""
    found = file.stat()
    with file.open("r+b") as handle:
        handle.write(b"ABCDEFGH")
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))


def append(file: Path) -> None:
    with file.open("ab") as handle:
        handle.write(b"more")


def rename_over(file: Path) -> None:
    fresh = file.with_suffix(".tmp")
    fresh.write_bytes(b"abcdefgh")
    found = file.stat()
    os.utime(fresh, ns=(found.st_atime_ns, found.st_mtime_ns))
    fresh.replace(file)


@pytest.mark.parametrize("save", [overwrite, append, rename_over, Path.unlink])
def test_a_save_during_the_reading_is_noticed(tmp_path: Path, save: Callable[[Path], None]) -> None:
    """No half-written file may ever be completed in Storage."""
    file = tmp_path / "a.dgn"
    fingerprint = settled(file, b"abcdefgh")

    with StableContent(Tree(tmp_path), "a.dgn", fingerprint, sha(b"abcdefgh")) as content:
        save(file)
        sent = b"".join(content.chunks(4))

        with pytest.raises(FileMoved):
            content.verify()
    assert len(sent) == 8


def test_a_file_cut_short_ends_the_sending_at_once(tmp_path: Path) -> None:
    """The request promised a length; it must be broken off, not padded."""
    file = tmp_path / "a.dgn"
    fingerprint = settled(file, b"abcdefgh")

    with StableContent(Tree(tmp_path), "a.dgn", fingerprint, sha(b"abcdefgh")) as content:
        os.truncate(file, 3)

        with pytest.raises(FileMoved):
            list(content.chunks(2))


def test_content_that_changed_before_opening_is_refused(tmp_path: Path) -> None:
    """Storing is asked for a settled content; another one must not be sent under its name."""
    file = tmp_path / "a.dgn"
    fingerprint = settled(file, b"abcdefgh")
    file.write_bytes(b"longer than before")

    with (
        pytest.raises(FileMoved),
        StableContent(Tree(tmp_path), "a.dgn", fingerprint, sha(b"abcdefgh")),
    ):
        pass


@pytest.mark.parametrize(
    ("code", "error"),
    [(errno.EACCES, DiskError), (errno.EIO, DiskError), (errno.ESTALE, FileMoved)],
)
def test_a_file_that_cannot_be_opened_is_told_apart_from_one_that_moved(
    tmp_path: Path, code: int, error: type[DiskError]
) -> None:
    """What moved settles again by itself; what is refused needs a person."""
    file = tmp_path / "a.dgn"
    fingerprint = settled(file, b"abcdefgh")

    drive = Refusing(tmp_path, code)

    with pytest.raises(DiskError) as caught, StableContent(drive, "a.dgn", fingerprint, ""):
        pass

    assert error is type(caught.value)


def test_trying_to_read_finds_what_a_look_does_not(tmp_path: Path) -> None:
    """A look needs no right to read the file."""
    (tmp_path / "a.dgn").write_bytes(b"")

    try_reading(Tree(tmp_path), "a.dgn")

    with pytest.raises(DiskError, match="Permission denied"):
        try_reading(Refusing(tmp_path, errno.EACCES), "a.dgn")


def test_reading_lets_others_rename_and_delete_the_file(tmp_path: Path) -> None:
    """An upload that blocks a designer's save is worse than no upload."""
    file = tmp_path / "a.dwg"
    file.write_bytes(b"abc")
    descriptor = Tree(tmp_path).open("a.dwg")

    file.replace(tmp_path / "a.bak")
    (tmp_path / "a.bak").unlink()

    assert os.read(descriptor, 9) == b"abc"
    os.close(descriptor)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (r"P:\bridge\a.dgn", r"\\?\P:\bridge\a.dgn"),
        (r"\\server\share\a.dgn", r"\\?\UNC\server\share\a.dgn"),
        ("//server/share/x/../a.dgn", r"\\?\UNC\server\share\a.dgn"),
        (r"\\?\P:\bridge\a.dgn", r"\\?\P:\bridge\a.dgn"),
    ],
)
def test_long_paths_are_spelt_so_that_windows_takes_them(given: str, expected: str) -> None:
    """Project folders on shares regularly pass 260 characters."""
    assert expected == long_path(given)
