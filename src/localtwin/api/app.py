"""The whole platform as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from localtwin.api import (
    blobs,
    envelope,
    imodel_shapes,
    imodels,
    ims,
    itwins,
    storage,
    synchronization,
)
from localtwin.api.dispatch import Dispatch
from localtwin.api.gate import Gate
from localtwin.world.world import World

_APIS = (ims, itwins, imodels, storage, synchronization)


def build(world: World, *, warm: bool = False) -> FastAPI:
    """Return the application; its lifespan carries runs out and closes the world at the end."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        world.executor.start(warm=warm)
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
    routers = [module.router(world) for module in _APIS]
    for router in routers:
        app.include_router(router)
    app.openapi()  # made from the routes, so before they are put behind one
    dispatch = Dispatch([*app.routes, *(route for router in routers for route in router.routes)])
    app.router.routes[:] = [dispatch]
    app.add_middleware(Gate, access=world.access, words=dispatch.words)
    return app
