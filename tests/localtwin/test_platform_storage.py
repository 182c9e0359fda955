"""The Storage API: the tree, uploads, names, pages, locks, the recycle bin."""

from __future__ import annotations

import base64
import uuid

import httpx
import pytest
from platform_scene import ORIGIN, Clock, Platform, error_of, expect

from localtwin.ids import split_pair

pytest_plugins = ["platform_fixtures"]


def folder_in(platform: Platform, name: str, parent: str | None = None) -> str:
    path = f"/storage/folders/{parent or platform.root}/folders"
    return str(expect(platform.post(path, json={"displayName": name}), 201)["folder"]["id"])


def listed(platform: Platform, folder: str, what: str = "list", **query: str) -> list[str]:
    answer = expect(platform.get(f"/storage/folders/{folder}/{what}", params=query), 200)
    items = answer.get("items") or answer.get(what) or []
    return [item["displayName"] for item in items]


def test_an_id_is_the_itwin_and_the_item_in_dotnet_byte_order(platform: Platform) -> None:
    """Captured ids decode so, and the root folder is the iTwin twice."""
    top = expect(platform.get("/storage/", params={"iTwinId": platform.itwin_id}), 200)

    root = top["_links"]["folder"]["href"].rpartition("/")[2]
    raw = base64.urlsafe_b64decode(root + "=")
    assert (len(root), raw[:16], raw[16:]) == (43, *[uuid.UUID(platform.itwin_id).bytes_le] * 2)


def test_a_file_is_seen_only_after_its_completion(platform: Platform) -> None:
    """A half-done upload must not be taken for a file."""
    file_id, url = platform.begin_file("wall.ifc")
    before = listed(platform, platform.root)
    expect(platform.put_blob(url, b"content"), 201)
    between = platform.get(f"/storage/files/{file_id}").status_code

    file = expect(platform.post(f"/storage/files/{file_id}/complete"), 200)["file"]

    assert (before, between) == ([], 404)
    assert (file["displayName"], file["size"], file["path"]) == ("wall.ifc", 7, "wall.ifc")
    assert listed(platform, platform.root) == ["wall.ifc"]


def test_nothing_completes_without_content(platform: Platform) -> None:
    """The client lost its upload; it must not believe the file is there."""
    file_id, _ = platform.begin_file("wall.ifc")

    answer = platform.post(f"/storage/files/{file_id}/complete")

    assert error_of(answer) == (404, "FileNotFound", set())


def test_the_upload_url_is_signed_for_one_blob_named_after_the_file(platform: Platform) -> None:
    """Clients derive nothing from it, but tools that read it expect the real shape."""
    file_id, url = platform.begin_file('wal"l.ifc'.replace('"', ""))

    parsed = httpx.URL(url)
    pair = split_pair(file_id)
    assert pair is not None
    assert parsed.path.endswith(f"/File/{pair[1]}")
    assert parsed.params["sv"] == "2019-07-07"
    assert (parsed.params["sr"], parsed.params["sp"]) == ("b", "rw")
    assert parsed.params["rscd"] == 'attachment; filename="wall.ifc"'


def test_new_content_keeps_the_id_and_moves_the_date(platform: Platform, clock: Clock) -> None:
    """The id is what connections and elements hang on."""
    file_id = platform.upload("wall.ifc", b"one")
    first = expect(platform.get(f"/storage/files/{file_id}"), 200)["file"]
    clock.advance(minutes=1)

    platform.replace(file_id, b"three")

    second = expect(platform.get(f"/storage/files/{file_id}"), 200)["file"]
    assert second["size"] == 5
    assert second["createdDateTime"] == first["createdDateTime"]
    assert second["lastModifiedDateTime"] > first["lastModifiedDateTime"]


def test_a_download_redirects_to_the_content(platform: Platform) -> None:
    """The redirect leaves the API, so it must work without the token."""
    file_id = platform.upload("wall.ifc", b"content")

    answer = platform.get(f"/storage/files/{file_id}/download")

    request = platform.build_request("GET", answer.headers["location"])
    del request.headers["Authorization"]
    content = platform.send(request)
    assert (answer.status_code, content.content) == (302, b"content")
    assert content.headers["content-disposition"] == 'attachment; filename="wall.ifc"'


def test_one_name_may_be_there_twice(platform: Platform) -> None:
    """The real Storage has no conflict of names; clients must look up by id."""
    ids = {platform.upload("wall.ifc", b"a"), platform.upload("wall.ifc", b"b")}

    assert len(ids) == 2
    assert listed(platform, platform.root) == ["wall.ifc", "wall.ifc"]


