# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Calls that change what exists: renames, moves, removals, connectors; ids stay as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from cloud_scene import CONNECTIONS, Scene, refusal
from cloud_script import Wire, caught

from twinsyncd.cloud.client import Platform
from twinsyncd.cloud.values import SourceFile
from twinsyncd.core import commands
from twinsyncd.core.model import Fault, FileKey

FILE = {"file": {"id": "s1", "displayName": "b.dgn", "parentFolderId": "f2"}}
FOLDER = {"folder": {"id": "f1", "displayName": "new", "parentFolderId": "f2"}}
SOURCE = SourceFile("sf", "s1", "MSTN")


@dataclass(frozen=True)
class Change:
    """A call, what it must send, and what it is answered with."""

    call: Callable[[Platform], object]
    method: str
    path: str
    body: object
    status: int = 200
    answer: object = None


CHANGES = {
    "rename file": Change(
        lambda p: p.rename_file("s1", "b.dgn"),
        "PATCH",
        "/storage/files/s1",
        {"displayName": "b.dgn"},
        answer=FILE,
    ),
    "move file": Change(
        lambda p: p.move_file("s1", "f2"),
        "POST",
        "/storage/files/s1/move",
        {"parentFolderId": "f2"},
        answer=FILE,
    ),
    "rename folder": Change(
        lambda p: p.rename_folder("f1", "new"),
        "PATCH",
        "/storage/folders/f1",
        {"displayName": "new"},
        answer=FOLDER,
    ),
    "move folder": Change(
        lambda p: p.move_folder("f1", "f2"),
        "POST",
        "/storage/folders/f1/move",
        {"parentFolderId": "f2"},
        answer=FOLDER,
    ),
    "delete file": Change(
        lambda p: p.delete_file("s1"), "DELETE", "/storage/files/s1", None, status=204
    ),
    "set connector": Change(
        lambda p: p.update_source_file("c1", SOURCE, "CIVIL"),
        "PUT",
        f"{CONNECTIONS}/c1/sourcefiles/sf",
        {"storageFileId": "s1", "connectorType": "CIVIL"},
        answer={"sourceFile": {"id": "sf"}},
    ),
    "remove source file": Change(
        lambda p: p.remove_source_file("c1", "sf"),
        "DELETE",
        f"{CONNECTIONS}/c1/sourcefiles/sf",
        None,
        status=204,
    ),
}
every_change = pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))


@every_change
def test_a_change_is_sent_as_documented(change: Change) -> None:
    """Paths, verbs and bodies are those of the operation pages."""
    wire = Wire().hears(change.method, change.path, change.status, change.answer)

    change.call(wire.platform())

    sent = wire.requests[0].read()
    assert (json.loads(sent) if sent else None) == change.body
    wire.ended()


@every_change
def test_a_change_whose_answer_was_lost_is_sent_again(change: Change) -> None:
    """Doing it twice changes nothing more."""
    wire = Wire().hears(change.method, change.path, 503)
    wire.hears(change.method, change.path, change.status, change.answer)

    change.call(wire.platform())

    wire.ended()


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_already_is_removed(status: int) -> None:
    """The repetition of a removal meets its own effect."""
    wire = Wire().hears("DELETE", "/storage/files/s1", status, refusal("FileNotFound"))
    wire.hears("DELETE", f"{CONNECTIONS}/c1/sourcefiles/sf", status)

    wire.platform().delete_file("s1")
    wire.platform().remove_source_file("c1", "sf")

    wire.ended()


def test_a_removal_that_is_not_allowed_is_an_error() -> None:
    """It must not count as done."""
    wire = Wire().hears("DELETE", "/storage/files/s1", 403, refusal("InsufficientPermissions"))

    assert caught(lambda: wire.platform().delete_file("s1")).failure.fault is Fault.REFUSED


