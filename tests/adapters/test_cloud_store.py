# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Storing a file through the storage connection: folder, file, bytes, complete."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace

import httpx
import pytest
from cloud_scene import (
    DATA,
    KEY,
    PATH,
    SETTINGS,
    Scene,
    entry,
    refusal,
)
from cloud_script import API, BLOB, BlobHost, Bytes, caught

from twinsyncd.cloud.platform_profile import PlatformProfile
from twinsyncd.core import commands, facts
from twinsyncd.core.model import Fault, FileKey, Fingerprint
from twinsyncd.errors import FileMoved
from twinsyncd.targets.storage.connection import StorageConnection
from twinsyncd.targets.storage.tree import StorageTree

RESTORE = "/storage/recyclebin/files/s0/restore"


def test_a_new_file_is_created_uploaded_and_completed() -> None:
    """The main path: folder, file, bytes, complete, and the id noted before the bytes."""
    scene = Scene()
    scene.knows_the_folder()
    scene.creates()
    scene.completes()

    assert scene.store() == facts.Stored(KEY, "d1", "s1")

    assert scene.host.blobs[PATH][1] == DATA
    assert scene.notes == [facts.Reserved(KEY, "s1", is_new=True)]
    assert scene.wire.requests[4].content == b'{"displayName":"beam.ifc"}'
    scene.wire.ended()


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("pipe|q?.dxf", "the character |, ?"),
        ("line\nfeed.dxf", "the character U+000A"),
        ("\u202efxd.dxf", "the character RIGHT-TO-LEFT OVERRIDE"),
        ("x" * 256, "256 characters, more than 255"),
    ],
)
def test_a_refused_name_says_which_character_and_to_rename_it(name: str, fault: str) -> None:
    """The service names no character, and whoever saves the file again changes nothing."""
    scene = Scene()
    scene.knows_the_folder()
    told = refusal("InvalidStorageRequest", "Item contains invalid characters")
    scene.wire.hears("POST", "/storage/folders/f2/files", 422, told)
    key = FileKey("cad", f"structure/{name}")
    command = commands.Store(key, "bridge", "d1", Fingerprint(4, 1), "")

    failed = caught(lambda: scene.target.store(command, Bytes(DATA), scene.notes.append))

    assert failed.failure.message == (
        f"its name has {fault}, which Storage refuses; rename it "
        "(the service: Item contains invalid characters)"
    )


def test_missing_folders_are_created_one_below_the_other() -> None:
    """A first delivery finds an empty Storage."""
    scene = Scene()
    root = {"_links": {"folder": {"href": f"{API}/storage/folders/root"}}}
    scene.wire.hears("GET", "/storage", json=root)
    scene.lists("root", entry("not-a-folder", "Bridge 12"))
    scene.wire.hears("POST", "/storage/folders/root/folders", 201, {"folder": {"id": "f1"}})
    scene.wire.hears("POST", "/storage/folders/f1/folders", 201, {"folder": {"id": "f2"}})
    scene.creates()
    scene.completes()

    scene.store()

    scene.wire.ended()


def test_the_second_file_of_a_folder_costs_no_listing() -> None:
    """A thousand files must not cost a thousand listings."""
    scene = Scene()
    scene.knows_the_folder(entry("x", "other.ifc"))
    scene.creates("s1")
    scene.completes("s1")
    scene.store()
    scene.creates("s2")
    scene.completes("s2")
    key = FileKey("cad", "structure/column.ifc")
    command = commands.Store(key, "bridge", "d2", Fingerprint(4, 1), "")
    scene.host.blobs.clear()

    stored = scene.target.store(command, Bytes(DATA), scene.notes.append)

    assert stored == facts.Stored(key, "d2", "s2")
    scene.wire.ended()


def test_a_known_file_is_replaced_and_keeps_its_id() -> None:
    """The iModel's elements hang on the id of the stored file."""
    scene = Scene(host=BlobHost(blobs={PATH: ('"0"', b"old")}))
    scene.replaces("s1")
    scene.completes()

    assert scene.store("s1").storage_id == "s1"

    assert scene.host.blobs[PATH][1] == DATA
    scene.wire.ended()


def test_a_file_of_that_name_is_adopted_and_of_several_the_oldest() -> None:
    """Storage takes any number of files of one name; a lost answer must not double a file."""
    scene = Scene()
    scene.knows_the_folder(
        entry("a-young", "beam.ifc", created="2026-03-01T00:00:00Z"),
        entry("z-old", "beam.ifc", created="2025-03-01T00:00:00Z"),
        entry("folder", "beam.ifc", "folder", created="2024-03-01T00:00:00Z"),
    )
    scene.replaces("z-old")
    scene.completes("z-old")

    assert scene.store().storage_id == "z-old"

    scene.wire.ended()


