"""Configurations of the Synchronization API: settings per iTwin, iModel and connection.

Source: Synchronization API, "Configurations" (technical preview).
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty, invalid
from localtwin.errors import Detail
from localtwin.world.synchronization.configurations import DEFAULTS
from localtwin.world.world import World

Settings = Annotated[dict[str, Any], Body()]


def router(world: World) -> APIRouter:
    """Return the routes of all three scopes."""
    routes = APIRouter(prefix="/synchronization/configurations", tags=["Configurations"])
    for scope in DEFAULTS:
        _routes(routes, world, scope)
    return routes


def _routes(routes: APIRouter, world: World, scope: str) -> None:
    path = f"/{scope}/{{scope_id}}"

    def answer(scope_id: str, status: int = 200) -> JSONResponse:
        found, resolved = world.configurations.get(scope, scope_id)
        shape = {"scopeId": scope_id, "settings": found, "resolvedSettings": resolved}
        return JSONResponse({"configuration": shape}, status)

    @routes.get(path, name=f"get_{scope}_configuration")
    def get(scope_id: str) -> JSONResponse:
        """Return the settings of the scope, and the resolved ones."""
        return answer(scope_id)

    @routes.post(path, name=f"create_{scope}_configuration")
    def create(request: Request, scope_id: str, body: Settings) -> JSONResponse:
        """Set the settings."""
        _check_settings(request, scope, body)
        world.configurations.set(scope, scope_id, body, whole=True)
        return answer(scope_id, 201)

    @routes.patch(path, name=f"update_{scope}_configuration")
    def change(request: Request, scope_id: str, body: Settings) -> JSONResponse:
        """Change some settings."""
        _check_settings(request, scope, body)
        world.configurations.get(scope, scope_id)
        world.configurations.set(scope, scope_id, body, whole=False)
        return answer(scope_id)

    @routes.delete(path, name=f"delete_{scope}_configuration")
    def delete(scope_id: str) -> Response:
        """Delete the settings."""
        world.configurations.delete(scope, scope_id)
        return empty(204)


def _check_settings(request: Request, scope: str, settings: dict[str, Any]) -> None:
    known = DEFAULTS[scope]
    wrong = [
        Detail("InvalidValue", "No such setting, or a value of another type.", name)
        for name, value in settings.items()
        if name not in known or not _fits(value, known[name])
    ]
    if wrong or not settings:
        missing = Detail("MissingRequestBody", "Request body was not provided.")
        raise invalid(request.url.path, *(wrong or [missing]))


def _fits(value: object, example: object) -> bool:
    if isinstance(example, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(example, bool)
    return isinstance(value, int | float)
