"""Users and permissions of an iModel.

Source: iModels API, "Get iModel users", "Get iModel user", "Get user permissions"; shapes as
@itwin/imodels-client-management reads them.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
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
from localtwin.world.access.users import User
from localtwin.world.world import World

_PERMISSIONS = ("imodels_webview", "imodels_read", "imodels_write", "imodels_manage")
_SEES = frozenset(_PERMISSIONS)


def router(world: World) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/imodels/{imodel_id}", tags=["iModels"])

    @routes.get("/users")
    def listing(
        request: Request, imodel_id: str, *, skip: Skip = 0, top: Top = PAGE, token: Token = 0
    ) -> JSONResponse:
        """List the users of an iModel: everybody whose roles let them see it."""
        itwin_id, first = world.imodels.get(imodel_id).itwin_id, skip or token
        held = world.roles.permissions
        users = [each for each in world.users.everybody() if held(each.id, itwin_id) & _SEES]
        page, more = paged(users[first : first + top + 1], top)
        whole = wants_representation(request)
        shapes = [_shape(world, request, imodel_id, user, whole=whole) for user in page]
        links = page_links(request, skip=first, top=top, more=more)
        return JSONResponse({"users": shapes, "_links": links})

    @routes.get("/users/{user_id}")
    def get(request: Request, imodel_id: str, user_id: str) -> JSONResponse:
        """Return one user of an iModel."""
        world.imodels.get(imodel_id)
        user = world.users.get(user_id)
        return JSONResponse({"user": _shape(world, request, imodel_id, user, whole=True)})

    @routes.get("/permissions")
    def permissions(request: Request, imodel_id: str) -> JSONResponse:
        """List the caller's permissions on an iModel, which are those of its iTwin."""
        itwin_id = world.imodels.get(imodel_id).itwin_id
        held = world.roles.permissions(caller(request).user_id, itwin_id)
        return JSONResponse({"permissions": [each for each in _PERMISSIONS if each in held]})

    return routes


def _shape(
    world: World, request: Request, imodel_id: str, user: User, *, whole: bool
) -> dict[str, Any]:
    here = f"{origin(request)}/imodels/{imodel_id}/users/{user.id}"
    minimal = {
        "id": user.id,
        "displayName": user.email,
        "_links": {"self": link(here)},
    }
    if not whole:
        return minimal
    pushed, last_pushed, versions = world.imodels.statistics(imodel_id, user.id)
    return minimal | {
        "givenName": user.given_name,
        "surname": user.surname,
        "email": user.email,
        "statistics": {
            "pushedChangesetsCount": pushed,
            "lastChangesetPushDate": last_pushed,
            "createdVersionsCount": versions,
            "briefcasesCount": 0,
        },
    }
