"""The iTwins API, version 1.

Source: iTwins API, "Create iTwin", "Get iTwin", "Get my iTwins".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty
from localtwin.api.links import PAGE, Skip, Top, caller, page_links, paged, wants_representation
from localtwin.world.itwins import ITwin
from localtwin.world.world import World


class ITwinProperties(BaseModel):
    """What describes an iTwin."""

    type: str | None = None
    geographic_location: Annotated[str | None, Field(alias="geographicLocation")] = None
    latitude: Annotated[float | None, Field(ge=-90, le=90)] = None
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = None
    iana_time_zone: Annotated[str | None, Field(alias="ianaTimeZone")] = None
    data_center_location: Annotated[str | None, Field(alias="dataCenterLocation")] = None
    status: Literal["Active", "Inactive", "Trial"] = "Active"
    parent_id: Annotated[str | None, Field(alias="parentId")] = None


class ITwinCreate(ITwinProperties):
    """The body of a creation."""

    display_name: Annotated[str, Field(alias="displayName", min_length=1, max_length=255)]
    number: Annotated[str | None, Field(max_length=255)] = None
    class_: Annotated[str, Field(alias="class")] = "Endeavor"
    sub_class: Annotated[str, Field(alias="subClass")] = "Project"


class ITwinUpdate(ITwinProperties):
    """The body of an update."""

    display_name: Annotated[str | None, Field(alias="displayName", max_length=255)] = None


def router(world: World) -> APIRouter:
    """Return the routes of the iTwins API."""
    routes = APIRouter(prefix="/itwins", tags=["iTwins"])

    @routes.post("")
    def create(request: Request, body: ITwinCreate) -> JSONResponse:
        """Create an iTwin."""
        properties = body.model_dump(by_alias=True, exclude={"display_name", "number"})
        itwin = world.itwins.create(
            body.display_name,
            properties=properties,
            number=body.number,
            user=caller(request).user_id,
        )
        return JSONResponse({"iTwin": _shape(itwin, whole=True)}, 201)

    @routes.get("")
    def listing(
        request: Request,
        skip: Skip = 0,
        top: Top = PAGE,
        search: Annotated[str | None, Query(alias="$search")] = None,
    ) -> JSONResponse:
        """List the iTwins of the caller."""
        found = world.itwins.page(skip=skip, top=top + 1, search=search)
        page, more = paged(found, top)
        whole = wants_representation(request)
        links = page_links(request, skip=skip, top=top, more=more)
        shapes = [_shape(itwin, whole=whole) for itwin in page]
        return JSONResponse({"iTwins": shapes, "_links": links})

    @routes.get("/{itwin_id}")
    def get(itwin_id: str) -> JSONResponse:
        """Return one iTwin."""
        return JSONResponse({"iTwin": _shape(world.itwins.get(itwin_id), whole=True)})

    @routes.patch("/{itwin_id}")
    def change(itwin_id: str, body: ITwinUpdate) -> JSONResponse:
        """Change what describes an iTwin."""
        given = body.model_dump(by_alias=True, exclude_unset=True, exclude={"display_name"})
        itwin = world.itwins.change(itwin_id, display_name=body.display_name, properties=given)
        return JSONResponse({"iTwin": _shape(itwin, whole=True)})

    @routes.delete("/{itwin_id}")
    def delete(itwin_id: str) -> Response:
        """Delete an iTwin with everything in it."""
        world.itwins.delete(itwin_id)
        return empty(204)

    return routes


def _shape(itwin: ITwin, *, whole: bool) -> dict[str, Any]:
    given = itwin.properties
    minimal = {
        "id": itwin.id,
        "class": given.get("class", "Endeavor"),
        "subClass": given.get("subClass", "Project"),
        "type": given.get("type"),
        "number": itwin.number,
        "displayName": itwin.display_name,
    }
    if not whole:
        return minimal
    return minimal | {
        "geographicLocation": given.get("geographicLocation"),
        "latitude": given.get("latitude"),
        "longitude": given.get("longitude"),
        "ianaTimeZone": given.get("ianaTimeZone"),
        "dataCenterLocation": given.get("dataCenterLocation") or "East US",
        "status": given.get("status", "Active"),
        "parentId": given.get("parentId"),
        "iTwinAccountId": None,
        "imageName": None,
        "image": None,
        "createdDateTime": itwin.created,
        "createdBy": itwin.created_by,
        "lastModifiedDateTime": itwin.created,
        "lastModifiedBy": itwin.created_by,
    }
