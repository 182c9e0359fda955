"""The Storage API, version 1.

Source: Storage API, operations on folders and files; representations as captured in 2024.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from localtwin.api.envelope import empty
from localtwin.api.links import PAGE, Skip, caller, link, origin
from localtwin.api.request_body import RequestBody
from localtwin.api.storage.shapes import (
    StorageTop,
    always_paged,
    check_itwin,
    check_top,
    item_shape,
    signed_url,
)
from localtwin.errors import Forbidden, NotFound
from localtwin.ids import pair_id
from localtwin.world.storage.items import FILE, FOLDER, Item
from localtwin.world.world import World

_BOTH = (FOLDER, FILE)


class ItemCreate(RequestBody):
    """The body that creates a folder or a file; the world checks the name."""

    display_name: Annotated[str, Field(alias="displayName")]
    description: str | None = None


class ItemUpdate(RequestBody):
    """The body that renames."""

    display_name: Annotated[str, Field(alias="displayName")] = ""
    description: str | None = None


class Move(RequestBody):
    """The body that moves."""

    parent_folder_id: Annotated[str, Field(alias="parentFolderId")]


class Files(RequestBody):
    """The body that names files to lock."""

    file_ids: Annotated[list[str], Field(alias="fileIds", min_length=1)]


def router(world: World) -> APIRouter:
    """Return the routes of the Storage API."""
    routes = APIRouter(prefix="/storage", tags=["Storage"])
    _top_level(routes, world)
    _folders(routes, world)
    _files(routes, world)
    _items(routes, world, FOLDER)
    _items(routes, world, FILE)
    return routes


def _top_level(routes: APIRouter, world: World) -> None:
    @routes.get("")
    def top_level(
        request: Request,
        itwin_id: Annotated[str, Query(alias="iTwinId")],
        skip: Skip = 0,
        top: StorageTop = PAGE,
    ) -> JSONResponse:
        """List the top-level folders and files of an iTwin."""
        check_top(top)
        check_itwin(itwin_id)
        root = pair_id(itwin_id.lower(), itwin_id.lower())
        try:
            found = world.storage.children(root, kinds=_BOTH, skip=skip, top=top)
        except NotFound as missing:
            message = "The user has insufficient permissions for the requested operation."
            raise Forbidden("InsufficientPermissions", message) from missing
        body = always_paged(request, "items", found, skip=skip, top=top)
        body["_links"]["folder"] = link(f"{origin(request)}/storage/folders/{root}")
        return JSONResponse(body)


def _folders(routes: APIRouter, world: World) -> None:
    for path, name, kinds in (
        ("list", "items", _BOTH),
        ("folders", "folders", (FOLDER,)),
        ("files", "files", (FILE,)),
    ):
        _listing(routes, world, path, name, kinds)

    @routes.get("/folders/{item_id}/search")
    def search(
        request: Request,
        item_id: str,
        name: str,
        skip: Skip = 0,
        top: StorageTop = PAGE,
    ) -> JSONResponse:
        """Find items below a folder by name; * and ? are wildcards."""
        check_top(top)
        found = world.storage.search(item_id, name=name, skip=skip, top=top)
        return JSONResponse(always_paged(request, "items", found, skip=skip, top=top))

    @routes.post("/folders/{item_id}/folders")
    def create_folder(request: Request, item_id: str, body: ItemCreate) -> JSONResponse:
        """Create a folder."""
        folder = _created(world, request, item_id, FOLDER, body)
        return JSONResponse({"folder": item_shape(request, folder)}, 201)

    @routes.post("/folders/{item_id}/files")
    def create_file(request: Request, item_id: str, body: ItemCreate) -> JSONResponse:
        """Begin a file; returns the upload URL and the URL that completes it."""
        file = _created(world, request, item_id, FILE, body)
        return JSONResponse(_upload_links(world, request, file), 202)

    for verb, locked in (("lock", True), ("unlock", False)):
        _locking(routes, world, verb, locked=locked)


def _listing(routes: APIRouter, world: World, path: str, name: str, kinds: tuple[str, ...]) -> None:
    @routes.get(f"/folders/{{item_id}}/{path}", name=f"list_{name}")
    def listing(
        request: Request, item_id: str, skip: Skip = 0, top: StorageTop = PAGE
    ) -> JSONResponse:
        """List what is directly in a folder."""
        check_top(top)
        found = world.storage.children(item_id, kinds=kinds, skip=skip, top=top)
        return JSONResponse(always_paged(request, name, found, skip=skip, top=top))


def _locking(routes: APIRouter, world: World, verb: str, *, locked: bool) -> None:
    @routes.post(f"/folders/{{item_id}}/{verb}", name=f"{verb}_files")
    def change_lock(request: Request, item_id: str, body: Files) -> JSONResponse:
        """Lock or unlock files of a folder; all or none."""
        files = world.storage.lock(item_id, body.file_ids, locked=locked)
        shapes = [item_shape(request, file) for file in files]
        here = link(f"{origin(request)}/storage/folders/{item_id}/{verb}")
        return JSONResponse({"files": shapes, "_links": {"self": here}})


def _files(routes: APIRouter, world: World) -> None:
    @routes.post("/files/{item_id}/complete")
    def complete(request: Request, item_id: str) -> JSONResponse:
        """Make the uploaded content the file's content."""
        file = world.storage.complete(item_id, user=caller(request).user_id)
        return JSONResponse({"file": item_shape(request, file)})

    @routes.post("/files/{item_id}/updatecontent")
    async def update_content(request: Request, item_id: str) -> JSONResponse:
        """Begin new content for a file; returns the same two URLs as for a new one."""
        # On the event loop: a read by key waits for nobody and costs less than a thread.
        file = world.storage.upload_target(item_id)
        return JSONResponse(_upload_links(world, request, file), 202)

    @routes.get("/files/{item_id}/download")
    def download(request: Request, item_id: str) -> Response:
        """Redirect to the content."""
        file = world.storage.file(item_id)
        url = signed_url(world, request, file.guid, permissions="r", filename=file.name)
        return empty(302, Location=url)