def test_lists_are_not_recursive_and_name_the_path(platform: Platform) -> None:
    """A path has no slash in front and includes the item."""
    outer = folder_in(platform, "outer")
    inner = folder_in(platform, "inner", outer)
    platform.upload("deep.ifc", b"x", inner)
    platform.upload("wall.ifc", b"x", outer)

    items = expect(platform.get(f"/storage/folders/{outer}/list"), 200)["items"]

    assert [(item["type"], item["path"]) for item in items] == [
        ("folder", "outer/inner"),
        ("file", "outer/wall.ifc"),
    ]
    assert listed(platform, outer, "files") == ["wall.ifc"]
    assert listed(platform, outer, "folders") == ["inner"]


def test_pages_have_next_links_even_when_there_is_no_more(platform: Platform) -> None:
    """Captured from the real one: a client must stop at a short page, not at a missing link."""
    for name in "abc":
        platform.upload(name, b"x")

    page = {"$skip": "2", "$top": "2"}
    answer = expect(platform.get(f"/storage/folders/{platform.root}/list", params=page), 200)

    assert [item["displayName"] for item in answer["items"]] == ["c"]
    assert "%24skip=4" in answer["_links"]["next"]["href"]
    assert "%24skip=0" in answer["_links"]["prev"]["href"]


def test_pages_go_on_from_folders_to_files_without_gap_or_double(platform: Platform) -> None:
    """A client that walks the pages sees each item once."""
    for name in ("b", "a"):
        folder_in(platform, name)
    for name in ("d", "c", "e"):
        platform.upload(name, b"x")

    pages = [
        listed(platform, platform.root, **{"$skip": str(skip), "$top": "2"})
        for skip in (0, 1, 2, 4, 6)
    ]

    assert pages == [["a", "b"], ["b", "c"], ["c", "d"], ["e"], []]


def test_a_page_of_more_than_a_thousand_is_refused(platform: Platform) -> None:
    """Code and message are the documented ones."""
    answer = platform.get(f"/storage/folders/{platform.root}/list", params={"$top": "1001"})

    assert error_of(answer)[:2] == (422, "InvalidStorageRequest")
    assert answer.json()["error"]["message"] == "Page size is over 1000 items limit."


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("wall*", ["wall.ifc", "wall_2.ifc"]),
        ("wall?2.ifc", ["wall_2.ifc"]),
        ("WALL.ifc", ["wall.ifc"]),
    ],
)
def test_a_search_goes_down_the_tree(platform: Platform, pattern: str, found: list[str]) -> None:
    """Wildcards are * and ?; what SQL takes for one is an ordinary character."""
    inner = folder_in(platform, "inner")
    platform.upload("wall.ifc", b"x", inner)
    platform.upload("wall_2.ifc", b"x")
    platform.upload("roof.ifc", b"x")

    assert listed(platform, platform.root, "search", name=pattern) == found


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a:b", "a\x00b", "", " ", "..", "x" * 256])
def test_names_that_no_drive_could_have_are_refused(platform: Platform, name: str) -> None:
    """What a name may do to a path on somebody's disk ends here."""
    path = f"/storage/folders/{platform.root}/files"

    answer = platform.post(path, json={"displayName": name})

    assert error_of(answer) == (
        422,
        "InvalidStorageRequest",
        {("InvalidValue", "displayName")},
    )


def test_programs_are_refused_as_files_but_not_as_folders(platform: Platform) -> None:
    """Source: "potentially harmful file such as an executable"."""
    path = f"/storage/folders/{platform.root}/files"

    answer = platform.post(path, json={"displayName": "setup.EXE"})

    assert error_of(answer)[0] == 422
    folder_in(platform, "setup.exe")


def test_a_renamed_or_moved_file_keeps_its_id(platform: Platform) -> None:
    """Or the iModel's elements would lose their source."""
    folder = folder_in(platform, "cad")
    file_id = platform.upload("wall.ifc", b"x")

    renamed = platform.patch(f"/storage/files/{file_id}", json={"displayName": "roof.ifc"})
    moved = platform.post(f"/storage/files/{file_id}/move", json={"parentFolderId": folder})

    assert expect(renamed, 200)["file"]["path"] == "roof.ifc"
    file = expect(moved, 200)["file"]
    assert (file["id"], file["path"], file["parentFolderId"]) == (file_id, "cad/roof.ifc", folder)


def test_a_folder_does_not_move_into_itself(platform: Platform) -> None:
    """Its content would be reachable from nowhere."""
    outer = folder_in(platform, "outer")
    inner = folder_in(platform, "inner", outer)

    answer = platform.post(f"/storage/folders/{outer}/move", json={"parentFolderId": inner})

    assert error_of(answer) == (422, "InvalidStorageRequest", {("InvalidValue", "parentFolderId")})


