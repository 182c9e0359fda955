"""Diagnostic reports of the Synchronization API: the list, and the JSON behind each link.

Source: Synchronization API, "Get reports" (technical preview).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from localtwin.api.blobs.errors import blob_refused
from localtwin.api.links import origin
from localtwin.api.synchronization.storage_connections import check_guid
from localtwin.errors import BlobRefusal
from localtwin.world.synchronization.runs import COMPLETED, Run, Task
from localtwin.world.world import World

_REPORT_PATH = "/blobs/reports"


def router(world: World) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/synchronization/reports", tags=["Reports"])

    @routes.get("")
    def reports(
        request: Request,
        imodel_id: Annotated[str, Query(alias="imodelId")],
        run_id: Annotated[str, Query(alias="runId")],
        task_id: Annotated[str | None, Query(alias="taskId")] = None,
    ) -> JSONResponse:
        """List the diagnostic reports of a run."""
        check_guid(request, imodel_id, "imodelId")
        check_guid(request, run_id, "runId")
        if task_id is not None:
            check_guid(request, task_id, "taskId")
        run = world.runs.find(run_id)
        found = run.tasks if run is not None and run.imodel_id == imodel_id.lower() else ()
        shapes = [
            _report_link(world, request, imodel_id, task)
            for task in found
            if task.state == COMPLETED and (task_id or task.id).lower() == task.id
        ]
        return JSONResponse({"reports": shapes})

    return routes


def install_reports(app: FastAPI, world: World) -> None:
    """Add the endpoint of report downloads to `app`."""

    async def report(request: Request) -> Response:
        try:
            grant = world.signer.check(request.url.path, request.query_params, now=world.clock())
            grant.require("r")
            run = await run_in_threadpool(world.runs.find, request.path_params["run"])
            wanted = request.path_params["task"]
            found = [task for task in run.tasks if task.id == wanted] if run else []
            if run is None or not found:
                raise BlobRefusal("BlobNotFound")
        except BlobRefusal as refusal:
            return blob_refused(refusal, now=world.clock(), head=request.method == "HEAD")
        return JSONResponse(_report(run, found[0]))

    path = _REPORT_PATH + "/{run}/{task}"
    app.add_route(path, report, methods=["GET", "HEAD"], include_in_schema=False)


def _report_link(world: World, request: Request, imodel_id: str, task: Task) -> dict[str, Any]:
    path = f"{_REPORT_PATH}/{task.run_id}/{task.id}"
    query = world.signer.query(path, permissions="r", now=world.clock())
    return {
        "id": task.id,
        "imodelId": imodel_id,
        "runId": task.run_id,
        "taskId": task.id,
        "sasUri": f"{origin(request)}{path}?{query}",
        "createdTimeStamp": task.ended,
    }


def _report(run: Run, task: Task) -> dict[str, Any]:
    """Return a report as the report viewer reads it.

    Source: @itwin/synchronization-report-react, its report type.
    """
    error = task.error
    audit = {
        "elementinfo": {"name": task.name, "type": "", "dgnelementid": "", "sourceId": ""},
        "auditinfo": error
        and {
            "issueid": error["errorCode"],
            "level": "Error",
            "category": error["category"],
            "message": error["message"],
            "type": "",
        },
    }
    ended = datetime.fromisoformat(task.ended).astimezone(UTC) if task.ended else None
    return {
        "context": {
            "reportType": "synchronization",
            "operationType": "Sync",
            "jobid": task.job_id,
            "imodelid": run.imodel_id,
            "timestamp": ended and f"{ended:%Y-%m-%dT%H:%M:%SZ}",
        },
        "sourceFilesInfo": {
            "fileId": task.file_id,
            "fileName": task.name,
            "fileExists": task.content is not None,
            "bimFileExists": True,
            **(task.document or {}),
            "Files": [
                {"fileName": each.name, "state": "Missing" if each.problem else "Available"}
                for each in task.references
            ],
        },
        "filerecords": [{"file": task.file_id, "auditrecords": [audit] if error else []}],
    }
