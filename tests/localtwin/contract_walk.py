"""One walk through every operation of the contract, for a client of any kind."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import httpx
from platform_scene import expect
from refusal_scene import MANIFEST, STORAGE

from wire.witness import METHODS, Exchange, contract

CREDENTIALS = {"grant_type": "client_credentials", "scope": "itwin-platform"}
BLOB = {"x-ms-blob-type": "BlockBlob"}
LOOKS_MAX = 400
Answered = tuple[str, str, int]
"""Method and path of an operation of the contract, and a status."""


def documented() -> set[Answered]:
    """Return every operation of the contract with every status that it may answer."""
    return {
        (method.upper(), path, int(status))
        for path, operations in contract().paths().items()
        for method in set(METHODS) & operations.keys()
        for status in operations[method]["responses"]
    }


@dataclass
class Walk:
    """A signed-in client; every answer must be one that the contract describes."""

    client: httpx.Client
    client_id: str
    client_secret: str
    itwin_id: str
    is_served: bool  # else localtwin cannot fetch from itself
    answered: set[Answered] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Sign in."""
        login = (self.client_id, self.client_secret)
        self("GET", "/.well-known/openid-configuration", 200)
        token = self("POST", "/connect/token", 200, data=CREDENTIALS, auth=login)
        self.client.headers["Authorization"] = f"Bearer {token['access_token']}"

    def __call__(self, method: str, path: str, status: int, **more: Any) -> Any:
        """Call an operation that must answer so; return its JSON, or its Location."""
        answer = self.note(self.client.request(method, path, **more))
        found = expect(answer, status)
        return answer.headers.get("location") if found is None else found

    def note(self, answer: httpx.Response) -> httpx.Response:
        """Check an answer against the contract, and note that it was given."""
        exchange = Exchange.of(answer)
        assert contract().objections(exchange, to_request=True) == [], exchange
        path = contract().path(exchange)
        assert path is not None, exchange
        self.answered.add((exchange.method, path, exchange.status))
        return answer

    # ---- the walk -----------------------------------------------------------------------

    def goes_everywhere(self) -> None:
        """Call every operation so that it does what it is for."""
        self("GET", f"/itwins/{self.itwin_id}", 200)
        imodel = self._imodel()
        first, second = self._storage()
        self._storage_connection(imodel, first, second)
        self._manifest_connection(imodel, first)
        self("GET", f"/synchronization/imodels/connections?imodelId={imodel}", 200)
        self("GET", "/synchronization/imodels/connections/authorizationinformation", 200)
        (changeset, *_) = self("GET", f"/imodels/{imodel}/changesets", 200)["changesets"]
        self("GET", f"/imodels/{imodel}/changesets/{changeset['id']}", 200)

    def _imodel(self) -> str:
        body = {"iTwinId": self.itwin_id, "name": "Contract"}
        imodel = str(self("POST", "/imodels", 201, json=body)["iModel"]["id"])
        self("GET", f"/imodels?iTwinId={self.itwin_id}", 200)
        self("GET", f"/imodels/{imodel}", 200)
        self("POST", f"/imodels/{imodel}/namedversions", 201, json={"name": "One"})
        self("GET", f"/imodels/{imodel}/namedversions", 200)
        return imodel

    def _storage(self) -> tuple[str, str]:
        """Do all there is to do with folders and files; return the ids of two files."""
        top = self("GET", f"/storage/?iTwinId={self.itwin_id}", 200)["_links"]["folder"]["href"]
        root = f"/storage/folders/{top.rpartition('/')[2]}"
        made = [
            self("POST", f"{root}/folders", 201, json={"displayName": name})["folder"]["id"]
            for name in ("drawings", "archive")
        ]
        drawings, archive = (f"/storage/folders/{each}" for each in made)
        self("GET", drawings, 200)
        self("PATCH", drawings, 200, json={"displayName": "plans"})
        first, second = self._file(root, "a.ifc"), self._file(drawings, "b.ifc")
        for what in ("list", "folders", "files", "search?name=*.ifc"):
            self("GET", f"{root}/{what}", 200)
        for verb in ("lock", "unlock"):
            self("POST", f"{drawings}/{verb}", 200, json={"fileIds": [second]})
        self("GET", f"/storage/files/{second}", 200)
        self("PATCH", f"/storage/files/{second}", 200, json={"description": "changed"})
        self("POST", f"/storage/files/{second}/move", 200, json={"parentFolderId": made[1]})
        self("POST", f"{drawings}/move", 200, json={"parentFolderId": made[1]})
        self._put(self("POST", f"/storage/files/{first}/updatecontent", 202), b"wall\ndoor")
        self("POST", f"/storage/files/{first}/complete", 200)
        gone = self._file(archive, "gone.ifc")
        self("DELETE", f"/storage/files/{gone}", 204)
        self("DELETE", drawings, 204)
        return first, second

    def _file(self, folder: str, name: str) -> str:
        links = self("POST", f"{folder}/files", 202, json={"displayName": name})
        self._put(links, b"wall")
        complete = links["_links"]["completeUrl"]["href"]
        return str(self("POST", complete, 200)["file"]["id"])

    def _put(self, links: dict[str, Any], content: bytes) -> None:
        url = links["_links"]["uploadUrl"]["href"]
        request = self.client.build_request("PUT", url, content=content, headers=BLOB)
        del request.headers["Authorization"]
        expect(self.client.send(request), 201)

    def _storage_connection(self, imodel: str, first: str, second: str) -> None:
        body = {
            "iModelId": imodel,
            "authenticationType": "Service",
            "sourceFiles": [{"storageFileId": first, "connectorType": "IFC"}],
        }
        path = f"{STORAGE}/{self('POST', STORAGE, 201, json=body)['connection']['id']}"
        other = {"storageFileId": second, "connectorType": "IFC"}
        self._upkeep(STORAGE, path, imodel, other)
        self._run(path, f"{path}/run", None, "Success")
        self("DELETE", path, 204)

    def _manifest_connection(self, imodel: str, file: str) -> None:
        source = {"sourceFileId": "11111111-2222-4333-8444-555555555555"}
        other = {"sourceFileId": "11111111-2222-4333-8444-666666666666"}
        body = {"iModelId": imodel, "authenticationType": "Service", "sourceFiles": [source]}
        path = f"{MANIFEST}/{self('POST', MANIFEST, 201, json=body)['connection']['id']}"
        self._upkeep(MANIFEST, path, imodel, other)
        url = self("GET", f"/storage/files/{file}/download", 302)
        named = {"id": source["sourceFileId"], "name": "c.ifc", "url": url, "connectorType": "IFC"}
        files = {"sourceFiles": [named | {"action": "bridge"}]}
        self._run(path, f"{path}/runs", files, "Success" if self.is_served else "Error")
        self("DELETE", path, 204)

    def _upkeep(self, kind: str, path: str, imodel: str, other: dict[str, str]) -> None:
        """Read and change a connection, and add, change and remove one more source file."""
        self("GET", f"{kind}?imodelId={imodel}", 200)
        self("GET", path, 200)
        self("PUT", path, 200, json={"displayName": "Office"})
        added = self("POST", f"{path}/sourcefiles", 201, json=other)["sourceFile"]["id"]
        self("GET", f"{path}/sourcefiles", 200)
        self("GET", f"{path}/sourcefiles/{added}", 200)
        self("PUT", f"{path}/sourcefiles/{added}", 200, json=other)
        self("DELETE", f"{path}/sourcefiles/{added}", 204)

    def _run(self, path: str, start: str, body: dict[str, Any] | None, result: str) -> None:
        """Start a run, meet it with a second start, and look at it until it has ended."""
        more = {} if body is None else {"json": body}
        self.client.post("/localtwin/faults", json={"fault": "stuck-run"})
        run = self("POST", start, 202, **more)
        self("POST", start, 303, **more)
        self.client.delete("/localtwin/faults")
        pause = threading.Event()
        for _ in range(LOOKS_MAX):
            if self("GET", run, 200)["run"]["state"] == "Completed":
                break
            pause.wait(0.05)
        assert self("GET", run, 200)["run"]["result"] == result
        self("GET", f"{path}/runs", 200)