def _items(routes: APIRouter, world: World, kind: str) -> None:
    path = f"/{kind}s/{{item_id}}"
    load = world.storage.folder if kind == FOLDER else world.storage.file

    def answer(request: Request, item: Item) -> JSONResponse:
        return JSONResponse({kind: item_shape(request, item)})

    @routes.get(path, name=f"get_{kind}")
    def get(request: Request, item_id: str) -> JSONResponse:
        """Return one item."""
        return answer(request, load(item_id))

    @routes.patch(path, name=f"update_{kind}")
    def patch(request: Request, item_id: str, body: ItemUpdate) -> JSONResponse:
        """Change the name or the description."""
        names = {"display_name": "name", "description": "description"}
        values = {names[name]: value for name, value in body.given().items()}
        item = world.storage.rename(item_id, values, kind=kind, user=caller(request).user_id)
        return answer(request, item)

    @routes.delete(path, name=f"delete_{kind}")
    def delete(request: Request, item_id: str) -> Response:
        """Put the item into the recycle bin."""
        world.storage.recycle(item_id, kind=kind, user=caller(request).user_id)
        return empty(204)

    @routes.post(f"{path}/move", name=f"move_{kind}")
    def move(request: Request, item_id: str, body: Move) -> JSONResponse:
        """Move the item to another folder."""
        user = caller(request).user_id
        item = world.storage.move(
            item_id, kind=kind, parent_folder_id=body.parent_folder_id, user=user
        )
        return answer(request, item)


def _created(world: World, request: Request, parent: str, kind: str, body: ItemCreate) -> Item:
    return world.storage.create(
        parent,
        kind=kind,
        name=body.display_name,
        description=body.description,
        user=caller(request).user_id,
    )


def _upload_links(world: World, request: Request, file: Item) -> dict[str, Any]:
    complete = f"{origin(request)}/storage/files/{file.id}/complete"
    upload = signed_url(world, request, file.guid, permissions="rw", filename=file.name)
    return {"_links": {"completeUrl": link(complete), "uploadUrl": link(upload)}}
