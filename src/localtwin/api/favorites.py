"""Favorites and recently used iTwins of the iTwins and iModels APIs, and the account.

Source: iTwins API, "Get my favorite iTwins", "Get my recently used iTwins", "Get my primary
account", "Get iTwin account"; iModels API, "Get favorite iModels"; as @itwin/itwins-client and
iTwin/viewer-components call them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty, invalid, not_this
from localtwin.api.imodels.shapes import imodel_shape
from localtwin.api.itwins import itwin_shape
from localtwin.api.links import PAGE, Skip, Top, caller, page_links, paged, wants_representation
from localtwin.ids import is_guid
from localtwin.world.itwins import ITwin
from localtwin.world.world import World


def router(world: World) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    _listing(routes, world, "favorites", world.favorites.itwins)
    _listing(routes, world, "recents", world.favorites.recent_itwins)
    _marks(routes, world)
    _imodels(routes, world)
    _accounts(routes, world)
    return routes


def _listing(routes: APIRouter, world: World, name: str, load: Callable[..., list[ITwin]]) -> None:
    @routes.get(f"/itwins/{name}", name=f"list_{name}", tags=["iTwins"])
    def listing(request: Request, skip: Skip = 0, top: Top = PAGE) -> JSONResponse:
        """List the iTwins that the caller marked or used."""
        page, more = paged(load(caller(request).user_id, skip=skip, top=top + 1), top)
        whole = wants_representation(request)
        shapes = [itwin_shape(world, itwin, whole=whole) for itwin in page]
        links = page_links(request, skip=skip, top=top, more=more)
        return JSONResponse({"iTwins": shapes, "_links": links})


def _marks(routes: APIRouter, world: World) -> None:
    @routes.post("/itwins/favorites/{itwin_id}", tags=["iTwins"])
    def add(request: Request, itwin_id: str) -> Response:
        """Add an iTwin to the caller's favorites."""
        world.favorites.add_itwin(caller(request).user_id, itwin_id)
        return empty(204)

    @routes.delete("/itwins/favorites/{itwin_id}", tags=["iTwins"])
    def remove(request: Request, itwin_id: str) -> Response:
        """Remove an iTwin from the caller's favorites."""
        world.favorites.remove_itwin(caller(request).user_id, itwin_id)
        return empty(204)

    @routes.post("/itwins/recents/{itwin_id}", tags=["iTwins"])
    def use(request: Request, itwin_id: str) -> Response:
        """Add an iTwin to those that the caller used last."""
        world.favorites.use_itwin(caller(request).user_id, itwin_id)
        return empty(204)


def _imodels(routes: APIRouter, world: World) -> None:
    @routes.get("/imodels/favorites", tags=["iModels"])
    def listing(
        request: Request,
        itwin_id: Annotated[str, Query(alias="iTwinId")],
        skip: Skip = 0,
        top: Top = PAGE,
    ) -> JSONResponse:
        """List the caller's favorite iModels of an iTwin."""
        if not is_guid(itwin_id):
            raise invalid("/imodels", not_this("iTwinId", itwin_id), method="GET")
        user_id = caller(request).user_id
        found = world.favorites.imodels(user_id, itwin_id, skip=skip, top=top + 1)
        page, more = paged(found, top)
        whole = wants_representation(request)
        shapes = [imodel_shape(request, imodel, whole=whole) for imodel in page]
        links = page_links(request, skip=skip, top=top, more=more)
        return JSONResponse({"iModels": shapes, "_links": links})

    @routes.put("/imodels/favorites/{imodel_id}", tags=["iModels"])
    def add(request: Request, imodel_id: str) -> Response:
        """Add an iModel to the caller's favorites."""
        world.favorites.add_imodel(caller(request).user_id, imodel_id)
        return empty(204)

    @routes.delete("/imodels/favorites/{imodel_id}", tags=["iModels"])
    def remove(request: Request, imodel_id: str) -> Response:
        """Remove an iModel from the caller's favorites."""
        world.favorites.remove_imodel(caller(request).user_id, imodel_id)
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
