"""Named versions of the iModels API, version 2.

Source: iModels API, "Create named version", "Get iModel named versions".
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse

from localtwin.api.imodels.shapes import Token
from localtwin.api.links import (
    PAGE,
    Skip,
    Top,
    caller,
    link,
    origin,
    page_links,
    paged,
    wants_representation,
)
from localtwin.api.request_body import RequestBody
from localtwin.world.imodels.named_versions import NamedVersion
from localtwin.world.world import World

_ORDER = r"^(changesetIndex|createdDateTime)( (asc|desc))?$"
Name = Annotated[str, Field(min_length=1, max_length=255)]


class VersionCreate(RequestBody):
    """The body of a creation."""

    name: Name
    description: str | None = None
    changeset_id: Annotated[str | None, Field(alias="changesetId")] = None


class VersionUpdate(RequestBody):
    """The body of an update."""

    name: Name = ""
    description: str | None = None
    state: Literal["visible", "hidden"] = "visible"


def router(world: World) -> APIRouter:
    """Return the routes of named versions."""
    routes = APIRouter(prefix="/imodels/{imodel_id}/namedversions", tags=["iModels"])

    @routes.post("")
    def create(request: Request, imodel_id: str, body: VersionCreate) -> JSONResponse:
        """Name a changeset."""
        version = world.versions.create(
            imodel_id,
            body.name,
            description=body.description,
            changeset_id=body.changeset_id or None,
            user=caller(request).user_id,
        )
        return JSONResponse({"namedVersion": _shape(request, version)}, 201)

    @routes.get("")
    def listing(
        request: Request,
        imodel_id: str,
        *,
        skip: Skip = 0,
        top: Top = PAGE,
        token: Token = 0,
        name: str | None = None,
        search: Annotated[str | None, Query(alias="$search")] = None,
        order: Annotated[str, Query(alias="$orderBy", pattern=_ORDER)] = "changesetIndex desc",
    ) -> JSONResponse:
        """List the named versions of an iModel."""
        first = skip or token
        found = world.versions.page(
            imodel_id, skip=first, top=top + 1, name=name, search=search, order=order
        )
        page, more = paged(found, top)
        whole = wants_representation(request)
        shapes = [_shape(request, version, whole=whole) for version in page]
        links = page_links(request, skip=first, top=top, more=more)
        return JSONResponse({"namedVersions": shapes, "_links": links})

    @routes.get("/{version_id}")
    def get(request: Request, imodel_id: str, version_id: str) -> JSONResponse:
        """Return one named version."""
        version = world.versions.get(imodel_id, version_id)
        return JSONResponse({"namedVersion": _shape(request, version)})

    @routes.patch("/{version_id}")
    def change(
        request: Request, imodel_id: str, version_id: str, body: VersionUpdate
    ) -> JSONResponse:
        """Change name, description or visibility."""
        version = world.versions.change(imodel_id, version_id, body.given())
        return JSONResponse({"namedVersion": _shape(request, version)})

    return routes


def _shape(request: Request, version: NamedVersion, *, whole: bool = True) -> dict[str, Any]:
    minimal = {
        "id": version.id,
        "displayName": version.name,
        "changesetId": version.changeset_id,
        "changesetIndex": version.changeset_index,
    }
    here = f"{origin(request)}/imodels/{version.imodel_id}"
    changeset = version.changeset_id and link(f"{here}/changesets/{version.changeset_id}")
    links = {"creator": link(f"{here}/users/{version.creator}"), "changeset": changeset or None}
    if not whole:
        # The contract wants the name in every item.
        return minimal | {"name": version.name, "_links": links}
    return minimal | {
        "name": version.name,
        "description": version.description,
        "createdDateTime": version.created,
        "state": version.state,
        "application": {"id": "localtwin", "name": "localtwin"},
        "_links": links,
    }
