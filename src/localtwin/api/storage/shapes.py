"""How the Storage API writes folders, files, pages and upload URLs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request

from localtwin.api.envelope import invalid, not_valid
from localtwin.api.links import link, origin, page_links, world_of
from localtwin.errors import Invalid
from localtwin.ids import is_guid
from localtwin.world.storage.items import FILE, Item
from localtwin.world.world import World

# Looks like the real one: account, container, folder and file; blob clients rely on the parts.
BLOB_PATH = "/blobs/azuresqldbecpluginstorage/ProjectShare/File"
_PAGE_MAX = 1000

StorageTop = Annotated[int, Query(alias="$top", ge=1)]


def item_shape(request: Request, item: Item) -> dict[str, Any]:
    """Return a folder or a file as every operation shows it; nulls are written."""
    here = origin(request)
    members = f"{here}/accesscontrol/itwins/{item.itwin_id}/members"
    links = {
        "createdBy": link(f"{members}/{item.created_by}"),
        "lastModifiedBy": link(f"{members}/{item.modified_by}"),
    }
    if item.parent_id is not None:
        links["parentFolder"] = link(f"{here}/storage/folders/{item.parent_id}")
    shape: dict[str, Any] = {
        "type": item.kind,
        "id": item.id,
        "displayName": item.name,
        "description": item.description,
        "path": item.path,
        "lastModifiedByDisplayName": world_of(request).users.display_name(item.modified_by),
        "createdDateTime": item.created,
        "lastModifiedDateTime": item.modified,
        "parentFolderId": item.parent_id,
        "_links": links,
    }
    if item.kind == FILE:
        shape = {"size": item.size_bytes, "isFileLocked": item.locked} | shape
    return shape


def always_paged(
    request: Request, name: str, found: Sequence[Item], *, skip: int, top: int
) -> dict[str, Any]:
    """Return a page; prev and next are there on every page, even on an empty one.

    Source: Storage API responses captured in 2024.
    """
    links = page_links(request, skip=skip, top=top, more=True)
    links["prev"] = links["prev"] or links["self"]
    return {name: [item_shape(request, item) for item in found], "_links": links}


def signed_url(
    world: World, request: Request, blob: str, *, permissions: str, filename: str
) -> str:
    """Return a URL of the blob that works without a token, for one hour."""
    path = f"{BLOB_PATH}/{quote(blob)}"
    query = world.signer.query(path, permissions=permissions, now=world.clock(), filename=filename)
    return f"{origin(request)}{path}?{query}"


def check_top(top: int) -> None:
    """Raise Invalid when a page would be too large."""
    if top > _PAGE_MAX:
        raise Invalid("InvalidStorageRequest", "Page size is over 1000 items limit.")


def check_itwin(itwin_id: str) -> None:
    """Raise Invalid unless `itwin_id` is a GUID."""
    if not is_guid(itwin_id):
        raise invalid("/storage", not_valid("iTwinId"))
