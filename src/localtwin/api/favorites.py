"""Favorite and recently used iTwins and iModels, and the account of iTwins.

Source: iTwins API, "Get my favorite iTwins", "Get my recently used iTwins", "Get my primary
account", "Get iTwin account"; iModels API, "Get favorite iModels", "Get recent iModels"; as
@itwin/itwins-client and @itwin/imodels-client-management call them.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty, invalid, not_this
from localtwin.api.imodels.shapes import Token, imodel_shape
from localtwin.api.itwins import Filter, itwin_filter, itwin_shape
from localtwin.api.links import PAGE, Skip, Top, caller, page_links, paged, wants_representation
from localtwin.ids import is_guid
from localtwin.world.favorites import IMODELS, ITWINS, KINDS
from localtwin.world.world import World


def router(world: World) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    for kind in KINDS:
        _itwins(routes, world, kind)
        _imodels(routes, world, kind)
        _marks(routes, world, kind, ITWINS, "iTwins")
        _marks(routes, world, kind, IMODELS, "iModels")
    _accounts(routes, world)
    return routes


def _itwins(routes: APIRouter, world: World, kind: str) -> None:
    path = f"/itwins/{kind}"

    @routes.get(path, name=f"list_itwin_{kind}", tags=["iTwins"])
    def listing(request: Request, asked: Annotated[Filter, Query()]) -> JSONResponse:
        """List the iTwins that the caller marked, the newest mark first."""
        wanted, user_id = itwin_filter(world, request, asked), caller(request).user_id
        found = world.favorites.itwins(kind, user_id, wanted, skip=asked.skip, top=asked.top + 1)
        page, more = paged(found, asked.top)
        whole = wants_representation(request)
        shapes = [itwin_shape(world, itwin, whole=whole) for itwin in page]
        links = page_links(request, skip=asked.skip, top=asked.top, more=more)
        return JSONResponse({"iTwins": shapes, "_links": links})


def _imodels(routes: APIRouter, world: World, kind: str) -> None:
    path = f"/imodels/{kind}"

    @routes.get(path, name=f"list_imodel_{kind}", tags=["iModels"])
    def listing(
        request: Request,
        itwin_id: Annotated[str, Query(alias="iTwinId")],
        *,
        skip: Skip = 0,
        top: Top = PAGE,
        token: Token = 0,
    ) -> JSONResponse:
        """List the iModels of an iTwin that the caller marked, the newest mark first."""
        if not is_guid(itwin_id):
            raise invalid("/imodels", not_this("iTwinId", itwin_id), method="GET")
        user_id, first = caller(request).user_id, skip or token
        found = world.favorites.imodels(kind, user_id, itwin_id, skip=first, top=top + 1)
        page, more = paged(found, top)
        whole = wants_representation(request)
        shapes = [imodel_shape(request, imodel, whole=whole) for imodel in page]
        links = page_links(request, skip=first, top=top, more=more)
        return JSONResponse({"iModels": shapes, "_links": links})


def _marks(routes: APIRouter, world: World, kind: str, entities: str, tag: str) -> None:
    path = f"/{entities}/{kind}/{{entity_id}}"
    by_put = (kind, entities) == ("favorites", IMODELS)
    add = routes.put if by_put else routes.post

    @add(path, name=f"mark_{entities}_{kind}", tags=[tag])
    def mark(request: Request, entity_id: str) -> Response:
        """Mark it for the caller."""
        world.favorites.mark(kind, entities, caller(request).user_id, entity_id)
        return empty(204)

    @routes.delete(path, name=f"unmark_{entities}_{kind}", tags=[tag])
    def unmark(request: Request, entity_id: str) -> Response:
        """Remove the caller's mark."""
        world.favorites.unmark(kind, entities, caller(request).user_id, entity_id)
        return empty(204)


def _accounts(routes: APIRouter, world: World) -> None:
    def account() -> JSONResponse:
        return JSONResponse({"iTwin": itwin_shape(world, world.account, whole=True)})

    @routes.get("/itwins/myprimaryaccount", tags=["iTwins"])
    def mine() -> JSONResponse:
        """Return the caller's account; a local platform has one."""
        return account()

    @routes.get("/itwins/{itwin_id}/account", tags=["iTwins"])
    def of_itwin(itwin_id: str) -> JSONResponse:
        """Return the account of an iTwin."""
        world.itwins.get(itwin_id)
        return account()
