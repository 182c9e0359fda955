"""The Users API: the caller, and users by id or name.

Source: Users API, "Get me", "Get users by id list", "Search users"; as iTwin/itwin-cli calls them.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import JSONResponse

from localtwin.api.links import caller
from localtwin.world.access.users import ORGANIZATION, User
from localtwin.world.world import World

_IDS_MAX = 1000


def router(world: World) -> APIRouter:
    """Return the routes of the Users API."""
    routes = APIRouter(prefix="/users", tags=["Users"])

    @routes.get("/me")
    def me(request: Request) -> JSONResponse:
        """Return the caller."""
        return JSONResponse({"user": _shape(world.users.get(caller(request).user_id))})

    @routes.get("")
    def search(text: Annotated[str, Query(alias="$search", min_length=1)]) -> JSONResponse:
        """Find users by a part of their name or address."""
        part = text.lower()
        found = [
            user
            for user in world.users.everybody()
            if part in user.display_name.lower() or part in user.email.lower()
        ]
        return JSONResponse({"users": [_shape(user) for user in found]})

    @routes.post("/getbyidlist")
    def by_ids(body: Annotated[list[str], Body(max_length=_IDS_MAX)]) -> JSONResponse:
        """Return the users with these ids; unknown ids are left out."""
        found = [world.users.find(user_id) for user_id in dict.fromkeys(body)]
        return JSONResponse({"users": [_shape(user) for user in found if user is not None]})

    return routes


def _shape(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "displayName": user.display_name,
        "givenName": user.given_name,
        "surname": user.surname,
        "email": user.email,
        "alternativeEmail": None,
        "phone": None,
        "organizationName": ORGANIZATION,
        "city": None,
        "country": None,
        "language": "EN",
        "createdDateTime": user.created,
    }