def held(storage_id: str, size: int = len(DATA), modified: str = "") -> dict[str, object]:
    """A file in Storage that holds something."""
    times = {"lastModifiedDateTime": modified} if modified else {}
    return entry(storage_id, "beam.ifc") | {"size": size} | times


def links_to_the_content(scene: Scene, storage_id: str, content: bytes) -> None:
    """The file can be downloaded."""
    path = f"/storage/files/{storage_id}/download"
    scene.wire.hears("GET", path, 302, headers={"Location": BLOB})
    scene.host.blobs[PATH] = ("etag", content)


def test_what_storage_holds_already_is_not_uploaded_again() -> None:
    """A journal that was lost costs a look at each file, not a week of uploads."""
    scene = Scene()
    scene.knows_the_folder(held("other", size=9), held("same"))
    links_to_the_content(scene, "same", DATA)
    content = Bytes(DATA)
    digest = hashlib.sha256(DATA).hexdigest()
    command = commands.Store(KEY, "bridge", digest, Fingerprint(4, 1), "")

    stored = scene.target.store(command, content, scene.notes.append)

    assert (stored.storage_id, stored.digest) == ("same", digest)
    assert "nothing was uploaded" in stored.text
    assert (content.read, content.sent) == (0, 0)
    assert [request.method for request in scene.host.requests] == ["GET"]
    assert scene.notes == [facts.Reserved(KEY, "same", is_new=False)]
    scene.wire.ended()


def test_the_same_size_is_no_evidence_of_the_same_content() -> None:
    """MicroStation writes in place: every save of a drawing has the same size (P6)."""
    scene = Scene()
    scene.knows_the_folder(held("same-size"))
    links_to_the_content(scene, "same-size", b"roof")
    scene.replaces("same-size")
    scene.completes("same-size")

    assert scene.store().storage_id == "same-size"

    assert scene.host.blobs[PATH][1] == DATA


@pytest.mark.parametrize("there", [held("s1", 5), held("s1", modified="1990-01-01T00:00:00Z")])
def test_what_cannot_be_the_same_is_not_read_back(there: dict[str, object]) -> None:
    """Of another size, or older than the file's last save: the download would be for nothing."""
    scene = Scene()
    scene.knows_the_folder(there)
    scene.replaces("s1")
    scene.completes("s1")
    saved_ns = 1_790_000_000 * 10**9
    command = commands.Store(KEY, "bridge", "d1", Fingerprint(4, saved_ns), "")

    assert scene.target.store(command, Bytes(DATA), scene.notes.append).storage_id == "s1"

    scene.wire.ended()


def test_a_content_that_cannot_be_read_back_is_uploaded() -> None:
    """Nothing waits for a download that does not work."""
    scene = Scene()
    scene.knows_the_folder(held("s1"))
    scene.wire.hears("GET", "/storage/files/s1/download", 422, refusal("InvalidFile"))
    scene.replaces("s1")
    scene.completes("s1")

    assert scene.store().storage_id == "s1"

    assert scene.host.blobs[PATH][1] == DATA


def test_an_unfinished_file_of_that_name_is_adopted_last() -> None:
    """A broken upload left it; the file with content is the one that the iModel knows."""
    scene = Scene()
    scene.knows_the_folder(
        entry("unfinished", "beam.ifc", created="2025-03-01T00:00:00Z") | {"size": 0},
        entry("whole", "beam.ifc", created="2026-03-01T00:00:00Z") | {"size": 7},
    )
    scene.replaces("whole")
    scene.completes("whole")

    assert scene.store().storage_id == "whole"

    scene.wire.ended()


def test_a_file_that_somebody_deleted_is_created_anew() -> None:
    """A person tidying up Storage must not stop the deliveries for ever."""
    scene = Scene()
    scene.wire.hears("POST", "/storage/files/s0/updatecontent", 404, refusal("FileNotFound"))
    scene.wire.hears("POST", RESTORE, 404, refusal("FileNotFound"))
    scene.knows_the_folder()
    scene.creates("s9")
    scene.completes("s9")

    assert scene.store("s0").storage_id == "s9"

    assert scene.notes == [facts.Reserved(KEY, "s9", is_new=True)]
    scene.wire.ended()


