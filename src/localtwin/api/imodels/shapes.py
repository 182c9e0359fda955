"""How the iModels API writes iModels and changesets, and where a changeset is downloaded."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from localtwin.api.blobs.errors import blob_refused
from localtwin.api.links import link, origin
from localtwin.errors import BlobRefusal, Refusal
from localtwin.world.imodels.imodels import Changeset, IModel
from localtwin.world.world import World

# Tokens are opaque to clients; ours is the number of items to skip.
Token = Annotated[int, Query(alias="$continuationToken", ge=0, le=2**31)]
_CHANGESET_PATH = "/blobs/imodels"
_APPLICATION = {"id": "localtwin", "name": "localtwin"}


def imodel_shape(request: Request, imodel: IModel, *, whole: bool = True) -> dict[str, Any]:
    """Return an iModel; the minimum is id and displayName."""
    minimal = {"id": imodel.id, "displayName": imodel.name}
    if not whole:
        return minimal
    here = f"{origin(request)}/imodels/{imodel.id}"
    return minimal | {
        "dataCenterLocation": "East US",
        "name": imodel.name,
        "description": imodel.description,
        "state": "initialized",
        "createdDateTime": imodel.created,
        "lastChangesetPushDateTime": imodel.last_pushed,
        "iTwinId": imodel.itwin_id,
        "isSecured": False,
        "extent": imodel.extent,
        "containersEnabled": 0,
        "geographicCoordinateSystem": imodel.coordinate_system,
        "_links": {
            "creator": link(f"{here}/users/{imodel.creator}"),
            "namedVersions": link(f"{here}/namedversions"),
            "changesets": link(f"{here}/changesets"),
            "upload": None,
            "complete": None,
        },
    }


def changeset_shape(
    world: World,
    request: Request,
    changeset: Changeset,
    named_version_id: str | None,
    *,
    whole: bool = True,
) -> dict[str, Any]:
    """Return a changeset; `whole` adds application, task, named version and download link."""
    here = f"{origin(request)}/imodels/{changeset.imodel_id}"
    links: dict[str, Any] = {
        "self": link(f"{here}/changesets/{changeset.id}"),
        "creator": link(f"{here}/users/{changeset.creator}"),
    }
    shape: dict[str, Any] = {
        "id": changeset.id,
        "displayName": str(changeset.index),
        "description": changeset.description,
        "index": changeset.index,
        "parentId": changeset.parent_id,
        "creatorId": changeset.creator,
        "pushDateTime": changeset.pushed,
        "state": "fileUploaded",
        "containingChanges": changeset.containing_changes,
        "fileSize": changeset.size_bytes,
        "briefcaseId": 2,
        "groupId": None,
        "_links": links,
    }
    if not whole:
        return shape
    links |= {
        "namedVersion": named_version_id and link(f"{here}/namedversions/{named_version_id}"),
        "currentOrPrecedingCheckpoint": None,
        # Without the type the official backend cannot choose its storage client.
        "download": link(_download_url(world, request, changeset)) | {"storageType": "azure"},
    }
    return shape | {
        "application": _APPLICATION,
        "synchronizationInfo": {
            "taskId": changeset.task_id,
            "changedFiles": changeset.changed_files,
        },
        # Not in the real API: what the changeset did, for people to read.
        "localtwin": {
            "runId": changeset.run_id,
            "inserted": changeset.inserted,
            "updated": changeset.updated,
            "deleted": changeset.deleted,
        },
    }


def install_downloads(app: FastAPI, world: World) -> None:
    """Add the endpoint of changeset downloads to `app`."""

    async def download(request: Request) -> Response:
        head = request.method == "HEAD"
        try:
            grant = world.signer.check(request.url.path, request.query_params, now=world.clock())
            grant.require("r")
            imodel, changeset = request.path_params["imodel"], request.path_params["changeset"]
            found = await run_in_threadpool(world.imodels.changeset, imodel, changeset)
        except BlobRefusal as refusal:
            return blob_refused(refusal, now=world.clock(), head=head)
        except Refusal:
            return blob_refused(BlobRefusal("BlobNotFound"), now=world.clock(), head=head)
        return FileResponse(
            world.imodels.changeset_file(found),
            media_type="application/octet-stream",
            filename=f"{found.id}.cs",
        )

    path = _CHANGESET_PATH + "/{imodel}/{changeset}"
    app.add_route(path, download, methods=["GET", "HEAD"], include_in_schema=False)


def _download_url(world: World, request: Request, changeset: Changeset) -> str:
    path = f"{_CHANGESET_PATH}/{changeset.imodel_id}/{changeset.id}"
    query = world.signer.query(path, permissions="r", now=world.clock())
    return f"{origin(request)}{path}?{query}"
