"""Manifest runs: files fetched by URL, what they draw on beside them, and servers that fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from platform_scene import Platform, error_of, expect, opened

from localtwin.world.synchronization.downloads import fetch

pytest_plugins = ["platform_fixtures"]

MANIFEST = "/synchronization/imodels/manifestconnections"


@dataclass
class Drive:
    """A web server of somebody's files, some of which do not come."""

    url: str = ""
    files: dict[str, str] = field(default_factory=dict)
    closed: Event = field(default_factory=Event)
    asked: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Serve one file, or fail in the way its name says."""
        name = request.path.rpartition("/")[2]
        if name in {"403", "404", "503"}:
            request.send_error(int(name))
        elif name == "hang":
            self.closed.wait(10)
        elif name == "drip":
            self._drip(request)
        elif name == "short":
            _begin(request, 100)
            request.wfile.write(b"not so long")
        else:
            if name.startswith("held"):
                self.asked.set()
                self.released.wait(10)
            _begin(request, len(self.files[name]))
            request.wfile.write(self.files[name].encode())

    def _drip(self, request: BaseHTTPRequestHandler) -> None:
        _begin(request, 10_000)
        while not self.closed.wait(0.02):
            try:
                request.wfile.write(b".")
            except OSError:
                return

    def file(self, name: str, at: str = "", **more: Any) -> dict[str, Any]:
        """Return a file as a run names it."""
        url = f"{self.url}/{at or name}"
        return {"id": name, "name": name, "url": url, "connectorType": "DWG"} | more


def _begin(request: BaseHTTPRequestHandler, length: int) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(length))
    request.end_headers()


@pytest.fixture(scope="module")
def drive() -> Iterator[Drive]:
    """A server on this computer."""
    drive = Drive()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            drive.answer(self)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name there)
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    drive.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield drive
    drive.closed.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that does not wait long for a file."""
    with opened(tmp_path_factory.mktemp("hasty"), fetch_s=0.5) as world, Platform(world) as found:
        world.start()
        yield found


def connect(platform: Platform, *ids: str) -> tuple[str, str]:
    imodel = platform.new_imodel()
    files = [{"sourceFileId": each} for each in ids]
    body = {"iModelId": imodel, "authenticationType": "Service", "sourceFiles": files}
    made = platform.post(MANIFEST, json=body)
    return imodel, f"{MANIFEST}/{expect(made, 201)['connection']['id']}/runs"


def start(platform: Platform, path: str, *files: dict[str, Any]) -> httpx.Response:
    return platform.post(path, json={"sourceFiles": files})


def run(platform: Platform, path: str, *files: dict[str, Any]) -> dict[str, Any]:
    started = start(platform, path, *files)
    assert started.status_code == 202, started.text
    platform.world.executor.drain()
    found: dict[str, Any] = expect(platform.get(started.headers["location"]), 200)["run"]
    return found


def tasks(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {task["sourceFileId"]: task for job in run["jobs"] for task in job["tasks"]}


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("hang", "The file's server does not answer in time."),
        ("drip", "The file's server does not answer in time."),
        ("short", "The file's server sent 11 of 100 bytes."),
        ("403", "The file's server answered 403."),
        ("404", "The file's server answered 404."),
        ("503", "The file's server answered 503."),
    ],
)
def test_a_file_that_does_not_come_ends_its_own_task_only(
    hasty: Platform, drive: Drive, at: str, reason: str
) -> None:
    """One expired link among two hundred must not cost the night's run."""
    drive.files["b.dwg"] = "wall\ndoor"
    imodel, path = connect(hasty, "a.dwg", "b.dwg")

    found = run(hasty, path, drive.file("a.dwg", at), drive.file("b.dwg"))

    lost, got = tasks(found)["a.dwg"], tasks(found)["b.dwg"]
    assert (found["result"], lost["result"], got["result"]) == (
        "PartialSuccess",
        "Error",
        "Success",
    )
    assert (lost["error"]["errorCode"], lost["error"]["message"]) == ("FileNotAvailable", reason)
    assert drive.url not in str(found)
    assert hasty.changesets(imodel)[0]["synchronizationInfo"]["changedFiles"] == ["b.dwg"]