def test_a_file_that_somebody_deleted_is_brought_back_from_the_recycle_bin() -> None:
    """With its id, so that its elements in the iModel keep their source."""
    scene = Scene()
    scene.wire.hears("POST", "/storage/files/s0/updatecontent", 404, refusal("FileNotFound"))
    scene.wire.hears("POST", RESTORE, 204)
    scene.replaces("s0")
    found = {"id": "s0", "displayName": "beam.ifc", "parentFolderId": "f2"}
    scene.wire.hears("GET", "/storage/files/s0", json={"file": found})
    scene.shows_the_top()
    scene.lists("root", entry("f1", "Bridge 12", "folder"))
    scene.lists("f1", entry("f2", "structure", "folder"))
    folder = {"id": "f2", "displayName": "structure", "type": "folder"}
    scene.wire.hears("GET", "/storage/folders/f2", json={"folder": folder})
    scene.completes("s0")

    assert scene.store("s0").storage_id == "s0"
    scene.wire.ended()


def test_a_file_that_may_not_be_brought_back_is_created_anew() -> None:
    """Not every role may use the recycle bin; that is no reason to stop."""
    scene = Scene()
    scene.wire.hears("POST", "/storage/files/s0/updatecontent", 404, refusal("FileNotFound"))
    scene.wire.hears("POST", RESTORE, 403, refusal("Forbidden"))
    scene.knows_the_folder()
    scene.creates("s9")
    scene.completes("s9")

    assert scene.store("s0").storage_id == "s9"


def test_a_file_never_completed_that_cannot_be_replaced_is_created_anew() -> None:
    """Whether it can be replaced is not documented; a crash in between must not lock it out."""
    scene = Scene()
    scene.wire.hears("POST", "/storage/files/s0/updatecontent", 422, refusal("Invalid"))
    scene.wire.hears("GET", "/storage/files/s0", json={"file": {"id": "s0", "size": 0}})
    scene.knows_the_folder()
    scene.creates("s9")
    scene.completes("s9")

    assert scene.store("s0").storage_id == "s9"

    scene.wire.ended()


def test_a_file_with_content_is_never_abandoned_for_a_refusal() -> None:
    """It may be locked for now; a second file would split its history."""
    scene = Scene()
    scene.wire.hears("POST", "/storage/files/s0/updatecontent", 422, refusal("FileIsLocked"))
    scene.wire.hears("GET", "/storage/files/s0", json={"file": {"id": "s0", "size": 7}})

    assert caught(lambda: scene.store("s0")).failure.fault is Fault.REFUSED

    scene.wire.ended()


def test_a_folder_that_somebody_deleted_is_looked_for_again() -> None:
    """Remembered ids outlive what they name."""
    scene = Scene()
    scene.knows_the_folder()
    scene.wire.hears("POST", "/storage/folders/f2/files", 404, refusal("FolderNotFound"))
    scene.shows_the_top()
    scene.lists("root")
    scene.wire.hears("POST", "/storage/folders/root/folders", 201, {"folder": {"id": "f8"}})
    scene.wire.hears("POST", "/storage/folders/f8/folders", 201, {"folder": {"id": "f9"}})
    scene.opens("POST", "/storage/folders/f9/files", "s1")
    scene.completes()

    assert scene.store().storage_id == "s1"

    scene.wire.ended()


def test_after_a_lost_answer_to_a_create_the_folder_is_looked_at_again() -> None:
    """The file may be there; a second create would double it."""
    scene = Scene()
    scene.knows_the_folder()
    scene.wire.breaks("POST", "/storage/folders/f2/files", httpx.ReadTimeout("lost"))
    assert caught(scene.store).failure.fault is Fault.TRANSIENT
    scene.lists("f2", entry("s1", "beam.ifc"))
    scene.replaces("s1")
    scene.completes()

    assert scene.store().storage_id == "s1"

    scene.wire.ended()


def test_after_a_lost_answer_to_a_new_folder_its_parent_is_looked_at_again() -> None:
    """Two folders of one name would part the files between them."""
    scene = Scene()
    root = {"_links": {"folder": {"href": f"{API}/storage/folders/root"}}}
    scene.wire.hears("GET", "/storage", json=root)
    scene.lists("root")
    scene.wire.breaks("POST", "/storage/folders/root/folders", httpx.ReadTimeout("lost"))
    assert caught(lambda: scene.tree.folder("Bridge 12")).failure.fault is Fault.TRANSIENT
    scene.lists("root", entry("f1", "Bridge 12", "folder"))

    assert scene.tree.folder("Bridge 12") == "f1"

    scene.wire.ended()


