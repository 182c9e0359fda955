# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A drive that is mounted inside a source has an identity and a guard of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from scan_scene import Drawings, Memory, closing, fill, found, remembering

from twinsyncd.core.commands import Scan
from twinsyncd.core.facts import FilesFound, ScanFailed, Scanned
from twinsyncd.disk.mounts import Mount
from twinsyncd.disk.scan import scan
from twinsyncd.disk.tree import Tree


@dataclass
class Mounts:
    """The kernel's list, with the shares that are mounted below a folder."""

    folder: Path
    shares: dict[str, str] = field(default_factory=dict)  # path -> source
    kind: str = "nfs4"

    def __call__(self) -> list[Mount]:
        inside = [
            Mount("0:50", str(self.folder / path), self.kind, source)
            for path, source in self.shares.items()
        ]
        return [Mount("8:1", "/", "ext4", "/dev/sda1"), *inside]


SURVEY = {"survey": "nas:/survey"}
FOUND = (("survey", "nfs4:nas:/survey"),)


def run(
    folder: Path, mounts: Mounts, known: Memory, expected: tuple[tuple[str, str], ...] = ()
) -> list[FilesFound | Scanned | ScanFailed]:
    command = Scan("s", "", drives_inside=expected)
    return list(scan(command, Tree(folder), Drawings(), known, listed=mounts))


def test_a_drive_inside_is_found_with_its_identity(tmp_path: Path) -> None:
    """What the next scan must find again."""
    fill(tmp_path, "a.dgn", "survey/b.dgn")

    facts = run(tmp_path, Mounts(tmp_path, SURVEY), Memory())

    assert found(facts) == ["a.dgn", "survey/b.dgn"]
    assert closing(facts).drives_inside == FOUND
    assert closing(facts).blind == ()


def test_a_drive_inside_that_is_gone_deletes_nothing(tmp_path: Path) -> None:
    """Its mount point is an empty folder like any other (P7)."""
    fill(tmp_path, "a.dgn", "survey/b.dgn", "survey/deep/c.dgn")
    known = remembering(tmp_path, "a.dgn", "survey/b.dgn", "survey/deep/c.dgn")
    (tmp_path / "survey").rename(tmp_path.with_name(f"{tmp_path.name}-away"))
    fill(tmp_path, "survey/stray.dgn")  # saved into the mount point, by mistake

    facts = run(tmp_path, Mounts(tmp_path), known, FOUND)
    closed = closing(facts)

    assert found(facts) == []
    assert closed.missing == ()
    assert [spot.path for spot in closed.blind] == ["survey"]
    assert "the share nas:/survey (nfs4), which was mounted here, is away" in closed.blind[0].reason
    assert closed.drives_inside == FOUND
    assert closed.known == 3


def test_a_drive_inside_whose_mount_point_is_gone_deletes_nothing(tmp_path: Path) -> None:
    """An automounter removes the folder of a share that it cannot reach."""
    fill(tmp_path, "a.dgn", "survey/b.dgn")
    known = remembering(tmp_path, "a.dgn", "survey/b.dgn")
    (tmp_path / "survey").rename(tmp_path.with_name(f"{tmp_path.name}-away"))

    closed = closing(run(tmp_path, Mounts(tmp_path), known, FOUND))

    assert (closed.missing, closed.drives_inside) == ((), FOUND)
    assert [spot.path for spot in closed.blind] == ["survey"]


def test_another_drive_inside_is_not_believed(tmp_path: Path) -> None:
    """Last month's survey mounted in this month's place is no change of every file."""
    fill(tmp_path, "survey/b.dgn", "survey/other.dgn")
    known = remembering(tmp_path, "survey/b.dgn")
    (tmp_path / "survey/b.dgn").write_bytes(b"something else")

    facts = run(tmp_path, Mounts(tmp_path, {"survey": "nas:/old"}), known, FOUND)

    assert found(facts) == []
    assert "another drive is mounted here" in closing(facts).blind[0].reason


