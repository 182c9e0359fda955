"""The lesser parts of the Synchronization API: authorization, configurations, reports.

Source: Synchronization API, "Get authorization information", "Configurations" and "Get reports"
(technical previews).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Body, FastAPI, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from localtwin.api.blobs.errors import blob_refused
from localtwin.api.envelope import empty, invalid, not_valid
from localtwin.api.links import caller, link, origin
from localtwin.api.synchronization.storage_connections import check_guid
from localtwin.errors import BlobRefusal, Detail
from localtwin.faults import Fault
from localtwin.world.synchronization.configurations import DEFAULTS
from localtwin.world.synchronization.runs import COMPLETED, Run, Task
from localtwin.world.world import World

_REPORT_PATH = "/blobs/reports"
Settings = Annotated[dict[str, Any], Body()]


def router(world: World) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/synchronization", tags=["Authorization"])

    @routes.get("/imodels/connections/authorizationinformation")
    def authorization(
        request: Request, redirect_url: Annotated[str | None, Query(alias="redirectUrl")] = None
    ) -> JSONResponse:
        """Return whether runs may act for the calling user."""
        if redirect_url is not None and not _is_web_address(redirect_url):
            raise invalid(request.url.path, not_valid("redirectUrl"))
        who, here = caller(request), origin(request)
        asked = world.access.ask_consent(who, redirect_url=redirect_url or "", issuer=here)
        signed_out = any(switch.kind is Fault.UNAUTHENTICATED_RUN for switch in world.faults.on())
        agreed = not who.is_person or world.grants.runs_authorised(who.user_id)
        information = {
            "isUserAuthorized": agreed and not signed_out,
            "_links": {"authorizationUrl": link(f"{here}/connect/consent?request={asked}")},
        }
        return JSONResponse({"authorizationInformation": information})

    @routes.get("/reports")
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

    for scope in DEFAULTS:
        _configuration_routes(routes, world, scope)
    return routes


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that are no IPv6 address
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _configuration_routes(routes: APIRouter, world: World, scope: str) -> None:
    path = f"/configurations/{scope}/{{scope_id}}"

    def answer(scope_id: str, status: int = 200) -> JSONResponse:
        found, resolved = world.configurations.get(scope, scope_id)
        shape = {"scopeId": scope_id, "settings": found, "resolvedSettings": resolved}
        return JSONResponse({"configuration": shape}, status)

    @routes.get(path, name=f"get_{scope}_configuration")
    def get(scope_id: str) -> JSONResponse:
        """Return what is set, and what holds."""
        return answer(scope_id)

    @routes.post(path, name=f"create_{scope}_configuration")
    def create(request: Request, scope_id: str, body: Settings) -> JSONResponse:
        """Set the settings."""
        _check_settings(request, scope, body)
        world.configurations.set(scope, scope_id, body, whole=True)
        return answer(scope_id, 201)

    @routes.patch(path, name=f"update_{scope}_configuration")
    def change(request: Request, scope_id: str, body: Settings) -> JSONResponse:
        """Change some settings."""
        _check_settings(request, scope, body)
        world.configurations.get(scope, scope_id)
        world.configurations.set(scope, scope_id, body, whole=False)
        return answer(scope_id)

    @routes.delete(path, name=f"delete_{scope}_configuration")
    def delete(scope_id: str) -> Response:
        """Forget the settings."""
        world.configurations.delete(scope, scope_id)
        return empty(204)


def _check_settings(request: Request, scope: str, settings: dict[str, Any]) -> None:
    known = DEFAULTS[scope]
    wrong = [
        Detail("InvalidValue", "No such setting, or a value of another type.", name)
        for name, value in settings.items()
        if name not in known or not _fits(value, known[name])
    ]
    if wrong or not settings:
        missing = Detail("MissingRequestBody", "Request body was not provided.")
        raise invalid(request.url.path, *(wrong or [missing]))


def _fits(value: object, example: object) -> bool:
    if isinstance(example, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(example, bool)
    return isinstance(value, int | float)


def install_reports(app: FastAPI, world: World) -> None:
    """Add to `app` what the links of reports lead to."""

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
            "Files": [
                {"fileName": each.name, "state": "Missing" if each.problem else "Available"}
                for each in task.references
            ],
        },
        "filerecords": [{"file": task.file_id, "auditrecords": [audit] if error else []}],
    }
