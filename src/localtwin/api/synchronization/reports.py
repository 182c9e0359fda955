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
_OF_RUN = "whole"  # in place of a task's id


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
        if run is None or run.imodel_id != imodel_id.lower():
            return JSONResponse({"reports": []})
        shapes = [
            _report_link(world, request, run, task.id, task.ended)
            for task in run.tasks
            if task.state == COMPLETED and (task_id or task.id).lower() == task.id
        ]
        if not run.tasks and run.error and task_id is None:
            shapes = [_report_link(world, request, run, None, run.ended)]
        return JSONResponse({"reports": shapes})

    return routes


def install_reports(app: FastAPI, world: World) -> None:
    """Add the endpoint of report downloads to `app`."""

    async def report(request: Request) -> Response:
        try:
            grant = world.signer.check(request.url.path, request.query_params, now=world.clock())
            grant.require("r")
            run = await run_in_threadpool(world.runs.find, request.path_params["run"])
            shape = _shape(run, request.path_params["task"]) if run else None
            if shape is None:
                raise BlobRefusal("BlobNotFound")
        except BlobRefusal as refusal:
            return blob_refused(refusal, now=world.clock(), head=request.method == "HEAD")
        return JSONResponse(shape)

    path = _REPORT_PATH + "/{run}/{task}"
    app.add_route(path, report, methods=["GET", "HEAD"], include_in_schema=False)


def _report_link(
    world: World, request: Request, run: Run, task_id: str | None, created: str | None
) -> dict[str, Any]:
    """Return where a report is; `task_id` None: it is about the run, which has no tasks."""
    path = f"{_REPORT_PATH}/{run.id}/{task_id or _OF_RUN}"
    query = world.signer.query(path, permissions="r", now=world.clock())
    return {
        "id": task_id or run.id,
        "imodelId": run.imodel_id,
        "runId": run.id,
        "taskId": task_id,
        "sasUri": f"{origin(request)}{path}?{query}",
        "createdTimeStamp": created,
    }


def _shape(run: Run, name: str) -> dict[str, Any] | None:
    """Return the report of that name; None if there is none."""
    if name == _OF_RUN:
        return None if run.tasks or not run.error else _report_of_run(run, run.error)
    found = [task for task in run.tasks if task.id == name]
    return _report(run, found[0]) if found else None


def _report_of_run(run: Run, error: dict[str, Any]) -> dict[str, Any]:
    audit = _audit("", error["errorKey"], "Fatal", "other", error["description"])
    return {
        "context": _context(run, None, run.ended),
        "sourceFilesInfo": {"Files": []},
        "filerecords": [{"file": None, "auditrecords": [audit]}],
    }


def _report(run: Run, task: Task) -> dict[str, Any]:
    """Return a report as the report viewer reads it.

    Source: @itwin/synchronization-report-react, its report type.
    """
    error = task.error
    audits = (
        [_audit(task.name, error["errorCode"], "Error", error["category"], error["message"])]
        if error
        else []
    )
    return {
        "context": _context(run, task.job_id, task.ended),
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
        "filerecords": [{"file": task.file_id, "auditrecords": audits}],
    }


def _audit(name: str, issue: str, level: str, category: str, message: str) -> dict[str, Any]:
    return {
        "elementinfo": {"name": name, "type": "", "dgnelementid": "", "sourceId": ""},
        "auditinfo": {
            "issueid": issue,
            "level": level,
            "category": category,
            "message": message,
            "type": "",
        },
    }


def _context(run: Run, job_id: str | None, ended: str | None) -> dict[str, Any]:
    moment = datetime.fromisoformat(ended).astimezone(UTC) if ended else None
    return {
        "reportType": "synchronization",
        "operationType": "Sync",
        "jobid": job_id,
        "imodelid": run.imodel_id,
        "timestamp": moment and f"{moment:%Y-%m-%dT%H:%M:%SZ}",
    }
