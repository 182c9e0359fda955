"""Manifest connections: the caller names each file by an id of its own, and its URL in each run.

The operations are those of storage connections, under another path and with other source files.
Source: Synchronization API, "Create ManifestConnection", "Create ManifestConnection SourceFile",
"Create ManifestConnection run", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..core.model import StorageId
from .client import Platform
from .operations import segment
from .values import StartAnswer


@dataclass(frozen=True, slots=True)
class ChildFile:
    """A reference of a file of a run; the URL is a secret."""

    id: str
    name: str
    url: str = field(repr=False)
    connector: str = ""  # "": left to the service


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """A file of a run. `unmap`: remove from the iModel what came from it; needs no URL.

    `document`: class name and properties of its document attribute; "" if it has none.
    """

    id: str
    name: str
    connector: str
    url: str = field(default="", repr=False)
    unmap: bool = False
    children: tuple[ChildFile, ...] = ()
    document_class: str = ""
    document: Mapping[str, str] = field(default_factory=dict)


class ManifestPlatform(Platform):
    """The iTwin Platform with manifest connections in the place of storage connections."""

    connections_path: ClassVar[str] = "/synchronization/imodels/manifestconnections"

    def source_body(self, storage_id: StorageId, connector: str) -> dict[str, str]:
        """Return how a source file is named; its connector is named in each run."""
        del connector
        return {"sourceFileId": storage_id}

    def start_manifest_run(
        self, connection_id: str, files: Sequence[ManifestFile], schema_url: str = ""
    ) -> StartAnswer:
        """Request a run over these files, once.

        `schema_url`: where the classes of the documents are defined, "" if nowhere.
        Source: "Create ManifestConnection run" (202, 303, 409).
        """
        path = f"{self.connections_path}/{segment(connection_id)}/runs"
        schema = {"documentAttributeSchemaUrl": schema_url} if schema_url else {}
        return self._start(path, {**schema, "sourceFiles": [_body(each) for each in files]})


def _body(file: ManifestFile) -> dict[str, Any]:
    body: dict[str, Any] = {"id": file.id, "connectorType": file.connector}
    if file.unmap:
        return {**body, "action": "unmap"}
    body |= {"name": file.name, "action": "bridge", "url": file.url}
    if file.document_class:
        attribute = {"className": file.document_class, "properties": dict(file.document)}
        body["documentAttribute"] = attribute
    if file.children:
        body["children"] = [_child(each, file.id) for each in file.children]
    return body


def _child(child: ChildFile, parent_id: str) -> dict[str, str]:
    body = {"id": child.id, "parentId": parent_id, "name": child.name, "url": child.url}
    return {**body, "connectorType": child.connector} if child.connector else body
