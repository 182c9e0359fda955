# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A storage connection on a scripted platform, and what that platform says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cloud_script import API, BLOB, BlobHost, Bytes, Wire

from twinsyncd.core import commands, facts
from twinsyncd.core.model import FileKey, Fingerprint
from twinsyncd.targets.protocol import Target
from twinsyncd.targets.storage.connection import StorageConnection
from twinsyncd.targets.storage.settings import StorageConnectionSettings
from twinsyncd.targets.storage.tree import StorageTree

CONNECTIONS = "/synchronization/imodels/storageconnections"
KEY = FileKey("cad", "structure/beam.ifc")
PATH = "/container/one"
DATA = b"beam"
SETTINGS = StorageConnectionSettings(
    connection="bridge",
    display_name="Bridge 12",
    itwin_id="i1",
    imodel_id="m1",
    folder_of=lambda key: f"Bridge 12/{key.path.rpartition('/')[0]}",
    connector_of=lambda _: "IFC",
)


@dataclass
class Scene:
    """A target on a scripted wire, with a blob host of its own."""

    settings: StorageConnectionSettings = SETTINGS
    wire: Wire = field(default_factory=Wire)
    host: BlobHost = field(default_factory=BlobHost)
    notes: list[facts.Reserved] = field(default_factory=list)

    def __post_init__(self) -> None:
        platform = self.wire.platform()
        self.tree = StorageTree(platform, "i1")
        self.target: Target = StorageConnection(
            platform, self.host.client(), self.host.reader(), self.tree, self.settings
        )

    def store(self, storage_id: str = "", content: Bytes | None = None) -> facts.Stored:
        """Store the file."""
        command = commands.Store(KEY, "bridge", "d1", Fingerprint(4, 1), storage_id)
        return self.target.store(command, content or Bytes(DATA), self.notes.append)

    def prepare(self, *items: str, remote_id: str = "c1") -> facts.Prepared:
        """Prepare the connection with these files, named like their ids."""
        files = tuple(
            commands.ExpectedFile(FileKey("cad", storage_id), storage_id) for storage_id in items
        )
        return self.target.prepare(commands.Prepare("bridge", remote_id, files))

    # ---- what the platform does -------------------------------------------------------------

    def lists(self, folder: str, *entries: dict[str, Any]) -> None:
        """The next request lists this folder."""
        self.wire.hears("GET", f"/storage/folders/{folder}/list", json={"items": list(entries)})

    def shows_the_top(self) -> None:
        """The iTwin's Storage may be looked at."""
        root = {"_links": {"folder": {"href": f"{API}/storage/folders/root"}}}
        self.wire.hears("GET", "/storage", json=root)

    def knows_the_folder(self, *files: dict[str, Any]) -> None:
        """The folder of the file exists and holds these files."""
        self.shows_the_top()
        self.lists("root", entry("f1", "Bridge 12", "folder"))
        self.lists("f1", entry("f2", "structure", "folder"))
        self.lists("f2", *files)

    def opens(self, method: str, path: str, storage_id: str) -> None:
        """The next request is answered with an upload to this storage_id."""
        links = {
            "completeUrl": {"href": f"{API}/storage/files/{storage_id}/complete"},
            "uploadUrl": {"href": BLOB},
        }
        self.wire.hears(method, path, 202, json={"_links": links})

    def creates(self, storage_id: str = "s1") -> None:
        """The next request creates the file."""
        self.opens("POST", "/storage/folders/f2/files", storage_id)

    def replaces(self, storage_id: str) -> None:
        """The next request asks to replace the file."""
        self.opens("POST", f"/storage/files/{storage_id}/updatecontent", storage_id)

    def completes(self, storage_id: str = "s1", size: int | None = len(DATA)) -> None:
        """The next request completes the file."""
        answer = {"file": {"id": storage_id, "displayName": "beam.ifc", "size": size}}
        self.wire.hears("POST", f"/storage/files/{storage_id}/complete", json=answer)

    def holds(self, connection: str, *items: str) -> None:
        """The next request lists the files of the connection."""
        files = [{"id": f"sf-{storage_id}", "storageFileId": storage_id} for storage_id in items]
        path = f"{CONNECTIONS}/{connection}/sourcefiles"
        self.wire.hears("GET", path, json={"sourceFiles": files})

    def has_connections(self, *connections: dict[str, Any]) -> None:
        """The next request lists the connections of the iModel."""
        self.wire.hears("GET", CONNECTIONS, json={"connections": list(connections)})

    def shows(self, connection: dict[str, Any]) -> None:
        """The next request looks at the connection."""
        path = f"{CONNECTIONS}/{connection['id']}"
        self.wire.hears("GET", path, json={"connection": connection})


def entry(
    storage_id: str, name: str, kind: str = "file", created: str = "2026-01-01T00:00:00Z"
) -> dict[str, Any]:
    """An entry of a folder listing."""
    return {"id": storage_id, "displayName": name, "type": kind, "createdDateTime": created}


def connection(
    connection_id: str = "c1", name: str = "Bridge 12", run: str | None = ""
) -> dict[str, Any]:
    """A connection; run None: the answer does not speak of runs."""
    href = f"{API}{CONNECTIONS}/{connection_id}/runs/{run}" if run else None
    links = {} if run is None else {"lastRun": {"href": href}}
    return {"id": connection_id, "displayName": name, "iModelId": "m1", "_links": links}


def run_of(connection_id: str, run: str) -> str:
    """The name of a run as the machine keeps it."""
    return f"{CONNECTIONS}/{connection_id}/runs/{run}"


def refusal(code: str, message: str = "No.") -> dict[str, Any]:
    """An error body."""
    return {"error": {"code": code, "message": message}}
