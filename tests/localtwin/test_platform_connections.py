"""Connections of both kinds: what may be mapped, and every documented refusal."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from platform_scene import Platform, error_of, expect

pytest_plugins = ["platform_fixtures"]

STORAGE = "/synchronization/imodels/storageconnections"
MANIFEST = "/synchronization/imodels/manifestconnections"


@pytest.fixture
def drive(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address under which it is served."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name there)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def valid(platform: Platform) -> dict[str, Any]:
    source = {"storageFileId": platform.upload("wall.ifc", b"a"), "connectorType": "IFC"}
    return {"iModelId": platform.new_imodel(), "sourceFiles": [source]}


def test_a_file_is_mapped_to_an_imodel_once(platform: Platform) -> None:
    """Whatever the connection: elements would come in twice."""
    body = valid(platform)
    expect(platform.post(STORAGE, json=body), 201)
    other = {"iModelId": platform.new_imodel()}

    again = platform.post(STORAGE, json=body)
    elsewhere = platform.post(STORAGE, json=body | other)

    assert error_of(again) == (409, "FileMappingToTheIModelAlreadyExists", set())
    assert elsewhere.status_code == 201


def test_a_refused_creation_leaves_nothing_behind(platform: Platform) -> None:
    """All source files or none; a client that looks for its connection must not find half of it."""
    body = valid(platform)
    lost = platform.begin_file("never.ifc")[0][:-4] + "AAAA"
    body["sourceFiles"].append({"storageFileId": lost, "connectorType": "IFC"})

    answer = platform.post(STORAGE, json=body)

    query = {"imodelId": body["iModelId"]}
    assert error_of(answer) == (404, "FileNotFound", set())
    assert expect(platform.get(STORAGE, params=query), 200)["connections"] == []


def test_lists_are_minimal_unless_asked_for_more(platform: Platform) -> None:
    """Prefer decides; the query name is read in any case."""
    body = valid(platform) | {"displayName": "Office"}
    made = expect(platform.post(STORAGE, json=body), 201)["connection"]
    query = {"iModelId": body["iModelId"]}

    minimal = expect(platform.get(STORAGE, params=query), 200)["connections"]
    whole = platform.get(STORAGE, params=query, headers={"Prefer": "return=representation"})

    assert minimal == [{"id": made["id"], "displayName": "Office"}]
    assert expect(whole, 200)["connections"] == [made]


def test_the_last_run_is_linked_once_there_is_one(platform: Platform) -> None:
    """Clients cut the run's id out of the link: the eighth part."""
    connection = platform.connect(platform.new_imodel(), platform.upload("a.ifc", b"a"))
    before = expect(platform.get(f"{STORAGE}/{connection}"), 200)["connection"]["_links"]
    run = platform.run(connection)

    after = expect(platform.get(f"{STORAGE}/{connection}"), 200)["connection"]["_links"]

    assert "lastRun" not in before
    assert after["lastRun"]["href"].split("/")[8] == run["id"]


def test_an_update_changes_the_name_and_ignores_the_rest(platform: Platform) -> None:
    """Older clients send the whole creation again."""
    body = valid(platform)
    made = expect(platform.post(STORAGE, json=body), 201)["connection"]

    changed = platform.put(f"{STORAGE}/{made['id']}", json=body | {"displayName": "New"})

    assert expect(changed, 200)["connection"]["displayName"] == "New"


def test_source_files_are_added_changed_and_removed(platform: Platform) -> None:
    """A removed file may be mapped again."""
    body = valid(platform)
    connection = expect(platform.post(STORAGE, json=body), 201)["connection"]["id"]
    path = f"{STORAGE}/{connection}/sourcefiles"
    roof = {"storageFileId": platform.upload("roof.ifc", b"b"), "connectorType": "IFC"}

    added = expect(platform.post(path, json=roof), 201)["sourceFile"]
    again = platform.post(path, json=roof)
    changed = platform.put(f"{path}/{added['id']}", json=roof | {"connectorType": "DWG"})
    removed = platform.delete(f"{path}/{added['id']}")
    left = expect(platform.get(path), 200)["sourceFiles"]

    assert (added["lastKnownFileName"], added["storageFileId"]) == (
        "roof.ifc",
        roof["storageFileId"],
    )
    assert error_of(again)[:2] == (409, "FileMappingToTheIModelAlreadyExists")
    assert expect(changed, 200)["sourceFile"]["connectorType"] == "DWG"
    assert (removed.status_code, len(left)) == (204, 1)
    assert "content-type" not in removed.headers


