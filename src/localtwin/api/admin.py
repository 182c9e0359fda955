"""Faults switched over HTTP, for tests of other programs; served with --admin only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty
from localtwin.api.request_body import RequestBody
from localtwin.errors import Detail, Invalid, NotFound, SetupError
from localtwin.faults import Switch, parse
from localtwin.world.world import World


class FaultText(RequestBody):
    """A switch as the command line writes it."""

    fault: Annotated[str, Field(min_length=1)]


def router(world: World) -> APIRouter:
    """Return the routes of the switches."""
    routes = APIRouter(prefix="/localtwin/faults", tags=["localtwin"])

    @routes.get("")
    def listing() -> JSONResponse:
        """List the switches that are on."""
        return JSONResponse({"faults": [_shape(switch) for switch in world.faults.on()]})

    @routes.post("")
    def add(body: FaultText) -> JSONResponse:
        """Turn a switch on."""
        try:
            switch = parse(body.fault)
        except SetupError as wrong:
            detail = Detail("InvalidValue", str(wrong), "fault")
            raise Invalid("InvalidFaultRequest", "Cannot perform operation.", detail) from wrong
        world.faults.add(switch)
        return JSONResponse({"fault": _shape(switch)}, 201)

    @routes.delete("")
    def clear() -> Response:
        """Turn every switch off."""
        world.faults.clear()
        return empty(204)

    return routes


def closed_router(_world: World) -> APIRouter:
    """Return the routes that are served without --admin; they name that switch."""
    routes = APIRouter(prefix="/localtwin/faults", include_in_schema=False)

    @routes.api_route("", methods=["GET", "POST", "DELETE"])
    def closed() -> Response:
        """Refuse, and name the command line switch."""
        raise NotFound(
            "ResourceNotFound",
            "Faults can be switched by HTTP only when localtwin was started with --admin.",
        )

    return routes


def _shape(switch: Switch) -> dict[str, object]:
    return {
        "kind": switch.kind.value,
        "value": switch.value,
        "path": switch.path,
        "times": switch.times,
    }
