"""Manifest connections of the Synchronization API: the caller says where each file is.

Source: Synchronization API, "Create ManifestConnection", "Create ManifestConnection run".
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    HttpUrl,
    ValidationInfo,
    field_validator,
)
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import INCOMPLETE, invalid
from localtwin.api.links import caller
from localtwin.api.permissions import require_for_connection
from localtwin.api.request_body import RequestBody
from localtwin.api.synchronization.bodies import AuthenticationType, ConnectorType, IModelId, Name
from localtwin.api.synchronization.shapes import BASE, connection_shape, source_shape
from localtwin.api.synchronization.storage_connections import (
    add_connections,
    add_runs,
    start_run,
    unless_taken,
)
from localtwin.errors import Detail
from localtwin.world.synchronization.connections import MANIFEST, RequestedSource
from localtwin.world.synchronization.frozen_inputs import BRIDGE, Order
from localtwin.world.synchronization.references import Child
from localtwin.world.world import World

_SOURCES_MAX = 1000
_CHILDREN_MAX = 1000
_FORBIDDEN = frozenset("/\\:") | {chr(code) for code in range(32)}


def _plain_name(name: str | None) -> str | None:
    """Return `name`; raises ValueError where it would lead out of its folder."""
    if name is not None and (name in {".", ".."} or not _FORBIDDEN.isdisjoint(name)):
        raise ValueError("not the name of a file")
    return name


class ManifestSource(RequestBody):
    """A source file by the caller's own id."""

    source_file_id: Annotated[str, Field(alias="sourceFileId", min_length=1, max_length=255)]


class ManifestCreate(RequestBody):
    """The body of a creation."""

    display_name: Name = None
    imodel_id: IModelId
    authentication_type: Annotated[AuthenticationType, Field(alias="authenticationType")] = "User"
    source_files: Annotated[list[ManifestSource], Field(alias="sourceFiles", min_length=1)]


class ChildFile(RequestBody):
    """A reference file of a file of a run."""

    id: Annotated[str, Field(min_length=1)]
    parent_id: Annotated[str | None, Field(alias="parentId")] = None
    name: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_plain_name)]
    url: HttpUrl
    connector_type: Annotated[ConnectorType | None, Field(alias="connectorType")] = None


class DocumentAttribute(RequestBody):
    """What a document management system knows of a file, as an instance of its schema's class."""

    class_name: Annotated[str, Field(alias="className", min_length=1)]
    properties: dict[str, Any] = Field(default_factory=dict)


class RunFile(RequestBody):
    """A file of a run; `connector` is the older name of connectorType."""

    id: Annotated[str, Field(min_length=1)]
    name: Annotated[str | None, Field(max_length=255), AfterValidator(_plain_name)] = None
    url: HttpUrl | None = None
    action: Literal["bridge", "unmap"] = "bridge"
    connector_type: Annotated[
        ConnectorType | None, Field(validation_alias=AliasChoices("connectorType", "connector"))
    ] = None
    relative_path: Annotated[str | None, Field(alias="relativePath")] = None
    document_metadata: Annotated[dict[str, Any] | None, Field(alias="documentMetadata")] = None
    document_attribute: Annotated[DocumentAttribute | None, Field(alias="documentAttribute")] = None
    children: Annotated[list[ChildFile], Field(default_factory=list, max_length=_CHILDREN_MAX)]

    @field_validator("children")
    @classmethod
    def _belong(cls, children: list[ChildFile], info: ValidationInfo) -> list[ChildFile]:
        names = [str(info.data.get("name")).lower(), *(child.name.lower() for child in children)]
        if len(set(names)) < len(names):
            raise ValueError("two files of one name")
        if any(child.parent_id not in {None, info.data.get("id")} for child in children):
            raise ValueError("a child of another file")
        return children