def test_a_torn_read_completes_nothing() -> None:
    """Content that completes is content the file had, whole, at one moment."""
    scene = Scene()
    scene.knows_the_folder()
    scene.creates()

    with pytest.raises(FileMoved):
        scene.store(content=Bytes(DATA, torn=True))

    assert scene.host.blobs == {}
    scene.wire.ended()


def test_another_size_in_storage_is_not_taken_for_success() -> None:
    """The service's own count is the last check that all bytes arrived."""
    scene = Scene()
    scene.knows_the_folder()
    scene.creates()
    scene.completes(size=3)

    failure = caught(scene.store).failure

    assert failure.fault is Fault.TRANSIENT
    assert "4 bytes were sent, Storage holds 3" in failure.message


def test_an_expired_upload_link_is_asked_for_anew() -> None:
    """Only updatecontent gives a second link for the same file."""
    scene = Scene(host=BlobHost(signatures={"s2"}))
    scene.knows_the_folder()
    scene.creates()
    links = {
        "completeUrl": {"href": f"{API}/storage/files/s1/complete"},
        "uploadUrl": {"href": BLOB.replace("sig=s1", "sig=s2")},
    }
    scene.wire.hears("POST", "/storage/files/s1/updatecontent", 202, {"_links": links})
    scene.completes()

    assert scene.store().storage_id == "s1"

    scene.wire.ended()


@pytest.mark.parametrize(("reopens", "asked"), [(None, 1), (False, 0)])
def test_a_new_file_that_gets_no_second_link_is_begun_again_not_set_aside(
    reopens: bool | None, asked: int
) -> None:
    """A platform may refuse it; where a probe found that, it is not even asked."""
    profile = PlatformProfile(reopens_unfinished=reopens)
    scene = Scene(replace(SETTINGS, profile=profile), host=BlobHost(signatures=set()))
    scene.knows_the_folder()
    scene.creates()
    for _ in range(asked):
        scene.wire.hears("POST", "/storage/files/s1/updatecontent", 422, refusal("Invalid"))

    failure = caught(scene.store).failure

    assert (failure.fault, "bandwidth" in failure.message) == (Fault.TRANSIENT, True)
    scene.wire.ended()


@pytest.mark.parametrize("status", [403, 404])
def test_a_storage_that_is_closed_to_us_is_nobodys_file(status: int) -> None:
    """A missing role would otherwise set every file aside, one by one."""
    scene = Scene()
    scene.wire.hears("GET", "/storage", status, refusal("InsufficientPermissions"))

    assert caught(scene.store).failure.fault is Fault.UNAUTHORISED


def test_a_name_that_storage_refuses_is_that_files_trouble() -> None:
    """The others must go on."""
    scene = Scene()
    scene.knows_the_folder()
    told = refusal("InvalidStorageRequest", "Item contains invalid characters")
    scene.wire.hears("POST", "/storage/folders/f2/files", 422, told)

    failure = caught(scene.store).failure

    assert (failure.fault, failure.message) == (
        Fault.REFUSED,
        "Item contains invalid characters",
    )


