# mypy: disable-error-code="arg-type"
# Keys are written as plain text here.
"""The folders where people worked lately are looked into often, where nothing reports changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from scan_scene import Drawings

from twinsyncd.core.facts import Fact, HintsLost, Touched
from twinsyncd.core.model import FileKey
from twinsyncd.disk.recent_folders import FILES_MAX, FOLDERS_MAX, REST, RecentFolders
from twinsyncd.disk.tree import Tree


class Scene:
    """A share, and what was posted about it. Time stands still unless it is moved."""

    def __init__(self, share: Path) -> None:
        self.share = share
        self.recent = ["cad"]
        self.posted: list[Fact] = []
        self.now_s = 0.0
        self.pass_s = 0.0  # that each answer of the drive takes
        tree = Tree(share, answered=self._answered)
        self.folders = RecentFolders(
            self.posted.append,
            "s",
            tree,
            Drawings(),
            lambda _: self.recent,
            clock=lambda: self.now_s,
        )

    def _answered(self) -> None:
        self.now_s += self.pass_s

    def save(self, path: str, content: bytes = b"x") -> None:
        """Save a file as a program does, in a moment of its own."""
        file = self.share / path
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.stat().st_mtime_ns if file.exists() else 0
        file.write_bytes(content)
        os.utime(file, ns=(before + 1_000_000, before + 1_000_000))

    def hints(self) -> list[str]:
        """Look once; return what was posted."""
        self.posted.clear()
        self.folders.look()
        return [
            fact.key.path if isinstance(fact, Touched) else fact.reason
            for fact in self.posted
            if isinstance(fact, Touched | HintsLost)
        ]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Begin with a drawing in a folder that was looked into once."""
    scene = Scene(tmp_path)
    scene.save("cad/plan.dgn")
    assert scene.hints() == []
    return scene


def test_a_save_in_a_folder_where_people_work_is_noticed(scene: Scene) -> None:
    """Changed, new, renamed and deleted alike; a program's own files are not."""
    scene.save("cad/plan.dgn", b"changed")
    assert scene.hints() == ["cad/plan.dgn"]
    assert scene.hints() == []

    scene.save("cad/new.dgn")
    scene.save("cad/plan.bak")
    assert scene.hints() == ["cad/new.dgn"]

    (scene.share / "cad/new.dgn").rename(scene.share / "cad/old.dgn")
    assert scene.hints() == ["cad/new.dgn", "cad/old.dgn"]
    (scene.share / "cad/old.dgn").unlink()
    assert scene.hints() == ["cad/old.dgn"]


def test_a_new_folder_asks_for_a_scan_unless_nothing_in_it_can_match(scene: Scene) -> None:
    """What lies in it is known to nobody yet."""
    scene.save("cad/archive/plan.dgn")
    assert scene.hints() == []

    scene.save("cad/level 2/plan.dgn")
    assert scene.hints() == ["folder 'cad/level 2' came or went"]


def test_a_folder_is_compared_from_its_second_look_on(scene: Scene) -> None:
    """What changed before is the scan's, which made it one of these folders."""
    scene.save("gis/map.dgn")
    scene.recent = ["gis", "cad"]

    assert scene.hints() == []
    scene.save("gis/map.dgn", b"changed")
    assert scene.hints() == ["gis/map.dgn"]


def test_a_folder_that_cannot_be_listed_is_left_to_the_scan(scene: Scene) -> None:
    """The scan says why; the others are looked into all the same."""
    scene.recent = ["gone", "cad", "archive"]

    scene.save("cad/plan.dgn", b"changed")

    assert scene.hints() == ["cad/plan.dgn"]


def test_a_slow_share_is_left_alone_for_ten_times_as_long_as_a_pass_took(scene: Scene) -> None:
    """People work on it meanwhile."""
    scene.pass_s = 2.0
    assert scene.hints() == []
    ended_s, scene.pass_s = scene.now_s, 0.0
    scene.save("cad/plan.dgn", b"changed")

    scene.now_s = ended_s + 2.0 * REST - 0.1
    assert scene.hints() == []

    scene.now_s = ended_s + 2.0 * REST
    assert scene.hints() == ["cad/plan.dgn"]


def test_a_pass_is_bounded_whatever_lies_on_the_share(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many folders, or one with very many files, would make it a scan."""
    module = "twinsyncd.disk.recent_folders"
    monkeypatch.setattr(f"{module}.FOLDERS_MAX", 2)
    monkeypatch.setattr(f"{module}.FILES_MAX", 3)
    for number in range(4):
        scene.save(f"crowd/{number}.dgn")
    for folder in ("one", "two", "three"):
        scene.save(f"{folder}/plan.dgn")
    scene.recent = ["crowd", "one", "two", "three"]
    assert scene.hints() == []

    for path in ("crowd/1.dgn", "one/plan.dgn", "two/plan.dgn", "three/plan.dgn"):
        scene.save(path, b"changed")

    assert scene.hints() == ["one/plan.dgn", "two/plan.dgn"]
    assert FOLDERS_MAX >= 2
    assert FILES_MAX >= 3


def test_hints_name_the_file_as_the_scan_does(scene: Scene) -> None:
    """In the source's own folder, too."""
    scene.save("plan.dgn")
    scene.recent = [""]
    assert scene.hints() == []

    scene.save("plan.dgn", b"changed")
    scene.folders.look()

    assert scene.posted == [Touched(FileKey("s", "plan.dgn"))]