def test_the_place_to_read_a_file_from_is_the_redirect() -> None:
    """The token must not follow it to the blob host."""
    place = "https://store.example.net/c/b?sig=1"
    wire = Wire().hears("GET", "/storage/files/s1/download", 302, headers={"Location": place})

    assert wire.platform().download_link("s1") == place


def test_a_file_comes_back_from_the_recycle_bin() -> None:
    """With its id, so that its source file works again."""
    wire = Wire().hears("POST", "/storage/recyclebin/files/s1/restore", 204)

    wire.platform().restore_file("s1")

    wire.ended()


def test_source_files_come_in_pages_of_the_default_where_large_ones_are_refused() -> None:
    """The largest page is not documented; a refusal must not hide the list."""
    wire = Wire()
    path = f"{CONNECTIONS}/c1/sourcefiles"
    wire.hears("GET", f"{path}", 422, refusal("InvalidValue", "Page size is over the limit."))
    full = {"id": "sf", "storageFileId": "s1", "connectorType": "IFC", "lastKnownFileName": "a"}
    wire.hears("GET", path, json={"sourceFiles": [full]})

    found = list(wire.platform().source_files("c1"))

    assert found == [SourceFile("sf", "s1", "IFC", "a")]
    assert [request.url.params["$top"] for request in wire.requests] == ["1000", "100"]


def test_without_a_role_no_file_loses_its_id_since_it_cannot_be_renamed() -> None:
    """It is the account's trouble; else each renamed file would be uploaded as a new one."""
    scene = Scene()
    scene.wire.hears("GET", "/storage/files/s1", 403, json=refusal("InsufficientPermissions"))
    rename = commands.Place(FileKey("cad", "structure/beam.ifc"), "bridge", "s1")

    assert caught(lambda: scene.target.place(rename)).failure.fault is Fault.UNAUTHORISED


def test_what_a_gone_file_was_before_is_taken_out_of_the_connection_as_well() -> None:
    """Storage lost that item; as a source file it would fail in every run."""
    scene = Scene()
    source_files = f"{CONNECTIONS}/c1/sourcefiles"
    kind = {"connectorType": "IFC", "lastKnownFileName": "a"}
    listed = [{"id": f"sf-{id_}", "storageFileId": id_, **kind} for id_ in ("lost", "other")]
    scene.wire.hears("GET", source_files, json={"sourceFiles": listed})
    scene.wire.hears("DELETE", f"{source_files}/sf-lost", 204)
    key = FileKey("cad", "beam.ifc")
    gone = commands.GoneFile(key, "new", delete=False, replaces=("lost",))

    removed = scene.target.remove(commands.Remove("bridge", "c1", (gone,)))

    assert removed.files == (key,)
    assert [r.url.path for r in scene.wire.requests if r.method == "DELETE"] == [
        f"{source_files}/sf-lost"
    ]


@pytest.mark.parametrize("call", ["source file", "file"])
def test_without_a_role_no_file_that_is_gone_is_given_up(call: str) -> None:
    """Each would stay in its connection for good, although a role given back would remove it."""
    scene = Scene()
    source_files = f"{CONNECTIONS}/c1/sourcefiles"
    listed = {"id": "sf", "storageFileId": "s1", "connectorType": "IFC", "lastKnownFileName": "a"}
    scene.wire.hears("GET", source_files, json={"sourceFiles": [listed]})
    refused = (403, refusal("InsufficientPermissions"))
    if call == "source file":
        scene.wire.hears("DELETE", f"{source_files}/sf", *refused)
    else:
        scene.wire.hears("DELETE", f"{source_files}/sf", 204)
        scene.wire.hears("DELETE", "/storage/files/s1", *refused)
    gone = commands.GoneFile(FileKey("cad", "beam.ifc"), "s1", delete=True)
    remove = commands.Remove("bridge", "c1", (gone,))

    assert caught(lambda: scene.target.remove(remove)).failure.fault is Fault.UNAUTHORISED