class ManifestRun(RequestBody):
    """The body that starts a run."""

    schema_url: Annotated[HttpUrl | None, Field(alias="documentAttributeSchemaUrl")] = None
    source_files: Annotated[
        list[RunFile], Field(alias="sourceFiles", min_length=1, max_length=_SOURCES_MAX)
    ]


def router(world: World) -> APIRouter:
    """Return the routes of manifest connections."""
    routes = APIRouter(prefix=BASE, tags=["Manifest connections"])
    _writes(routes, world)
    add_connections(routes, world, MANIFEST)
    add_runs(routes, world, MANIFEST)

    @routes.post("/manifestconnections/{connection_id}/runs")
    def run(request: Request, connection_id: str, body: ManifestRun) -> Response:
        """Start a run over the named files."""
        orders = [_order(request, file, body.schema_url) for file in body.source_files]
        known = world.connections.file_ids(MANIFEST, connection_id)
        unknown = {order.file_id for order in orders} - known
        if unknown or len({order.file_id for order in orders}) < len(orders):
            text = "Not a source file of the connection, or named twice."
            raise invalid(request.url.path, Detail("InvalidValue", text, "id"))
        return start_run(world, request, MANIFEST, connection_id, orders)

    return routes


def _writes(routes: APIRouter, world: World) -> None:
    path = "/manifestconnections"

    @routes.post(path)
    def create(request: Request, body: ManifestCreate) -> JSONResponse:
        """Create a connection."""
        require_for_connection(world, request, body.imodel_id)
        connection = world.connections.create(
            MANIFEST,
            body.imodel_id,
            [RequestedSource(source.source_file_id) for source in body.source_files],
            display_name=body.display_name,
            authentication_type=body.authentication_type,
            owner=caller(request).person_id,
        )
        return JSONResponse({"connection": connection_shape(request, connection)}, 201)

    @routes.post(f"{path}/{{connection_id}}/sourcefiles")
    def add_source(request: Request, connection_id: str, body: ManifestSource) -> JSONResponse:
        """Add a source file."""
        mapping = RequestedSource(body.source_file_id)
        source = world.connections.add_source(MANIFEST, connection_id, mapping)
        return JSONResponse({"sourceFile": source_shape(request, MANIFEST, source)}, 201)

    @routes.put(f"{path}/{{connection_id}}/sourcefiles/{{source_id}}")
    def change_source(
        request: Request, connection_id: str, source_id: str, body: ManifestSource
    ) -> JSONResponse:
        """Give a source file another id."""
        mapping = RequestedSource(body.source_file_id)
        change = partial(world.connections.change_source, MANIFEST, connection_id)
        source = unless_taken(request, "sourceFileId", partial(change, source_id, mapping))
        return JSONResponse({"sourceFile": source_shape(request, MANIFEST, source)})


def _order(request: Request, file: RunFile, schema_url: HttpUrl | None) -> Order:
    needed: dict[str, object] = {"connectorType": file.connector_type}
    if file.action == BRIDGE:
        needed |= {"name": file.name, "url": file.url}
    missing = [
        Detail("MissingRequiredProperty", INCOMPLETE, name)
        for name, value in needed.items()
        if not value
    ]
    if missing:
        raise invalid(request.url.path, *missing)
    return Order(
        file_id=file.id,
        name=file.name or file.id,
        connector_type=str(file.connector_type),
        action=file.action,
        url=None if file.url is None or file.action != BRIDGE else str(file.url),
        children=tuple(Child(child.name, str(child.url)) for child in file.children)
        if file.action == BRIDGE
        else (),
        document=_document(file, schema_url),
    )


def _document(file: RunFile, schema_url: HttpUrl | None) -> dict[str, Any] | None:
    """Return the document metadata of a file, by the names of the API; None if there is none.

    The schema's URL is a secret, so only its path is kept.
    """
    names = {"relative_path", "document_metadata", "document_attribute"}
    given = file.model_dump(by_alias=True, include=names, exclude_none=True)
    if given and schema_url is not None:
        given["documentAttributeSchema"] = schema_url.path
    return given or None
