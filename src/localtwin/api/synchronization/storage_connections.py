"""The Synchronization API, version 1: connections, source files and runs of both kinds.

Source: Synchronization API, "Create StorageConnection" and the operations beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty, invalid, not_valid
from localtwin.api.links import PAGE, Skip, Top, caller, page_links, paged, wants_representation
from localtwin.api.permissions import require_for_connection
from localtwin.api.synchronization.bodies import ConnectionCreate, ConnectionUpdate, SourceWrite
from localtwin.api.synchronization.shapes import (
    BASE,
    connection_shape,
    connection_url,
    run_shape,
    source_shape,
)
from localtwin.errors import Conflict, Detail
from localtwin.faults import Fault, Switch
from localtwin.ids import is_guid
from localtwin.world.synchronization.connections import STORAGE, RequestedSource, Source
from localtwin.world.synchronization.runs import Started
from localtwin.world.world import World

_CHANGED = {"display_name", "authentication_type"}


def router(world: World) -> APIRouter:
    """Return the routes of storage connections."""
    routes = APIRouter(prefix=BASE, tags=["Storage connections"])
    _storage_writes(routes, world)
    add_connections(routes, world, STORAGE)
    add_runs(routes, world, STORAGE)
    _any_kind(routes, world)
    return routes


def _storage_writes(routes: APIRouter, world: World) -> None:
    path = "/storageconnections"

    @routes.post(path)
    def create(request: Request, body: ConnectionCreate) -> JSONResponse:
        """Create a connection."""
        require_for_connection(world, request, body.imodel_id)
        connection = world.connections.create(
            STORAGE,
            body.imodel_id,
            [_mapping(source) for source in body.source_files],
            display_name=body.display_name,
            authentication_type=body.authentication_type,
            owner=caller(request).person_id,
        )
        return JSONResponse({"connection": connection_shape(request, connection)}, 201)

    @routes.post(f"{path}/{{connection_id}}/sourcefiles")
    def add_source(request: Request, connection_id: str, body: SourceWrite) -> JSONResponse:
        """Add a source file."""
        mapping = _mapping(body)
        source = world.connections.add_source(STORAGE, connection_id, mapping)
        return JSONResponse({"sourceFile": source_shape(request, STORAGE, source)}, 201)

    @routes.put(f"{path}/{{connection_id}}/sourcefiles/{{source_id}}")
    def change_source(
        request: Request, connection_id: str, source_id: str, body: SourceWrite
    ) -> JSONResponse:
        """Map a source file to another file or connector."""
        mapping = _mapping(body)
        change = partial(world.connections.change_source, STORAGE, connection_id)
        source = unless_taken(request, "storageFileId", partial(change, source_id, mapping))
        return JSONResponse({"sourceFile": source_shape(request, STORAGE, source)})

    @routes.post(f"{path}/{{connection_id}}/run")
    def run(request: Request, connection_id: str) -> Response:
        """Start a run."""
        return start_run(world, request, STORAGE, connection_id)


def _any_kind(routes: APIRouter, world: World) -> None:
    @routes.get("/connections")
    def listing(
        request: Request,
        imodel_id: Annotated[str, Query(alias="imodelId")],
        skip: Skip = 0,
        top: Top = PAGE,
    ) -> JSONResponse:
        """List the connections of an iModel, whatever their kind."""
        return _list_connections(world, request, None, imodel_id, skip=skip, top=top)


def add_connections(routes: APIRouter, world: World, kind: str) -> None:
    """Add the routes of connections and source files that both kinds share."""
    path = f"/{kind}connections"
    _connection_routes(routes, world, kind, path)
    _source_routes(routes, world, kind, f"{path}/{{connection_id}}/sourcefiles")


def add_runs(routes: APIRouter, world: World, kind: str) -> None:
    """Add the routes that read runs."""
    path = f"/{kind}connections/{{connection_id}}/runs"

    @routes.get(path, name=f"list_{kind}_runs")
    def listing(
        request: Request, connection_id: str, skip: Skip = 0, top: Top = PAGE
    ) -> JSONResponse:
        """List the runs of a connection, newest first: some clients read only the first."""
        found = world.runs.page(kind, connection_id, skip=skip, top=top + 1, newest_first=True)
        page, more = paged(found, top)
        whole = wants_representation(request)
        shapes = [run_shape(kind, run, whole=whole) for run in page]
        links = page_links(request, skip=skip, top=top, more=more)
        return JSONResponse({"runs": shapes, "_links": links})

    @routes.get(f"{path}/{{run_id}}", name=f"get_{kind}_run")
    def get(connection_id: str, run_id: str) -> JSONResponse:
        """Return one run."""
        return JSONResponse({"run": run_shape(kind, world.runs.get(kind, connection_id, run_id))})


def start_run(
    world: World, request: Request, kind: str, connection_id: str, orders: Any = None
) -> Response:
    """Return 202 with the new run's address, or 303 with that of the active one."""
    foreign = world.faults.take(Fault.FOREIGN_RUN)
    if foreign is not None:
        _start_foreign_run(world, kind, connection_id, foreign.value)
    match world.runs.start(kind, connection_id, orders):
        case Started(run_id):
            world.executor.submit(run_id)
            status, url = 202, connection_url(request, kind, connection_id)
        case active:
            status, run_id = 303, active.run_id
            url = connection_url(request, active.kind, active.connection_id)
    return empty(status, Location=f"{url}/runs/{run_id}")