def test_a_run_of_which_no_file_comes_is_an_error(hasty: Platform, drive: Drive) -> None:
    """Nothing got in, and nobody may believe that it did."""
    imodel, path = connect(hasty, "a.dwg", "b.dwg")

    found = run(hasty, path, drive.file("a.dwg", "404"), drive.file("b.dwg", "403"))

    assert (found["result"], found["error"]) == ("Error", None)
    assert hasty.changesets(imodel) == []


def test_an_unreachable_server_is_reported_unlike_one_that_refuses(tmp_path: Path) -> None:
    """The one is the network's fault, the other the link's."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        nobody = f"http://127.0.0.1:{server.server_port}/a.dwg"

    reason = fetch(nobody, tmp_path / "run" / "0", limit_s=5)

    assert reason == "The file's server can't be reached (ConnectionRefusedError)."
    assert list((tmp_path / "run").iterdir()) == []


def test_files_of_this_computer_come_without_the_proxy_of_the_environment(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An office's proxy would look for them on its own computer."""
    drive.files["a.dwg"] = "wall"
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # nobody listens there, and nobody else can
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        here = fetch(f"{drive.url}/a.dwg", tmp_path / "run" / "0", limit_s=5)
    monkeypatch.setenv("http_proxy", drive.url)
    elsewhere = fetch("http://files.example/a.dwg", tmp_path / "run" / "1", limit_s=5)

    assert (here, elsewhere) == (None, None)
    assert (tmp_path / "run" / "0").read_text() == "wall"


def test_reference_files_are_beside_their_master(platform: Platform, drive: Drive) -> None:
    """Otherwise a drawing that is made of others would come in half empty."""
    drive.files |= {"site.dwg": "wall", "Grid.dwg": "axis", "trees.dwg": "oak"}
    imodel, path = connect(platform, "site.dwg")
    grid = drive.file("Grid.dwg", parentId="site.dwg")

    found = run(platform, path, drive.file("site.dwg", children=[grid, drive.file("trees.dwg")]))

    (changeset,) = platform.changesets(imodel)
    assert (found["result"], list(tasks(found))) == ("Success", ["site.dwg"])
    assert changeset["localtwin"]["inserted"] == 3
    assert changeset["synchronizationInfo"]["changedFiles"] == ["site.dwg"]


def test_a_changed_reference_changes_what_its_master_says(platform: Platform, drive: Drive) -> None:
    """The master's own bytes are the same, but not what it shows."""
    drive.files |= {"site.dwg": "wall", "grid.dwg": "axis"}
    imodel, path = connect(platform, "site.dwg")
    site = drive.file("site.dwg", children=[drive.file("grid.dwg")])
    run(platform, path, site)
    drive.files["grid.dwg"] = "other axis"

    found = run(platform, path, site)
    again = run(platform, path, site)

    assert tasks(found)["site.dwg"]["result"] == "Success"
    report = tasks(again)["site.dwg"]["details"]["synchronizationReport"]
    assert report["message"] == "No changes"
    assert [each["localtwin"]["inserted"] for each in platform.changesets(imodel)] == [2, 1]


def test_a_reference_that_does_not_come_is_a_warning_of_its_master(
    hasty: Platform, drive: Drive
) -> None:
    """As in every CAD program: the drawing opens, and says what it misses."""
    drive.files |= {"site.dwg": "wall", "grid.dwg": "axis"}
    imodel, path = connect(hasty, "site.dwg")
    children = [drive.file("grid.dwg"), drive.file("lost.dwg", "404")]

    found = run(hasty, path, drive.file("site.dwg", children=children))

    task = tasks(found)["site.dwg"]
    answers = task["details"]["synchronizationReport"]
    query = {"imodelId": imodel, "runId": found["id"], "taskId": task["id"].upper()}
    (report,) = expect(hasty.get("/synchronization/reports", params=query), 200)["reports"]
    files = expect(hasty.get(report["sasUri"]), 200)["sourceFilesInfo"]["Files"]
    assert (found["result"], task["result"], task["error"]) == ("Success", "Success", None)
    assert (answers["totalWarningsCount"], answers["suggestedAction"]) == (1, "Warning")
    assert answers["message"].endswith("Missing reference files: lost.dwg")
    assert files == [
        {"fileName": "grid.dwg", "state": "Available"},
        {"fileName": "lost.dwg", "state": "Missing"},
    ]


