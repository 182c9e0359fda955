# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Folders just made in Storage, where listings lag and the process ends in between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloud_scene import Scene, entry, refusal
from cloud_script import caught

from twinsyncd.core.model import Fault
from twinsyncd.journal.database import open_database
from twinsyncd.journal.new_folders import NewFolders
from twinsyncd.targets.storage.tree import StorageTree


@contextmanager
def remembering(folder: Path) -> Iterator[NewFolders]:
    """A process with this state folder."""
    engine = open_database(folder / "journal.sqlite")
    try:
        yield NewFolders(engine)
    finally:
        engine.dispose()


def test_a_folder_that_was_made_just_now_is_not_made_again_by_the_next_process(
    tmp_path: Path,
) -> None:
    """Its id was in memory alone: a kill while listings lag made the folder twice."""
    scene = Scene()
    with remembering(tmp_path) as memory:
        scene.tree = StorageTree(scene.wire.platform(), "i1", now=lambda: 100.0, memory=memory)
        scene.shows_the_top()
        scene.lists("root")
        scene.wire.hears("POST", "/storage/folders/root/folders", 201, {"folder": {"id": "f1"}})
        made = scene.tree.folder("Bridge 12")

    with remembering(tmp_path) as memory:
        scene.tree = StorageTree(scene.wire.platform(), "i1", now=lambda: 129.0, memory=memory)
        scene.shows_the_top()
        scene.lists("root")
        scene.wire.hears("GET", "/storage/folders/f1", 404, refusal("FolderNotFound"))
        lagging = caught(lambda: scene.tree.folder("Bridge 12")).failure
        scene.lists("root", entry("f1", "Bridge 12", "folder"))

        assert (made, scene.tree.folder("Bridge 12")) == ("f1", "f1")
    assert lagging.fault is Fault.TRANSIENT
    scene.wire.ended()


def test_a_folder_whose_answer_was_lost_is_waited_for_by_the_next_process(tmp_path: Path) -> None:
    """The service may carry out late what it was asked; asked again, there would be two."""
    scene, clock = Scene(), [100.0]
    with remembering(tmp_path) as memory:
        scene.tree = StorageTree(scene.wire.platform(), "i1", now=lambda: 100.0, memory=memory)
        scene.shows_the_top()
        scene.lists("root")
        scene.wire.hears("POST", "/storage/folders/root/folders", 504, refusal("Timeout"))
        caught(lambda: scene.tree.folder("Bridge 12"))

    with remembering(tmp_path) as memory:
        scene.tree = StorageTree(scene.wire.platform(), "i1", now=lambda: clock[0], memory=memory)
        clock[0] += 4.0
        scene.shows_the_top()
        scene.lists("root")
        early = caught(lambda: scene.tree.folder("Bridge 12")).failure
        clock[0] += 6.0
        scene.lists("root", entry("f1", "Bridge 12", "folder"))

        assert (early.fault, early.retry_after_s) == (Fault.TRANSIENT, 6.0)
        assert scene.tree.folder("Bridge 12") == "f1"
    scene.wire.ended()


def test_a_folder_that_the_service_refused_is_asked_for_again_at_once(tmp_path: Path) -> None:
    """A refusal made nothing, so nothing is to be waited for."""
    scene = Scene()
    with remembering(tmp_path) as memory:
        scene.tree = StorageTree(scene.wire.platform(), "i1", now=lambda: 100.0, memory=memory)
        scene.shows_the_top()
        scene.lists("root")
        scene.wire.hears("POST", "/storage/folders/root/folders", 403, refusal("Forbidden"))
        caught(lambda: scene.tree.folder("Bridge 12"))
        scene.lists("root")
        scene.wire.hears("POST", "/storage/folders/root/folders", 201, {"folder": {"id": "f1"}})

        assert scene.tree.folder("Bridge 12") == "f1"
        assert [each.made_id for each in memory.read()] == ["f1"]
    scene.wire.ended()