def test_threads_that_need_one_new_folder_create_it_once() -> None:
    """Storage would take eight folders of one name without mistake."""
    scene = Scene()
    root = {"_links": {"folder": {"href": f"{API}/storage/folders/root"}}}
    scene.wire.hears("GET", "/storage", json=root)
    scene.lists("root")
    scene.wire.hears("POST", "/storage/folders/root/folders", 201, {"folder": {"id": "f1"}})
    start = threading.Barrier(8)
    found: list[str] = []

    def ask() -> None:
        start.wait()
        found.append(scene.tree.folder("Bridge 12"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == ["f1"] * 8
    scene.wire.ended()


def test_where_listings_lag_a_lost_create_is_not_looked_for_at_once() -> None:
    """The listing would lack the file, and it would be created twice."""
    scene, clock = Scene(), [100.0]
    scene.tree = StorageTree(scene.wire.platform(), "i1", lag_s=6.0, now=lambda: clock[0])
    scene.target = StorageConnection(
        scene.wire.platform(), scene.host.client(), scene.host.reader(), scene.tree, SETTINGS
    )
    scene.knows_the_folder()
    lost = httpx.ReadTimeout("lost")
    scene.wire.breaks("POST", "/storage/folders/f2/files", lost)
    caught(scene.store)

    clock[0] += 2.0
    early = caught(scene.store).failure
    clock[0] += 4.0
    scene.lists("f2", entry("s1", "beam.ifc"))
    scene.replaces("s1")
    scene.completes("s1")

    assert (early.fault, early.retry_after_s) == (Fault.TRANSIENT, 4.0)
    assert scene.store().storage_id == "s1"
    scene.wire.ended()


def test_a_folder_that_was_made_just_now_is_not_made_again_while_listings_lag() -> None:
    """Each try made another one: 28 folders where 3 were meant, most of them empty for ever."""
    scene, clock = Scene(), [100.0]
    scene.tree = StorageTree(scene.wire.platform(), "i1", now=lambda: clock[0])
    scene.shows_the_top()
    scene.lists("root")
    scene.wire.hears("POST", "/storage/folders/root/folders", 201, {"folder": {"id": "f1"}})
    made = scene.tree.folder("Bridge 12")
    scene.tree.forget()  # it is not found where it is used

    clock[0] += 29.0
    folder = {"folder": {"id": "f1", "displayName": "Bridge 12", "parentFolderId": "root"}}
    scene.shows_the_top()
    scene.lists("root")
    scene.wire.hears("GET", "/storage/folders/f1", 404, refusal("FolderNotFound"))
    lagging = caught(lambda: scene.tree.folder("Bridge 12")).failure
    scene.lists("root")
    scene.wire.hears("GET", "/storage/folders/f1", json=folder)
    again = scene.tree.folder("Bridge 12")
    scene.tree.forget()

    clock[0] += 1.0
    scene.shows_the_top()
    scene.lists("root")
    scene.wire.hears("POST", "/storage/folders/root/folders", 201, {"folder": {"id": "f9"}})
    anew = scene.tree.folder("Bridge 12")

    assert (made, again, anew) == ("f1", "f1", "f9")
    assert (lagging.fault, lagging.retry_after_s) == (Fault.TRANSIENT, 1.0)
    assert "does not show it yet" in lagging.message
    scene.wire.ended()


def test_a_file_takes_the_place_of_its_twin_that_is_gone() -> None:
    """Written in another way its name is the same, and whoever downloads both keeps one."""
    scene = Scene(replace(SETTINGS, is_on_drive=lambda _: False))
    scene.knows_the_folder(entry("s9", "BEAM.ifc"))
    scene.replaces("s9")
    found = {"file": {"id": "s9", "displayName": "BEAM.ifc", "parentFolderId": "f2"}}
    scene.wire.hears("GET", "/storage/files/s9", json=found)
    scene.wire.hears("GET", "/storage/folders/f2", json={"folder": {"id": "f2"}})
    scene.wire.hears("PATCH", "/storage/files/s9", json=found)
    scene.completes("s9")

    assert scene.store().storage_id == "s9"

    (renaming,) = [each for each in scene.wire.requests if each.method == "PATCH"]
    assert json.loads(renaming.content) == {"displayName": "beam.ifc"}
    assert scene.notes == [facts.Reserved(KEY, "s9")]


@pytest.mark.parametrize("is_on_drive", [True, None], ids=["on the drive", "of others"])
def test_a_twin_that_is_not_ours_to_take_keeps_its_place(is_on_drive: bool | None) -> None:
    """To take the id of one that is there would be an exchange for ever; others may want theirs."""
    scene = Scene(replace(SETTINGS, is_on_drive=lambda _: is_on_drive))
    scene.knows_the_folder(entry("s9", "BEAM.ifc"))
    scene.creates("s1")
    scene.completes("s1")

    assert scene.store().storage_id == "s1"


def test_a_folder_written_in_another_way_is_the_same_folder() -> None:
    """`Sub` went and `sub` stayed on the drive: Storage would have both, side by side."""
    scene = Scene()
    scene.shows_the_top()
    scene.lists("root", entry("f1", "BRIDGE 12", "folder"))

    assert (scene.tree.folder("Bridge 12"), scene.tree.find("Bridge 12")) == ("f1", "f1")
    scene.wire.ended()


def test_where_unfinished_files_are_not_listed_a_lost_create_is_not_looked_for() -> None:
    """The listing cannot show the file, so waiting for it or asking again is of no use."""
    scene = Scene(replace(SETTINGS, profile=PlatformProfile(lists_unfinished=False)))
    scene.tree = StorageTree(scene.wire.platform(), "i1", lag_s=6.0, now=lambda: 100.0)
    scene.target = StorageConnection(
        scene.wire.platform(), scene.host.client(), scene.host.reader(), scene.tree, scene.settings
    )
    scene.knows_the_folder()
    scene.wire.breaks("POST", "/storage/folders/f2/files", httpx.ReadTimeout("lost"))
    caught(scene.store)

    scene.creates("s2")
    scene.completes("s2")

    assert scene.store().storage_id == "s2"
    scene.wire.ended()
