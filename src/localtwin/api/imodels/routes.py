"""The iModels API, version 2.

Source: iModels API, "Create iModel", "Get iModels", "Get iModel changesets", "Get changeset".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty, invalid, not_this
from localtwin.api.imodels.shapes import Token, changeset_shape, imodel_shape
from localtwin.api.links import PAGE, Skip, Top, caller, page_links, paged, wants_representation
from localtwin.api.permissions import SEES_IMODELS, holds, require
from localtwin.api.request_body import RequestBody
from localtwin.ids import is_guid
from localtwin.world.world import World

_GUID = Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
_ORDER = r"^(name|createdDateTime)( (asc|desc))?$"
State = Literal["initialized", "notInitialized"]
Index = Annotated[int | None, Query(ge=0, le=2**31)]


class Point(RequestBody):
    """A geographic position."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class Extent(RequestBody):
    """A geographic rectangle."""

    south_west: Annotated[Point, Field(alias="southWest")]
    north_east: Annotated[Point, Field(alias="northEast")]


class IModelCreate(RequestBody):
    """The body of a creation; template, baselineFile and containers are refused."""

    itwin_id: Annotated[str, Field(alias="iTwinId"), _GUID]
    name: Annotated[str, Field(min_length=1, max_length=255)]
    description: Annotated[str | None, Field(max_length=255)] = None
    extent: Extent | None = None
    containers_enabled: Annotated[Literal[0] | None, Field(alias="containersEnabled")] = None
    creation_mode: Annotated[Literal["empty"] | None, Field(alias="creationMode")] = None
    coordinate_system: Annotated[
        dict[str, Any] | None, Field(alias="geographicCoordinateSystem")
    ] = None


class IModelUpdate(RequestBody):
    """The body of an update."""

    name: Annotated[str, Field(min_length=1, max_length=255)] = ""
    description: Annotated[str | None, Field(max_length=255)] = None
    extent: Extent | None = None


def router(world: World) -> APIRouter:
    """Return the routes of the iModels API."""
    routes = APIRouter(prefix="/imodels", tags=["iModels"])
    _imodels(routes, world)
    _single(routes, world)
    _changesets(routes, world)
    return routes


def _imodels(routes: APIRouter, world: World) -> None:
    @routes.post("")
    def create(request: Request, body: IModelCreate) -> JSONResponse:
        """Create an empty iModel."""
        require(world, request, body.itwin_id, "imodels_manage")
        imodel = world.imodels.create(
            body.itwin_id.lower(),
            body.name,
            user=caller(request).user_id,
            description=body.description,
            extent=None if body.extent is None else body.extent.model_dump(by_alias=True),
            coordinate_system=body.coordinate_system,
        )
        return JSONResponse({"iModel": imodel_shape(request, imodel)}, 201)

    @routes.get("")
    def listing(
        request: Request,
        *,
        itwin_id: Annotated[str, Query(alias="iTwinId")],
        skip: Skip = 0,
        top: Top = PAGE,
        token: Token = 0,
        name: str | None = None,
        search: Annotated[str | None, Query(alias="$search")] = None,
        state: State | None = None,
        order: Annotated[str, Query(alias="$orderBy", pattern=_ORDER)] = "name",
    ) -> JSONResponse:
        """List the iModels of an iTwin, which are all ready for use."""
        if not is_guid(itwin_id):
            raise invalid("/imodels", not_this("iTwinId", itwin_id), method="GET")
        first = skip or token
        found = world.imodels.page(
            itwin_id.lower(), skip=first, top=top + 1, name=name, search=search, order=order
        )
        seen = state != "notInitialized" and holds(world, request, itwin_id, *SEES_IMODELS)
        page, more = paged(found if seen else [], top)
        whole = wants_representation(request)
        links = page_links(request, skip=first, top=top, more=more)
        shapes = [imodel_shape(request, imodel, whole=whole) for imodel in page]
        return JSONResponse({"iModels": shapes, "_links": links})


def _single(routes: APIRouter, world: World) -> None:
    @routes.get("/{imodel_id}")
    def get(request: Request, imodel_id: str) -> JSONResponse:
        """Return one iModel."""
        return JSONResponse({"iModel": imodel_shape(request, world.imodels.get(imodel_id))})

    @routes.patch("/{imodel_id}")
    def change(request: Request, imodel_id: str, body: IModelUpdate) -> JSONResponse:
        """Change name, description or extent."""
        values = body.given()
        if body.extent is not None:
            values["extent"] = body.extent.model_dump(by_alias=True)
        imodel = world.imodels.change(imodel_id, values)
        return JSONResponse({"iModel": imodel_shape(request, imodel)})

    @routes.get("/{imodel_id}/operations/create")
    def creation(imodel_id: str) -> JSONResponse:
        """Return the state of the creation; an iModel is created at once or not at all."""
        world.imodels.get(imodel_id)
        return JSONResponse({"createOperation": {"state": "successful"}})

    @routes.delete("/{imodel_id}")
    def delete(request: Request, imodel_id: str) -> Response:
        """Delete an iModel with its changesets and connections."""
        world.imodels.delete(imodel_id, user=caller(request).user_id)
        return empty(204)


def _changesets(routes: APIRouter, world: World) -> None:
    @routes.get("/{imodel_id}/changesets")
    def listing(
        request: Request,
        imodel_id: str,
        *,
        skip: Skip = 0,
        top: Top = PAGE,
        token: Token = 0,
        after: Annotated[Index, Query(alias="afterIndex")] = None,
        last: Annotated[Index, Query(alias="lastIndex")] = None,
        order: Annotated[str, Query(alias="$orderBy", pattern=r"^index( (asc|desc))?$")] = "index",
    ) -> JSONResponse:
        """List the changesets of an iModel."""
        first = skip or token
        found = world.imodels.changesets(
            imodel_id,
            after=after or 0,
            last=last,
            skip=first,
            top=top + 1,
            newest_first=order == "index desc",
        )
        page, more = paged(found, top)
        whole = wants_representation(request)
        links = page_links(request, skip=first, top=top, more=more)
        named = world.versions.of_changesets(imodel_id, [entry.index for entry in page])
        shapes = [
            changeset_shape(world, request, entry, named.get(entry.index), whole=whole)
            for entry in page
        ]
        return JSONResponse({"changesets": shapes, "_links": links})

    @routes.get("/{imodel_id}/changesets/{changeset_id}")
    def get(request: Request, imodel_id: str, changeset_id: str) -> JSONResponse:
        """Return one changeset, by its id or its index."""
        found = world.imodels.changeset(imodel_id, changeset_id)
        named = world.versions.of_changesets(imodel_id, [found.index]).get(found.index)
        return JSONResponse({"changeset": changeset_shape(world, request, found, named)})
