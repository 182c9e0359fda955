"""The Access Control API, read-only: everybody may do everything in a local platform.

Source: Access Control API, "Get iTwin members", "Get iTwin roles", "Get iTwin permissions",
"Get iTwin groups"; shapes as iTwin/itwin-cli reads them, addresses as Storage links to them.
"""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from localtwin.api.links import PAGE, Skip, Top, page_links, paged
from localtwin.errors import NotFound
from localtwin.world.access.users import ORGANIZATION, User
from localtwin.world.world import World

PERMISSIONS = [
    "administration_invite_member", "administration_manage_roles", "administration_remove_member",
    "imodels_delete", "imodels_manage", "imodels_read", "imodels_webview", "imodels_write",
    "storage_delete", "storage_read", "storage_write", "webhooks_maintainer",
]  # fmt: skip
_ROLE = {
    "id": str(uuid.uuid5(uuid.NAMESPACE_URL, "localtwin/roles/owner")),
    "displayName": "Owner",
    "description": "May do everything; whoever can sign in to a local platform has this role.",
    "permissions": PERMISSIONS,
}


def router(world: World) -> APIRouter:
    """Return the routes of the Access Control API."""
    routes = APIRouter(prefix="/accesscontrol/itwins", tags=["Access control"])
    _permissions(routes, world)
    _members(routes, world, "members")
    _members(routes, world, "members/users")
    _groups(routes, world)
    return routes


def _permissions(routes: APIRouter, world: World) -> None:
    @routes.get("/permissions")
    def everything() -> JSONResponse:
        """List the permissions that there are."""
        return JSONResponse({"permissions": PERMISSIONS})

    @routes.get("/{itwin_id}/permissions")
    def mine(itwin_id: str) -> JSONResponse:
        """List the caller's permissions in an iTwin."""
        world.itwins.get(itwin_id)
        return JSONResponse({"permissions": PERMISSIONS})

    @routes.get("/{itwin_id}/roles")
    def roles(itwin_id: str) -> JSONResponse:
        """List the roles of an iTwin."""
        world.itwins.get(itwin_id)
        return JSONResponse({"roles": [_ROLE]})

    @routes.get("/{itwin_id}/roles/{role_id}")
    def role(itwin_id: str, role_id: str) -> JSONResponse:
        """Return one role."""
        world.itwins.get(itwin_id)
        if role_id != _ROLE["id"]:
            raise NotFound("RoleNotFound", "Requested Role is not available.")
        return JSONResponse({"role": _ROLE})


def _members(routes: APIRouter, world: World, path: str) -> None:
    name = path.replace("/", "_")

    @routes.get(f"/{{itwin_id}}/{path}", name=f"list_{name}")
    def listing(request: Request, itwin_id: str, skip: Skip = 0, top: Top = PAGE) -> JSONResponse:
        """List the members of an iTwin: everybody who can sign in."""
        world.itwins.get(itwin_id)
        found = world.users.everybody()[skip : skip + top + 1]
        page, more = paged(found, top)
        links = page_links(request, skip=skip, top=top, more=more)
        return JSONResponse({"members": [_member(user) for user in page], "_links": links})

    @routes.get(f"/{{itwin_id}}/{path}/{{member_id}}", name=f"get_{name}")
    def get(itwin_id: str, member_id: str) -> JSONResponse:
        """Return one member."""
        world.itwins.get(itwin_id)
        user = world.users.find(member_id)
        if user is None:
            raise NotFound("TeamMemberNotFound", "Requested team member is not available.")
        return JSONResponse({"member": _member(user)})


def _groups(routes: APIRouter, world: World) -> None:
    @routes.get("/{itwin_id}/groups")
    def groups(itwin_id: str) -> JSONResponse:
        """List the groups of an iTwin; a local platform has none."""
        world.itwins.get(itwin_id)
        return JSONResponse({"groups": []})

    @routes.get("/{itwin_id}/members/groups")
    def group_members(itwin_id: str) -> JSONResponse:
        """List the groups that are members of an iTwin; a local platform has none."""
        world.itwins.get(itwin_id)
        return JSONResponse({"members": []})


def _member(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "givenName": user.given_name,
        "surname": user.surname,
        "organization": ORGANIZATION,
        "roles": [_ROLE],
    }
