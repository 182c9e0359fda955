"""The recycle bin of the Storage API.

Source: Storage API, "Get items in recycle bin", "Restore folder", "Delete file from recycle bin".
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty
from localtwin.api.links import PAGE, Skip
from localtwin.api.storage.shapes import StorageTop, always_paged, check_itwin, check_top
from localtwin.world.storage.items import FILE, FOLDER
from localtwin.world.world import World


def router(world: World) -> APIRouter:
    """Return the routes of the recycle bin."""
    routes = APIRouter(prefix="/storage/recyclebin", tags=["Storage"])

    @routes.get("")
    def listing(
        request: Request,
        itwin_id: Annotated[str, Query(alias="iTwinId")],
        skip: Skip = 0,
        top: StorageTop = PAGE,
    ) -> JSONResponse:
        """List what was deleted in an iTwin."""
        check_top(top)
        check_itwin(itwin_id)
        found = world.recycle_bin.page(itwin_id.lower(), skip=skip, top=top)
        return JSONResponse(always_paged(request, "items", found, skip=skip, top=top))

    for kind in (FOLDER, FILE):
        _of_kind(routes, world, kind)
    return routes


def _of_kind(routes: APIRouter, world: World, kind: str) -> None:
    path = f"/{kind}s/{{item_id}}"

    @routes.post(f"{path}/restore", name=f"restore_{kind}")
    def restore(item_id: str) -> Response:
        """Put the item back where it was."""
        world.recycle_bin.restore(item_id, kind=kind)
        return empty(204)

    @routes.delete(path, name=f"purge_{kind}")
    def purge(item_id: str) -> Response:
        """Delete the item permanently."""
        world.recycle_bin.purge(item_id, kind=kind)
        return empty(204)