@pytest.mark.parametrize(
    ("children", "target"),
    [
        ([{"id": "x", "name": "../x.dwg"}], "name"),
        ([{"id": "x", "name": "C:\\x.dwg"}], "name"),
        ([{"id": "x", "name": ".."}], "name"),
        ([{"id": "x", "name": "SITE.dwg"}], "children"),
        ([{"id": "x", "name": "x.dwg"}, {"id": "y", "name": "X.DWG"}], "children"),
        ([{"id": "x", "name": "x.dwg", "parentId": "other.dwg"}], "children"),
    ],
)
def test_references_that_could_not_be_beside_their_master_are_refused(
    platform: Platform, children: list[dict[str, str]], target: str
) -> None:
    """A name must not lead out of the run's folder, nor onto another file."""
    _, path = connect(platform, "site.dwg")
    url = {"url": "http://localhost/x"}
    site = {"id": "site.dwg", "name": "site.dwg", "connectorType": "DWG"} | url

    answer = start(platform, path, site | {"children": [child | url for child in children]})

    assert error_of(answer) == (
        422,
        "InvalidManifestConnectionRequest",
        {("InvalidValue", target)},
    )


def test_a_run_waits_to_execute_while_its_files_come(platform: Platform, drive: Drive) -> None:
    """So a person sees that it is the link that is slow."""
    drive.files["held.dwg"] = "wall"
    _, path = connect(platform, "held.dwg")
    started = start(platform, path, drive.file("held.dwg"))
    drive.asked.wait(10)

    found = expect(platform.get(started.headers["location"]), 200)["run"]
    drive.released.set()
    platform.world.executor.drain()

    (task,) = tasks(found).values()
    assert (found["state"], found["phase"]) == ("WaitingToExecute", "Preprocessor")
    assert (task["state"], task["result"], task["startDateTime"], task["details"]) == (
        "WaitingToExecute",
        "Undetermined",
        None,
        None,
    )


def test_an_interrupted_manifest_run_fetches_what_it_lacks(tmp_path: Path, drive: Drive) -> None:
    """The run was accepted, and its links may still be good."""
    drive.files |= {"site.dwg": "wall", "grid.dwg": "axis"}
    with opened(tmp_path) as world, Platform(world) as platform:
        imodel, path = connect(platform, "site.dwg")
        site = drive.file("site.dwg", children=[drive.file("grid.dwg")])
        started = start(platform, path, site)

    with opened(tmp_path) as world, Platform(world) as platform:
        world.start()
        world.executor.drain()
        found = expect(platform.get(started.headers["location"]), 200)["run"]
        (changeset,) = platform.changesets(imodel)

    assert (found["result"], changeset["localtwin"]["inserted"]) == ("Success", 2)


def test_links_are_forgotten_when_a_run_has_ended(tmp_path: Path, drive: Drive) -> None:
    """They are secrets of the caller's, good for whoever reads the database."""
    drive.files |= {"site.dwg": "wall", "grid.dwg": "axis"}
    with opened(tmp_path) as world, Platform(world) as platform:
        world.start()
        _, path = connect(platform, "site.dwg")
        site = drive.file("site.dwg", children=[drive.file("grid.dwg")])
        found = run(platform, path, site)
        run_id = found["id"]
        (task,) = world.runs.get("manifest", path.split("/")[4], run_id).tasks

    assert (task.url, [each.url for each in task.references]) == (None, [None])


def test_document_attributes_are_kept_with_the_task(platform: Platform, drive: Drive) -> None:
    """A document management system finds its revision again in the report of the run."""
    drive.files["a.dwg"] = "wall"
    imodel, path = connect(platform, "a.dwg")
    attribute = {"className": "ProjectwiseDynamic:PWDocumentLink", "properties": {"Revision": "A"}}
    file = drive.file("a.dwg", documentAttribute=attribute, relativePath="site/a.dwg")
    body = {
        "documentAttributeSchemaUrl": f"{drive.url}/schema.xml?sig=secret",
        "sourceFiles": [file],
    }

    started = platform.post(path, json=body)
    platform.world.executor.drain()
    query = {"imodelId": imodel, "runId": started.headers["location"].rpartition("/")[2]}
    listed = expect(platform.get("/synchronization/reports", params=query), 200)
    report = expect(platform.send(httpx.Request("GET", listed["reports"][0]["sasUri"])), 200)

    info = report["sourceFilesInfo"]
    assert (info["documentAttribute"], info["relativePath"]) == (attribute, "site/a.dwg")
    assert info["documentAttributeSchema"] == "/schema.xml"
    assert "secret" not in str(report)
