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
from localtwin.api.gate import Gate
from localtwin.world.world import World


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
    for module in (ims, itwins, imodels, storage, synchronization):
        app.include_router(module.router(world))
    blobs.install(app, world)
    imodel_shapes.install_downloads(app, world)
    app.add_middleware(Gate, access=world.access, words=_words(app))
    return app


def _words(app: FastAPI) -> set[str]:
    """Return the fixed parts of all paths."""
    parts = {part for path in app.openapi()["paths"] for part in path.split("/")}
    return {part for part in parts if part and not part.startswith("{")}
