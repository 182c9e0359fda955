"""The Access Control API, version 2: roles, members and permissions of an iTwin.

Source: Access Control API, "Get iTwin permissions", "Create iTwin role", "Update iTwin role", "Add
iTwin user members", "Update iTwin user member"; shapes as iTwin/itwin-cli and
@itwin/access-control-client read them, addresses as Storage links to them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty, invalid
from localtwin.api.links import PAGE, Skip, Top, caller, page_links, paged
from localtwin.api.permissions import forbidden
from localtwin.api.request_body import RequestBody
from localtwin.errors import Detail, NotFound
from localtwin.world.access.roles import OWNER, PERMISSIONS, Role
from localtwin.world.access.users import ORGANIZATION, User
from localtwin.world.world import World

Permission = Literal[PERMISSIONS]  # type: ignore[valid-type]
Given = Annotated[list[Permission], Field(default_factory=list)]
RoleIds = Annotated[list[str], Field(alias="roleIds", min_length=1, max_length=50)]


class RoleWrite(RequestBody):
    """The body that creates or changes a role."""

    display_name: Annotated[str, Field(alias="displayName", min_length=1, max_length=255)] = ""
    description: str = ""
    permissions: Given


class NewMember(RequestBody):
    """A user to add, by address."""

    email: Annotated[str, Field(min_length=1)]
    role_ids: RoleIds


class NewMembers(RequestBody):
    """The body that adds users."""

    members: Annotated[list[NewMember], Field(min_length=1, max_length=50)]


class MemberUpdate(RequestBody):
    """The body that changes what roles a member has."""

    role_ids: RoleIds


def router(world: World) -> APIRouter:
    """Return the routes of the Access Control API."""
    routes = APIRouter(prefix="/accesscontrol/itwins", tags=["Access control"])
    _permissions(routes, world)
    _roles(routes, world)
    _member_lists(routes, world, "members")
    _member_lists(routes, world, "members/users")
    _member_writes(routes, world)
    _groups(routes, world)
    return routes


def _permissions(routes: APIRouter, world: World) -> None:
    @routes.get("/permissions")
    def everything() -> JSONResponse:
        """List the permissions that there are."""
        return JSONResponse({"permissions": list(PERMISSIONS)})

    @routes.get("/{itwin_id}/permissions")
    def mine(request: Request, itwin_id: str) -> JSONResponse:
        """List the caller's permissions in an iTwin."""
        found = world.roles.permissions(caller(request).user_id, _itwin(world, itwin_id))
        return JSONResponse({"permissions": sorted(found)})


def _roles(routes: APIRouter, world: World) -> None:
    path = "/{itwin_id}/roles"

    @routes.get(path)
    def listing(itwin_id: str) -> JSONResponse:
        """List the roles of an iTwin."""
        found = world.roles.of_itwin(_itwin(world, itwin_id))
        return JSONResponse({"roles": [_role(role) for role in found]})

    @routes.post(path)
    def create(request: Request, itwin_id: str, body: RoleWrite) -> JSONResponse:
        """Create a role; without permissions it permits nothing."""
        if not body.display_name:
            text = "Required property is missing."
            raise invalid(request.url.path, Detail("MissingRequiredProperty", text, "displayName"))
        itwin = _itwin(world, itwin_id)
        role = world.roles.create(itwin, body.display_name, body.description, body.permissions)
        return JSONResponse({"role": _role(role)}, 201)

    @routes.get(f"{path}/{{role_id}}")
    def get(itwin_id: str, role_id: str) -> JSONResponse:
        """Return one role."""
        return JSONResponse({"role": _role(world.roles.get(_itwin(world, itwin_id), role_id))})

    @routes.patch(f"{path}/{{role_id}}")
    def change(itwin_id: str, role_id: str, body: RoleWrite) -> JSONResponse:
        """Change what a role is called or permits."""
        itwin, role = _changeable(world, itwin_id, role_id)
        given = body.given()
        permissions = tuple(given.pop("permissions", role.permissions))
        role = world.roles.change(itwin, replace(role, **given, permissions=permissions))
        return JSONResponse({"role": _role(role)})

    @routes.delete(f"{path}/{{role_id}}")
    def delete(itwin_id: str, role_id: str) -> Response:
        """Delete a role; its members lose it."""
        itwin, role = _changeable(world, itwin_id, role_id)
        world.roles.delete(itwin, role.id)
        return empty(204)