def test_an_automounter_without_its_drive_is_not_the_drive(tmp_path: Path) -> None:
    """It stands in the kernel's list whether the share is there or not."""
    fill(tmp_path, "a.dgn")
    (tmp_path / "survey").mkdir()
    mounts = Mounts(tmp_path, {"survey": "systemd-1"}, kind="autofs")

    assert closing(run(tmp_path, mounts, Memory())).drives_inside == ()
    assert [spot.path for spot in closing(run(tmp_path, mounts, Memory(), FOUND)).blind] == [
        "survey"
    ]


def test_a_drive_that_goes_while_it_is_scanned_deletes_nothing(tmp_path: Path) -> None:
    """Its folders were listed empty, one after the other, without any error."""
    names = ["survey/b.dgn", "survey/deep/c.dgn", "survey/deep/er/d.dgn"]
    fill(tmp_path, "a.dgn", *names)
    known = remembering(tmp_path, "a.dgn", *names)
    mounts = Mounts(tmp_path, dict(SURVEY))
    for name in names:
        (tmp_path / name).unlink()
    (tmp_path / "survey/deep/er").rmdir()
    # The list is read again at the end of the walk; by then the share is unmounted.
    listed = mounts.__call__
    reads = iter(range(10_000))

    def going() -> list[Mount]:
        if next(reads) >= 3:
            mounts.shares.clear()
        return listed()

    facts = scan(
        Scan("s", "", drives_inside=FOUND), Tree(tmp_path), Drawings(), known, listed=going
    )

    closed = closing(list(facts))

    assert closed.missing == ()
    assert [spot.path for spot in closed.blind] == ["survey"]


def test_a_drive_inside_an_excluded_folder_is_forgotten(tmp_path: Path) -> None:
    """The way out for a drive that was removed on purpose."""
    fill(tmp_path, "a.dgn")
    expected = (("archive", "nfs4:nas:/old"),)

    closed = closing(run(tmp_path, Mounts(tmp_path), Memory(), expected))

    assert (closed.blind, closed.drives_inside) == ((), ())


def test_a_network_drive_inside_makes_the_source_one(tmp_path: Path) -> None:
    """Nothing reports what other hosts write there, so it is scanned as often as a share."""
    fill(tmp_path, "a.dgn", "survey/b.dgn")

    def scanned(mounts: Mounts) -> bool:
        facts = scan(
            Scan("s", ""),
            Tree(tmp_path),
            Drawings(),
            Memory(),
            listed=mounts,
            is_remote=lambda folder: folder.name in mounts.shares,
        )
        return closing(list(facts)).remote

    assert scanned(Mounts(tmp_path, SURVEY))
    assert not scanned(Mounts(tmp_path))


REAL = """
import json, subprocess, sys
from pathlib import Path
sys.path[:0] = {path!r}
from scan_scene import Drawings, closing, fill, found, remembering
from twinsyncd.core.commands import Scan
from twinsyncd.disk.scan import scan
from twinsyncd.disk.tree import Tree
drive = Path({drive!r})
(drive / "survey").mkdir()
survey = str(drive / "survey")
subprocess.run(["mount", "-t", "tmpfs", "none", survey], check=True)
fill(drive, "a.dgn", "survey/b.dgn", "survey/deep/c.dgn")
known = remembering(drive, "a.dgn", "survey/b.dgn", "survey/deep/c.dgn")
def run(inside=()):
    facts = list(scan(Scan("s", "", drives_inside=inside), Tree(drive), Drawings(), known))
    closed = closing(facts)
    blind = [spot.path for spot in closed.blind]
    return closed.drives_inside, [found(facts), list(closed.missing), blind]
inside, first = run()
subprocess.run(["umount", survey], check=True)
_, away = run(inside)
print(json.dumps([[path for path, _ in inside], first, away]))
"""


def test_a_drive_that_is_really_unmounted_deletes_nothing(tmp_path: Path) -> None:
    """The kernel's own mounts, in a namespace that ends with the test."""
    alone = ["unshare", "--mount", "--propagation", "private"]
    if subprocess.run([*alone, "mount", "-t", "tmpfs", "none", "/mnt"], check=False).returncode:
        pytest.skip("this account may not mount")
    script = REAL.format(path=sys.path, drive=str(tmp_path))

    done = subprocess.run(
        [*alone, sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    inside, first, away = json.loads(done.stdout)
    assert inside == ["survey"]
    assert first == [[], [], []]
    assert away == [[], [], ["survey"]]