def test_a_deleted_folder_takes_its_content_along_and_back(platform: Platform) -> None:
    """Deletion is a move to the recycle bin; restoring brings everything back."""
    folder = folder_in(platform, "cad")
    file_id = platform.upload("wall.ifc", b"x", folder)
    expect(platform.delete(f"/storage/folders/{folder}"), 204)
    gone = platform.get(f"/storage/files/{file_id}").status_code
    query = {"iTwinId": platform.itwin_id}
    binned = expect(platform.get("/storage/recyclebin", params=query), 200)["items"]

    expect(platform.post(f"/storage/recyclebin/folders/{folder}/restore"), 204)

    assert (gone, [item["id"] for item in binned]) == (404, [folder])
    assert expect(platform.get(f"/storage/files/{file_id}"), 200)["file"]["path"] == "cad/wall.ifc"


def test_what_is_purged_is_gone_with_its_bytes(platform: Platform) -> None:
    """A purge that keeps the bytes would fill the disk."""
    folder = folder_in(platform, "cad")
    file_id = platform.upload("wall.ifc", b"x", folder)
    pair = split_pair(file_id)
    assert pair is not None
    blobs = platform.world.blobs
    content = blobs.file(blobs.get(pair[1]))
    expect(platform.delete(f"/storage/folders/{folder}"), 204)

    expect(platform.delete(f"/storage/recyclebin/folders/{folder}"), 204)

    assert not content.exists()
    assert platform.post(f"/storage/recyclebin/folders/{folder}/restore").status_code == 404


def test_locking_is_for_all_the_files_or_none(platform: Platform) -> None:
    """A caller that gets an error must not have to find out which were locked."""
    file_id = platform.upload("wall.ifc", b"x")
    path = f"/storage/folders/{platform.root}/lock"

    refused = platform.post(path, json={"fileIds": [file_id, platform.root]})
    before = expect(platform.get(f"/storage/files/{file_id}"), 200)["file"]["isFileLocked"]
    locked = expect(platform.post(path, json={"fileIds": [file_id]}), 200)["files"]

    assert (refused.status_code, before, locked[0]["isFileLocked"]) == (404, False, True)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/storage/files/{other}", "FileNotFound"),
        ("/storage/folders/{other}", "FolderNotFound"),
        ("/storage/folders/nonsense/list", "FolderNotFound"),
        ("/storage/nowhere", "ResourceNotFound"),
    ],
)
def test_what_is_not_there_says_so(platform: Platform, path: str, code: str) -> None:
    """Clients distinguish a wrong address from a deleted file by the code."""
    other = platform.root[:-4] + "AAAA"

    answer = platform.get(path.format(other=other))

    assert error_of(answer) == (404, code, set())


def test_another_itwin_is_a_matter_of_permissions(platform: Platform) -> None:
    """The documentation has no 404 here: the answer must not show whether the iTwin exists."""
    answer = platform.get("/storage", params={"iTwinId": str(uuid.uuid4())})

    assert error_of(answer) == (403, "InsufficientPermissions", set())


@pytest.mark.parametrize(
    "spelling",
    ["/Storage?itwinid={id}", "/storage/?iTwinId={id}", "/STORAGE/?projectId={id}&unknown=1"],
)
def test_paths_and_query_names_are_read_in_any_case(platform: Platform, spelling: str) -> None:
    """Every one of these spellings is in use by a client of the real platform."""
    answer = platform.get(spelling.format(id=platform.itwin_id.upper()))

    assert answer.status_code == 200


def test_links_lead_to_the_server_the_client_reached(platform: Platform) -> None:
    """Behind another name or port the same world has other addresses."""
    here = expect(platform.get(f"/storage/folders/{platform.root}"), 200)["folder"]
    there = expect(
        platform.get(f"/storage/folders/{platform.root}", headers={"Host": "localhost:8080"}), 200
    )["folder"]

    assert here["_links"]["createdBy"]["href"].startswith(f"{ORIGIN}/")
    assert there["_links"]["createdBy"]["href"].startswith("http://localhost:8080/")


def test_an_update_that_is_never_completed_shows_its_own_size(
    platform: Platform, clock: Clock
) -> None:
    """The old size and date beside the new bytes were two truths about one file."""
    file = platform.upload("wall.ifc", b"old")
    before = expect(platform.get(f"/storage/files/{file}"), 200)["file"]
    clock.advance(minutes=5)
    links = expect(platform.post(f"/storage/files/{file}/updatecontent"), 202)["_links"]

    platform.put_blob(links["uploadUrl"]["href"], b"newer content")

    after = expect(platform.get(f"/storage/files/{file}"), 200)["file"]
    download = platform.get(f"/storage/files/{file}/download").headers["location"]
    assert (before["size"], after["size"]) == (3, 13)
    assert after["lastModifiedDateTime"] > before["lastModifiedDateTime"]
    assert platform.send(httpx.Request("GET", download)).content == b"newer content"


def test_a_first_upload_stays_invisible_until_it_is_completed(platform: Platform) -> None:
    """Half a first upload must not look like a file."""
    file, url = platform.begin_file("wall.ifc")

    platform.put_blob(url, b"content")

    assert error_of(platform.get(f"/storage/files/{file}"))[:2] == (404, "FileNotFound")
    assert listed(platform, platform.root) == []