def _member_lists(routes: APIRouter, world: World, path: str) -> None:
    name = path.replace("/", "_")

    @routes.get(f"/{{itwin_id}}/{path}", name=f"list_{name}")
    def listing(request: Request, itwin_id: str, skip: Skip = 0, top: Top = PAGE) -> JSONResponse:
        """List the members of an iTwin: everybody who can sign in, or has a role there."""
        itwin = _itwin(world, itwin_id)
        users = [user for user in world.users.everybody() if world.roles.of_member(user.id, itwin)]
        page, more = paged(users[skip : skip + top + 1], top)
        links = page_links(request, skip=skip, top=top, more=more)
        members = [_member(world, user, itwin) for user in page]
        return JSONResponse({"members": members, "_links": links})

    @routes.get(f"/{{itwin_id}}/{path}/{{member_id}}", name=f"get_{name}")
    def get(itwin_id: str, member_id: str) -> JSONResponse:
        """Return one member."""
        itwin = _itwin(world, itwin_id)
        return JSONResponse({"member": _member(world, _found(world, itwin, member_id), itwin)})


def _member_writes(routes: APIRouter, world: World) -> None:
    path = "/{itwin_id}/members/users"

    @routes.post(path)
    def add(request: Request, itwin_id: str, body: NewMembers) -> JSONResponse:
        """Give users roles; there is nobody to invite who can not sign in already."""
        itwin = _itwin(world, itwin_id)
        known = {user.email.lower(): user for user in world.users.everybody()}
        wanted = [(known.get(each.email.lower()), each.role_ids) for each in body.members]
        if any(user is None for user, _ in wanted):
            text = "Nobody with this address can sign in to the local platform."
            raise invalid(request.url.path, Detail("InvalidValue", text, "email"))
        users = [_changeable_member(world, user) for user, _ in wanted if user is not None]
        ids = [_role_ids(world, itwin, role_ids) for _, role_ids in wanted]
        for user, role_ids in zip(users, ids, strict=True):
            world.roles.give(itwin, user.id, role_ids)
        members = [_member(world, user, itwin) for user in users]
        return JSONResponse({"members": members, "invitations": []}, 201)

    @routes.patch(f"{path}/{{member_id}}")
    def change(itwin_id: str, member_id: str, body: MemberUpdate) -> JSONResponse:
        """Replace the roles of a member."""
        itwin = _itwin(world, itwin_id)
        user = _changeable_member(world, _found(world, itwin, member_id))
        world.roles.give(itwin, user.id, _role_ids(world, itwin, body.role_ids))
        return JSONResponse({"member": _member(world, user, itwin)})

    @routes.delete(f"{path}/{{member_id}}")
    def remove(itwin_id: str, member_id: str) -> Response:
        """Remove a member from an iTwin."""
        itwin = _itwin(world, itwin_id)
        user = _changeable_member(world, _found(world, itwin, member_id))
        world.roles.give(itwin, user.id, [])
        return empty(204)


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


def _itwin(world: World, itwin_id: str) -> str:
    return world.itwins.get(itwin_id).id


def _changeable(world: World, itwin_id: str, role_id: str) -> tuple[str, Role]:
    """Return the iTwin and its role; raises Forbidden for the owner's, which stays as it is."""
    itwin = _itwin(world, itwin_id)
    role = world.roles.get(itwin, role_id)
    if role is OWNER:
        raise forbidden()
    return itwin, role


def _changeable_member(world: World, user: User) -> User:
    """Return the user; raises Forbidden for the client that always owns every iTwin."""
    if world.roles.is_administrator(user.id):
        raise forbidden()
    return user


def _role_ids(world: World, itwin_id: str, role_ids: list[str]) -> list[str]:
    return [world.roles.get(itwin_id, role_id).id for role_id in dict.fromkeys(role_ids)]


def _found(world: World, itwin_id: str, member_id: str) -> User:
    """Return the member; raises NotFound."""
    user = world.users.find(member_id)
    if user is None or not world.roles.of_member(user.id, itwin_id):
        raise NotFound("TeamMemberNotFound", "Requested team member is not available.")
    return user


def _role(role: Role) -> dict[str, Any]:
    return {
        "id": role.id,
        "displayName": role.display_name,
        "description": role.description,
        "permissions": list(role.permissions),
    }


def _member(world: World, user: User, itwin_id: str) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "givenName": user.given_name,
        "surname": user.surname,
        "organization": ORGANIZATION,
        "roles": [_role(role) for role in world.roles.of_member(user.id, itwin_id)],
    }