def manifest(platform: Platform, *ids: str) -> tuple[str, str]:
    imodel = platform.new_imodel()
    files = [{"sourceFileId": each} for each in ids]
    body = {"iModelId": imodel, "authenticationType": "Service", "sourceFiles": files}
    made = platform.post(MANIFEST, json=body)
    return imodel, str(expect(made, 201)["connection"]["id"])


def run_manifest(platform: Platform, connection: str, *files: dict[str, Any]) -> dict[str, Any]:
    started = platform.post(f"{MANIFEST}/{connection}/runs", json={"sourceFiles": files})
    assert started.status_code == 202, started.text
    platform.world.executor.drain()
    run: dict[str, Any] = expect(platform.get(started.headers["location"]), 200)["run"]
    return run


def test_a_manifest_run_fetches_its_files(platform: Platform, drive: tuple[Path, str]) -> None:
    """The caller keeps the files; the platform only reads them, by their URLs."""
    folder, url = drive
    (folder / "wall.ifc").write_text("a\nb")
    imodel, connection = manifest(platform, "W", "R")
    wall = {"id": "W", "name": "wall.ifc", "url": f"{url}/wall.ifc", "connectorType": "IFC"}
    roof = {"id": "R", "name": "roof.ifc", "url": f"{url}/roof.ifc", "connector": "IFC"}

    run = run_manifest(platform, connection, wall, roof)

    tasks = {task["sourceFileId"]: task for task in run["jobs"][0]["tasks"]}
    assert (run["result"], tasks["W"]["result"]) == ("PartialSuccess", "Success")
    assert tasks["R"]["error"]["message"] == "The file's server answered 404."
    assert platform.changesets(imodel)[0]["localtwin"]["inserted"] == 2


def test_unmap_removes_what_a_file_contributed(platform: Platform, drive: tuple[Path, str]) -> None:
    """The only way to take a file's elements out again."""
    folder, url = drive
    (folder / "wall.ifc").write_text("a\nb")
    imodel, connection = manifest(platform, "W")
    wall = {"id": "W", "name": "wall.ifc", "url": f"{url}/wall.ifc", "connectorType": "IFC"}
    run_manifest(platform, connection, wall)

    run = run_manifest(platform, connection, {"id": "W", "action": "unmap", "connector": "IFC"})

    assert run["result"] == "Success"
    assert platform.changesets(imodel)[1]["localtwin"]["deleted"] == 2


def test_connections_of_any_kind_are_listed_together(platform: Platform) -> None:
    """An older operation that third parties still call."""
    body = valid(platform)
    storage = expect(platform.post(STORAGE, json=body), 201)["connection"]["id"]
    files = [{"sourceFileId": "W"}]
    made = platform.post(MANIFEST, json={"iModelId": body["iModelId"], "sourceFiles": files})
    query = {"imodelId": body["iModelId"]}

    found = platform.get("/synchronization/imodels/connections", params=query)

    ids = {entry["id"] for entry in expect(found, 200)["connections"]}
    assert ids == {storage, expect(made, 201)["connection"]["id"]}


def test_an_update_may_repeat_what_it_does_not_change(platform: Platform) -> None:
    """Clients of the first generation send the whole creation with every update."""
    body = valid(platform)
    made = expect(platform.post(STORAGE, json=body), 201)["connection"]
    other = platform.upload("roof.ifc", b"b")
    added = [{"storageFileId": other, "connectorType": "IFC"}]

    named = platform.put(f"{STORAGE}/{made['id']}", json=body | {"displayName": "New"})
    refused = platform.put(f"{STORAGE}/{made['id']}", json=body | {"sourceFiles": added})
    elsewhere = platform.put(
        f"{STORAGE}/{made['id']}", json=body | {"iModelId": platform.new_imodel()}
    )

    assert expect(named, 200)["connection"]["displayName"] == "New"
    assert [error_of(each)[2] for each in (refused, elsewhere)] == [
        {("InvalidValue", "sourceFiles")},
        {("InvalidValue", "imodelId")},
    ]
