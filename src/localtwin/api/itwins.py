"""The iTwins API, version 1.

Source: iTwins API, "Create iTwin", "Get iTwin", "Get my iTwins" and its filters.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty, invalid, not_this
from localtwin.api.links import PAGE, caller, page_links, paged, wants_representation
from localtwin.api.request_body import RequestBody
from localtwin.errors import NotFound
from localtwin.world.itwins import ACCOUNT, DEFAULTS, ITwin, ITwinFilter
from localtwin.world.world import World

_ITWINS_MAX = 10_000  # more than anybody makes on one computer
Status = Literal["Active", "Inactive", "Trial"]
SubClass = Literal["Account", "Asset", "Portfolio", "Program", "Project", "WorkPackage"]


class ITwinProperties(RequestBody):
    """The descriptive properties of an iTwin."""

    type: str | None = None
    geographic_location: Annotated[str | None, Field(alias="geographicLocation")] = None
    latitude: Annotated[float | None, Field(ge=-90, le=90)] = None
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = None
    iana_time_zone: Annotated[str | None, Field(alias="ianaTimeZone")] = None
    data_center_location: Annotated[str | None, Field(alias="dataCenterLocation")] = None
    status: Status = "Active"
    parent_id: Annotated[str | None, Field(alias="parentId")] = None


class ITwinCreate(ITwinProperties):
    """The body of a creation."""

    display_name: Annotated[str, Field(alias="displayName", min_length=1, max_length=255)]
    number: Annotated[str | None, Field(max_length=255)] = None
    class_: Annotated[str, Field(alias="class")] = "Endeavor"
    sub_class: Annotated[str, Field(alias="subClass")] = "Project"


class ITwinUpdate(ITwinProperties):
    """The body of an update."""

    display_name: Annotated[str, Field(alias="displayName", min_length=1, max_length=255)] = ""
    number: Annotated[str, Field(min_length=1, max_length=255)] = ""


class Filter(BaseModel):
    """The filters of a list; inactive iTwins are listed only on request."""

    sub_class: Annotated[SubClass | None, Field(alias="subClass")] = None
    type: str | None = None
    status: Status | None = None
    number: str | None = None
    display_name: Annotated[str | None, Field(alias="displayName")] = None
    parent_id: Annotated[str | None, Field(alias="parentId")] = None
    account_id: Annotated[str | None, Field(alias="iTwinAccountId")] = None
    include_inactive: Annotated[bool, Field(alias="includeInactive")] = False
    search: Annotated[str | None, Field(alias="$search")] = None
    skip: Annotated[int, Field(alias="$skip", ge=0, le=2**31)] = 0
    top: Annotated[int, Field(alias="$top", ge=1, le=1000)] = PAGE


def router(world: World) -> APIRouter:
    """Return the routes of the iTwins API."""
    routes = APIRouter(prefix="/itwins", tags=["iTwins"])

    @routes.post("")
    def create(request: Request, body: ITwinCreate) -> JSONResponse:
        """Create an iTwin."""
        _check_parent(world, request, body.parent_id)
        properties = body.model_dump(by_alias=True, exclude={"display_name", "number"})
        if body.parent_id == world.account.id:
            properties["parentId"] = None
        itwin = world.itwins.create(
            body.display_name,
            properties=properties,
            number=body.number,
            user=caller(request).user_id,
        )
        return JSONResponse({"iTwin": itwin_shape(world, itwin, whole=True)}, 201)

    @routes.get("")
    def listing(request: Request, asked: Annotated[Filter, Query()]) -> JSONResponse:
        """List the iTwins of the caller."""
        found = world.itwins.page(
            itwin_filter(world, request, asked), skip=asked.skip, top=asked.top + 1
        )
        page, more = paged(found, asked.top)
        whole = wants_representation(request)
        links = page_links(request, skip=asked.skip, top=asked.top, more=more)
        shapes = [itwin_shape(world, itwin, whole=whole) for itwin in page]
        return JSONResponse({"iTwins": shapes, "_links": links})

    @routes.get("/{itwin_id}")
    def get(itwin_id: str) -> JSONResponse:
        """Return one iTwin."""
        return JSONResponse({"iTwin": itwin_shape(world, world.itwins.get(itwin_id), whole=True)})

    @routes.patch("/{itwin_id}")
    def change(request: Request, itwin_id: str, body: ITwinUpdate) -> JSONResponse:
        """Change the properties of an iTwin."""
        _check_parent(world, request, body.parent_id)
        given = body.model_dump(
            by_alias=True, exclude_unset=True, exclude={"display_name", "number"}
        )
        itwin = world.itwins.change(
            itwin_id,
            display_name=body.display_name or None,
            number=body.number or None,
            properties=given,
            user=caller(request).user_id,
        )
        return JSONResponse({"iTwin": itwin_shape(world, itwin, whole=True)})

    @routes.delete("/{itwin_id}")
    def delete(request: Request, itwin_id: str) -> Response:
        """Delete an iTwin with everything in it."""
        world.itwins.delete(itwin_id, user=caller(request).user_id)
        return empty(204)

    return routes


def _check_parent(world: World, request: Request, parent_id: str | None) -> None:
    """Raise Invalid when the parent is not an iTwin that exists."""
    try:
        if parent_id is not None:
            world.itwins.get(parent_id)
    except NotFound as missing:
        detail = not_this("parentId", parent_id or "")
        raise invalid("/itwins", detail, method=request.method) from missing


def itwin_filter(world: World, request: Request, asked: Filter) -> ITwinFilter:
    """Return the conditions that a query names."""
    properties = {
        "subClass": asked.sub_class,
        "type": asked.type,
        "status": asked.status,
        # What belongs to the account has no parent in its row.
        "parentId": "" if asked.parent_id == world.account.id else asked.parent_id,
        "iTwinAccountId": None if asked.account_id == world.account.id else asked.account_id,
    }
    return ITwinFilter(
        name=asked.display_name,
        number=asked.number,
        search=asked.search,
        properties={name: value for name, value in properties.items() if value is not None},
        inactive_too=asked.include_inactive or asked.status == "Inactive",
        among=_seen(world, caller(request).user_id),
    )


def _seen(world: World, user_id: str) -> frozenset[str] | None:
    """Return the iTwins that the user is a member of; None: all."""
    if world.roles.is_unrestricted(user_id):
        return None
    every = world.itwins.page(skip=0, top=_ITWINS_MAX)
    return frozenset(each.id for each in every if world.roles.of_member(user_id, each.id))


def itwin_shape(world: World, itwin: ITwin, *, whole: bool) -> dict[str, Any]:
    """Return an iTwin; the minimum leaves out the descriptive properties."""
    given = DEFAULTS | itwin.properties
    minimal = {
        "id": itwin.id,
        "class": given["class"],
        "subClass": given["subClass"],
        "type": given.get("type"),
        "number": itwin.number,
        "displayName": itwin.display_name,
    }
    if not whole:
        return minimal
    is_account = given["subClass"] == ACCOUNT
    return minimal | {
        "geographicLocation": given.get("geographicLocation"),
        "latitude": given.get("latitude"),
        "longitude": given.get("longitude"),
        "ianaTimeZone": given.get("ianaTimeZone"),
        "dataCenterLocation": given.get("dataCenterLocation") or "East US",
        "status": given["status"],
        "parentId": given.get("parentId") or (None if is_account else world.account.id),
        "iTwinAccountId": world.account.id,
        "imageName": None,
        "image": None,
        "createdDateTime": itwin.created,
        "createdBy": itwin.created_by,
        "lastModifiedDateTime": itwin.modified,
        "lastModifiedBy": itwin.modified_by,
    }