def _start_foreign_run(world: World, kind: str, connection_id: str, lasting_s: float) -> None:
    """Start a run of another connection of the same iModel first; it changes nothing."""
    imodel_id = world.connections.get(kind, connection_id).imodel_id
    foreign = world.connections.create(
        STORAGE, imodel_id, [], display_name="Somebody else's", authentication_type="Service"
    )
    match world.runs.start(STORAGE, foreign.id):
        case Started(run_id):
            world.faults.add(Switch(Fault.SLOW_RUN, lasting_s, times=1))
            world.executor.submit(run_id)
        case _:
            world.connections.delete(STORAGE, foreign.id)


def unless_taken(request: Request, target: str, change: Callable[[], Source]) -> Source:
    """Return the changed source file; raises Invalid when its new file is mapped already.

    A conflict is documented for adding only.
    Source: Synchronization API, "Update StorageConnection SourceFile".
    """
    try:
        return change()
    except Conflict as taken:
        detail = Detail("InvalidValue", taken.message, target)
        raise invalid(request.url.path, detail) from taken


def check_guid(request: Request, text: str, target: str) -> None:
    """Raise Invalid unless `text` is a GUID."""
    if not is_guid(text):
        raise invalid(request.url.path, not_valid(target))


def _connection_routes(routes: APIRouter, world: World, kind: str, path: str) -> None:
    @routes.get(path, name=f"list_{kind}_connections")
    def listing(
        request: Request,
        imodel_id: Annotated[str, Query(alias="imodelId")],
        skip: Skip = 0,
        top: Top = PAGE,
    ) -> JSONResponse:
        """List the connections of an iModel."""
        return _list_connections(world, request, kind, imodel_id, skip=skip, top=top)

    one = f"{path}/{{connection_id}}"

    @routes.get(one, name=f"get_{kind}_connection")
    def get(request: Request, connection_id: str) -> JSONResponse:
        """Return one connection."""
        connection = world.connections.get(kind, connection_id)
        return JSONResponse({"connection": connection_shape(request, connection)})

    @routes.put(one, name=f"update_{kind}_connection")
    def change(request: Request, connection_id: str, body: ConnectionUpdate) -> JSONResponse:
        """Change the name or the authentication type."""
        _check_unchanged(world, request, kind, connection_id, body)
        connection = world.connections.change(
            kind,
            connection_id,
            {name: value for name, value in body.given().items() if name in _CHANGED},
            owner=caller(request).person_id,
        )
        return JSONResponse({"connection": connection_shape(request, connection)})

    @routes.delete(one, name=f"delete_{kind}_connection")
    def delete(connection_id: str) -> Response:
        """Delete a connection; its elements stay in the iModel."""
        world.connections.delete(kind, connection_id)
        return empty(204)


def _check_unchanged(
    world: World, request: Request, kind: str, connection_id: str, body: ConnectionUpdate
) -> None:
    """Raise Invalid when the body names another iModel or other source files than there are."""
    wrong = []
    connection = world.connections.get(kind, connection_id)
    if body.imodel_id is not None and body.imodel_id.lower() != connection.imodel_id:
        wrong.append(Detail("InvalidValue", "A connection keeps its iModel.", "imodelId"))
    if body.source_files is not None:
        there = world.connections.file_ids(kind, connection_id)
        named = [
            file.get("storageFileId" if kind == STORAGE else "sourceFileId")
            for file in body.source_files
        ]
        if len(named) != len(there) or set(named) != there:
            text = "Source files are changed by the operations on source files."
            wrong.append(Detail("InvalidValue", text, "sourceFiles"))
    if wrong:
        raise invalid(request.url.path, *wrong, method=request.method)


def _source_routes(routes: APIRouter, world: World, kind: str, path: str) -> None:
    @routes.get(path, name=f"list_{kind}_sources")
    def listing(
        request: Request, connection_id: str, skip: Skip = 0, top: Top = PAGE
    ) -> JSONResponse:
        """List the source files of a connection."""
        found = world.connections.sources(kind, connection_id, skip=skip, top=top + 1)
        page, more = paged(found, top)
        whole = wants_representation(request)
        shapes = [source_shape(request, kind, source, whole=whole) for source in page]
        links = page_links(request, skip=skip, top=top, more=more)
        return JSONResponse({"sourceFiles": shapes, "_links": links})

    @routes.get(f"{path}/{{source_id}}", name=f"get_{kind}_source")
    def get(request: Request, connection_id: str, source_id: str) -> JSONResponse:
        """Return one source file."""
        source = world.connections.source(kind, connection_id, source_id)
        return JSONResponse({"sourceFile": source_shape(request, kind, source)})

    @routes.delete(f"{path}/{{source_id}}", name=f"delete_{kind}_source")
    def delete(connection_id: str, source_id: str) -> Response:
        """Remove a source file from the connection; its elements stay in the iModel."""
        world.connections.remove_source(kind, connection_id, source_id)
        return empty(204)


def _list_connections(
    world: World, request: Request, kind: str | None, imodel_id: str, *, skip: int, top: int
) -> JSONResponse:
    check_guid(request, imodel_id, "imodelId")
    found = world.connections.page(kind, imodel_id, skip=skip, top=top + 1)
    page, more = paged(found, top)
    whole = wants_representation(request)
    shapes = [connection_shape(request, connection, whole=whole) for connection in page]
    links = page_links(request, skip=skip, top=top, more=more)
    return JSONResponse({"connections": shapes, "_links": links})


def _mapping(source: SourceWrite) -> RequestedSource:
    return RequestedSource(source.storage_file_id, source.connector_type)
