# mypy: disable-error-code="arg-type"
# Keys are written as plain text here.
"""Who has a file open, by the lock files of the programs that people draw and calculate with."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from scan_scene import Drawings, Memory

from twinsyncd.disk.folder import Folder
from twinsyncd.disk.lock_files import Holder, holder_of, require_closed
from twinsyncd.disk.look import look
from twinsyncd.disk.system_locks import program_that_locks
from twinsyncd.disk.tree import Tree
from twinsyncd.errors import DiskError

DWL = b"anna\nPC-17\nFriday, November 27, 2026 9:14:05 AM\n"
DWL2 = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<whprop FileName="plan.dwg"><username>anna</username>'
    b"<machinename>PC-17</machinename><fullname>Anna K</fullname></whprop>"
)
OWNER = bytes([6]) + b"Anna K".ljust(54) + "Anna K".encode("utf-16-le").ljust(110, b"\0")
LIBRE = b"Anna K,anna,PC-17,27.11.2026 09:14,file:///home/anna/.config/libreoffice/4;"

SINCE_S = 1_790_000_000
ANNA = "anna on PC-17"
HELD = [
    ("plan.dwg", DWL, Holder(ANNA, "AutoCAD", "plan.dwl", SINCE_S)),
    ("plan.dwg", DWL2, Holder(ANNA, "AutoCAD", "plan.dwl2", SINCE_S)),
    ("site/plan.DWG", DWL, Holder(ANNA, "AutoCAD", "site/plan.dwl", SINCE_S)),
    ("list.xlsx", OWNER, Holder("Anna K", "Office", "~$list.xlsx", SINCE_S)),
    ("quantities.xlsx", OWNER, Holder("Anna K", "Office", "~$antities.xlsx", SINCE_S)),
    ("tower.rvt", b"\0\1", Holder("", "Revit", "tower_backup/tower.slog", SINCE_S)),
    ("plan.dwg", b"", Holder("", "AutoCAD", "plan.dwl", SINCE_S)),
    ("list.xlsx", b"", Holder("", "Office", "~$list.xlsx", SINCE_S)),
    ("a.ods", LIBRE, Holder("Anna K on PC-17", "LibreOffice", ".~lock.a.ods#", SINCE_S)),
    ("hall.3dm", b"\0\1", Holder("", "Rhino", "hall.3dm.rhl", SINCE_S)),
]


def saved(folder: Path, path: str, content: bytes) -> Path:
    file = folder / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(("path", "content", "expected"), HELD)
def test_a_lock_file_names_who_has_the_file_open(
    path: str, content: bytes, expected: Holder, tmp_path: Path
) -> None:
    """Whoever waits for a drawing wants to call the one who has it."""
    saved(tmp_path, path, b"x")
    os.utime(saved(tmp_path, expected.lock_file, content), (SINCE_S, SINCE_S))

    assert holder_of(Tree(tmp_path), path) == expected


@pytest.mark.parametrize("beside", ["plan2.dwl", "plan.bak", "~$plan.dwg"])
def test_other_files_beside_it_say_nothing(beside: str, tmp_path: Path) -> None:
    """The lock file of another drawing is not ours."""
    saved(tmp_path, beside, b"x")

    assert holder_of(Tree(tmp_path), "plan.dwg") is None
    assert holder_of(Tree(tmp_path), "model.dgn") is None
    assert holder_of(Tree(tmp_path), "gone/plan.dwg") is None


def test_a_lock_file_that_nobody_may_read_says_that_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Office lets nobody read its lock file on Windows."""

    def refuse(tree: Tree, path: str) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    saved(tmp_path, "~$list.xlsx", OWNER)
    monkeypatch.setattr(Tree, "open", refuse)
    held = holder_of(Tree(tmp_path), "list.xlsx")

    assert held is not None
    assert held.who == ""


def test_an_open_file_is_taken_unless_it_has_to_be_closed(tmp_path: Path) -> None:
    """Drawings stay open all day; what was saved is good content, so waiting is a choice."""
    saved(tmp_path, "plan.dwg", b"v1")
    saved(tmp_path, "plan.dwl", DWL)
    tree = Tree(tmp_path)
    taking = Folder("s", tree, Drawings(), Memory())
    waiting = Folder("s", tree, Drawings(), Memory(), only_closed=True)
    fingerprint = look(tree, "plan.dwg")
    assert fingerprint is not None

    assert taking.digest_of_new("plan.dwg", fingerprint)
    with pytest.raises(DiskError) as refused:
        waiting.digest_of_new("plan.dwg", fingerprint)
    (tmp_path / "plan.dwl").unlink()

    assert str(refused.value).startswith("open in AutoCAD by anna on PC-17 since 20")
    assert str(refused.value).endswith("plan.dwg")
    assert waiting.digest_of_new("plan.dwg", fingerprint)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/locks is Linux'")
@pytest.mark.parametrize("lock", ["lockf", "flock"])
def test_a_program_of_this_machine_that_locks_a_file_has_it_open(lock: str, tmp_path: Path) -> None:
    """Not every program keeps a lock file beside what it edits."""
    import fcntl  # noqa: PLC0415 - not there on Windows

    file = saved(tmp_path, "model.dgn", b"v1")
    saved(tmp_path, "other.dgn", b"v1")
    tree = Tree(tmp_path)

    with file.open("r+b") as opened:
        getattr(fcntl, lock)(opened, fcntl.LOCK_EX)
        held, other = holder_of(tree, "model.dgn"), holder_of(tree, "other.dgn")
        with pytest.raises(DiskError) as refused:
            require_closed(tree, "model.dgn")

    name = Path("/proc/self/comm").read_text().strip()
    assert held == Holder("", name, "", 0.0)
    assert str(refused.value) == f"open in {name}: {file}"
    assert refused.value.hint == "it is taken once it is closed"
    assert other is None
    assert holder_of(tree, "model.dgn") is None


def test_only_a_lock_for_writing_of_that_file_counts(tmp_path: Path) -> None:
    """A reader, one who waits, or a lock on another disk says nothing of this file."""
    file = saved(tmp_path, "a", b"x")
    found = file.stat()
    own = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    lines = [
        f"1: POSIX  ADVISORY  READ  1 {own} 0 EOF",
        f"1: -> POSIX  ADVISORY  WRITE 1 {own} 0 EOF",
        f"2: FLOCK  ADVISORY  WRITE 1 ff:fe:{found.st_ino} 0 EOF",
        f"3: POSIX  ADVISORY  WRITE 1 {own}1 0 EOF",
    ]
    locks = saved(tmp_path, "locks", "\n".join(lines).encode())

    before = program_that_locks(found, locks)
    saved(tmp_path, "locks", f"4: LEASE  ACTIVE    WRITE 0 {own} 0 EOF\n".encode())

    assert before == ""
    assert program_that_locks(found, locks) == "another program"
    assert program_that_locks(found, tmp_path / "hidden") == ""
