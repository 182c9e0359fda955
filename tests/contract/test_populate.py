"""The calls of the public command line client's `imodel populate`, replayed as it makes them.

Source: iTwin/itwin-cli, recorded against a loopback server; ids are cut out of links as it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from localtwin.sample_drive import drawings
from localtwin.serve import Ready

NAME = "Default iTwinCLI Connection"
CONNECTIONS = "/synchronization/imodels/storageconnections"
LOOKS_MAX = 2000
"""Looks at a run of two small files, which takes about a second."""


class CommandLine(httpx.Client):
    """What the client is: Accept is anything, redirects are followed, JSON is believed."""

    def __init__(self, ready: Ready) -> None:
        super().__init__(base_url=ready.api_url, follow_redirects=True)
        self.itwin_id = ready.itwin_id
        found = self.get("/.well-known/openid-configuration").json()
        token = self.post(
            found["token_endpoint"],
            data={"grant_type": "client_credentials", "scope": "itwin-platform"},
            auth=(ready.client_id, ready.client_secret),
        ).json()
        self.headers["Authorization"] = f"Bearer {token['access_token']}"

    def call(self, method: str, path: str, **more: Any) -> Any:
        """Return what the client makes of an answer: JSON wherever a Content-Type is given."""
        headers = {"Content-Type": "application/json"} | more.pop("headers", {})
        answer = self.request(method, path, headers=headers, **more)
        answer.raise_for_status()
        return answer.json() if answer.headers.get("Content-Type") else None

    def populate(self, imodel: str, files: dict[str, str]) -> tuple[dict[str, Any], str]:
        """Bring the files into the iModel; return the run and the connection."""
        found = self.call("GET", f"/imodels/{imodel}", headers=_accept(2))
        itwin = found["iModel"]["iTwinId"]
        top = self.call("GET", f"/storage/?iTwinId={itwin}", headers=_accept(1))
        ids = [self._upload(top, name, content) for name, content in files.items()]
        connection = self._connection(imodel, ids[0])
        path = f"{CONNECTIONS}/{connection}"
        for each in ids:
            self._map(path, each)
        self.call("POST", f"{path}/run")
        link = self.call("GET", path)["connection"]["_links"]["lastRun"]["href"]
        return self.finished(f"{path}/runs/{link.split('/')[8]}"), connection

    def _upload(self, top: dict[str, Any], name: str, content: str) -> str:
        there = [item["id"] for item in top["items"] if item["displayName"] == name]
        root = top["_links"]["folder"]["href"].split("/")[5]
        if there:
            links = self.call("POST", f"/storage/files/{there[0]}/updatecontent")["_links"]
        else:
            body = {"displayName": name}
            links = self.call("POST", f"/storage/folders/{root}/files", json=body)["_links"]
        headers = {"x-ms-blob-type": "BlockBlob"}
        httpx.put(links["uploadUrl"]["href"], content=content, headers=headers).raise_for_status()
        file_id = str(links["completeUrl"]["href"].split("/")[5])
        self.call("POST", f"/storage/files/{file_id}/complete")
        return file_id

    def _connection(self, imodel: str, first: str) -> str:
        known = self.call("GET", f"{CONNECTIONS}?imodelId={imodel}")["connections"]
        there = [each["id"] for each in known if each["displayName"] == NAME]
        if there:
            return str(there[0])
        body = {
            "authenticationType": "Service",
            "displayName": NAME,
            "iModelId": imodel,
            "sourceFiles": [{"connectorType": "DWG", "storageFileId": first}],
        }
        return str(self.call("POST", CONNECTIONS, json=body)["connection"]["id"])

    def _map(self, path: str, file_id: str) -> None:
        headers = {"Prefer": "return=representation"}
        known = self.call("GET", f"{path}/sourceFiles", headers=headers)["sourceFiles"]
        if file_id not in [each["storageFileId"] for each in known]:
            body = {"connectorType": "DWG", "storageFileId": file_id}
            self.call("POST", f"{path}/sourcefiles", json=body)

    def finished(self, url: str) -> dict[str, Any]:
        """Return the run when it has come to an end."""
        for _ in range(LOOKS_MAX):
            run: dict[str, Any] = self.call("GET", url)["run"]
            if run["state"] == "Completed":
                return run
        raise AssertionError(run)


def _accept(version: int) -> dict[str, str]:
    return {"Accept": f"application/vnd.bentley.itwin-platform.v{version}+json"}


@pytest.fixture(scope="module")
def client(local: Ready) -> Iterator[CommandLine]:
    """Signed in once, as its cached token has it."""
    with closing(CommandLine(local)) as client:
        yield client


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A drawing that a connector reads."""
    file: Path = tmp_path_factory.mktemp("drawing") / "plan.dxf"
    drawings.bearing("plan", file)
    return file.read_text("utf-8")


def test_populate_brings_new_files_in(
    client: CommandLine, new_imodel: Callable[[str], str], drawing: str
) -> None:
    """The shortest way from a file to an iModel that anybody knows."""
    imodel = new_imodel("new files")

    run, _ = client.populate(imodel, {"first.dxf": drawing, "second.dxf": drawing})

    changesets = client.call("GET", f"/imodels/{imodel}/changesets", headers=_accept(2))
    assert (run["result"], len(run["jobs"][0]["tasks"])) == ("Success", 2)
    assert [each["index"] for each in changesets["changesets"]] == [1, 2]


def test_populate_again_updates_what_is_there(
    client: CommandLine, new_imodel: Callable[[str], str], drawing: str
) -> None:
    """No second file, connection or source file: only new content."""
    imodel = new_imodel("an updated file")
    first, connection = client.populate(imodel, {"again.dxf": drawing})

    second, same = client.populate(imodel, {"again.dxf": drawing.replace("4 anchor", "6 anchor")})

    sources = client.call("GET", f"{CONNECTIONS}/{connection}/sourcefiles")["sourceFiles"]
    tasks = [run["jobs"][0]["tasks"][0] for run in (first, second)]
    assert (same, len(sources)) == (connection, 1)
    assert tasks[0]["storageFileId"] == tasks[1]["storageFileId"]
    assert [task["result"] for task in tasks] == ["Success", "Success"]


def test_a_start_that_meets_an_active_run_reads_that_run(
    client: CommandLine, new_imodel: Callable[[str], str], drawing: str
) -> None:
    """The client follows the redirect without noticing, so there has to be a run behind it."""
    imodel = new_imodel("an active run")
    _, connection = client.populate(imodel, {"active.dxf": drawing})
    client.call("POST", f"{CONNECTIONS}/{connection}/run")

    met = client.call("POST", f"{CONNECTIONS}/{connection}/run")

    link = client.call("GET", f"{CONNECTIONS}/{connection}")["connection"]["_links"]["lastRun"]
    assert met["run"]["id"] == link["href"].split("/")[8]
    assert client.finished(link["href"])["result"] == "Success"
