"""The whole platform as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import FastAPI

from localtwin.api import admin, envelope, favorites, itwins, webhooks
from localtwin.api.access import control, ims, login, tokens, users
from localtwin.api.blobs import routes as blobs
from localtwin.api.browsers import Browsers
from localtwin.api.bulk.app import BulkMount, build_bulk
from localtwin.api.dispatch import Dispatch
from localtwin.api.fault_injection import NO_HEADERS, FaultInjection, RateLimit
from localtwin.api.gateway import Gateway
from localtwin.api.hosts import HostCheck
from localtwin.api.imodels import named_versions
from localtwin.api.imodels import routes as imodels
from localtwin.api.imodels import shapes as imodel_shapes
from localtwin.api.imodels import users as imodel_users
from localtwin.api.openapi import described
from localtwin.api.pages import home
from localtwin.api.permissions import Permissions
from localtwin.api.storage import recycling
from localtwin.api.storage import routes as storage
from localtwin.api.synchronization import (
    authorization,
    configurations,
    manifest_connections,
    reports,
    storage_connections,
)
from localtwin.world.world import World

_APIS = (
    home,
    ims,
    login,
    tokens,
    users,
    control,
    itwins,
    favorites,
    imodels,
    imodel_users,
    named_versions,
    storage,
    recycling,
    storage_connections,
    webhooks,
    manifest_connections,
    authorization,
    configurations,
    reports,
)


def build(
    world: World,
    *,
    warm: bool = False,
    admin_routes: bool = False,
    requests_per_minute: int | None = None,
    rate_headers: str = NO_HEADERS,
    hosts: Iterable[str] = (),
) -> FastAPI:
    """Return the application, which answers under loopback names and `hosts` only.

    Its lifespan executes runs and closes the world at the end.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        world.start(warm=warm)
        try:
            yield
        finally:
            world.close()

    app = FastAPI(
        title="localtwin",
        summary="The iTwin Platform in one process on your own machine.",
        lifespan=lifespan,
        redirect_slashes=False,
        redoc_url=None,
    )
    app.state.world = world
    envelope.install(app)
    blobs.install(app, world)
    imodel_shapes.install_downloads(app, world)
    reports.install_reports(app, world)
    switches = admin.router if admin_routes else admin.closed_router
    routers = [*(api.router for api in _APIS), switches]
    routes = [route for router in routers for route in router(world).routes]
    dispatch = Dispatch([*app.routes, *routes])
    app.router.routes[:] = [dispatch]
    app.add_middleware(Permissions, world=world)
    app.add_middleware(BulkMount, bulk=build_bulk(world))
    app.add_middleware(FaultInjection, faults=world.faults, clock=world.clock)
    limit = RateLimit(requests_per_minute, world.clock, rate_headers)
    app.add_middleware(Gateway, access=world.access, words=dispatch.words, limit=limit)
    app.add_middleware(Browsers)
    app.add_middleware(HostCheck, hosts=hosts)

    @cache
    def document() -> dict[str, Any]:
        return described(routes, title=app.title, version=app.version)

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way to say it
    return app
