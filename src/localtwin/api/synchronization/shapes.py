"""How the Synchronization API writes connections, source files and runs."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from fastapi import Request

from localtwin.api.links import link, origin
from localtwin.world.access.authorizations import USER_NOT_AUTHENTICATED
from localtwin.world.synchronization.connections import MANIFEST, STORAGE, Connection, Source
from localtwin.world.synchronization.runs import COMPLETED, UNDETERMINED, Run, Task
from localtwin.world.synchronization.task_results import outcome

BASE = "/synchronization/imodels"


def connection_url(request: Request, kind: str, connection_id: str) -> str:
    """Return the address of a connection."""
    return f"{origin(request)}{BASE}/{kind}connections/{connection_id}"


def connection_shape(
    request: Request, connection: Connection, *, whole: bool = True
) -> dict[str, Any]:
    """Return a connection; the minimum is id and displayName."""
    minimal = {"id": connection.id, "displayName": connection.display_name}
    if not whole:
        return minimal
    here = origin(request)
    links: dict[str, Any] = {
        "iModel": link(f"{here}/imodels/{connection.imodel_id}"),
        "iTwin": link(f"{here}/itwins/{connection.itwin_id}"),
    }
    if connection.last_run_id is not None:
        url = connection_url(request, connection.kind, connection.id)
        links["lastRun"] = link(f"{url}/runs/{connection.last_run_id}")
    return minimal | {
        "iModelId": connection.imodel_id,
        "iTwinId": connection.itwin_id,
        "authenticationType": connection.authentication_type,
        "error": _trouble(connection),
        "_links": links,
    }


def _trouble(connection: Connection) -> dict[str, str] | None:
    """Return what keeps the connection from working until a person does something."""
    error = connection.last_error
    return error if error and error["errorKey"] == USER_NOT_AUTHENTICATED else None


def source_shape(
    request: Request, kind: str, source: Source, *, whole: bool = True
) -> dict[str, Any]:
    """Return a source file; the minimum leaves out the connector."""
    if kind == MANIFEST:
        return {"id": source.id, "sourceFileId": source.file_id}
    shape = {
        "id": source.id,
        "storageFileId": source.file_id,
        "lastKnownFileName": source.last_known_name,
        "_links": {"file": link(f"{origin(request)}/storage/files/{source.file_id}")},
    }
    return shape | {"connectorType": source.connector_type} if whole else shape


def run_shape(kind: str, run: Run, *, whole: bool = True) -> dict[str, Any]:
    """Return a run, its tasks grouped into one job per connector type."""
    minimal = {"id": run.id, "state": run.state, "result": run.result}
    if not whole:
        return minimal
    ordered = sorted(run.tasks, key=lambda task: (task.connector_type, task.position))
    return minimal | {
        "connectionId": run.connection_id,
        "startDateTime": run.started,
        "endDateTime": run.ended,
        "phase": run.phase,
        "error": run.error,
        "jobs": [
            _job(kind, run, connector_type, list(tasks))
            for connector_type, tasks in groupby(ordered, key=lambda task: task.connector_type)
        ],
    }


def _job(kind: str, run: Run, connector_type: str, tasks: list[Task]) -> dict[str, Any]:
    finished = all(task.state == COMPLETED for task in tasks)
    return {
        "id": tasks[0].job_id,
        "startDateTime": min((task.started for task in tasks if task.started), default=None),
        "endDateTime": max(task.ended or "" for task in tasks) if finished else None,
        "state": COMPLETED if finished else tasks[0].state,
        "result": outcome(task.result for task in tasks) if finished else UNDETERMINED,
        "connectorType": connector_type,
        "tasks": [_task(kind, run, task) for task in tasks],
    }


def _task(kind: str, run: Run, task: Task) -> dict[str, Any]:
    file_id = "storageFileId" if kind == STORAGE else "sourceFileId"
    return {
        "id": task.id,
        "startDateTime": task.started,
        "endDateTime": task.ended,
        "retryAttempts": max(0, run.attempts - 1),
        file_id: task.file_id,
        "state": task.state,
        "result": task.result,
        "error": task.error,
        "details": _details(task) if task.state == COMPLETED else None,
    }


def _details(task: Task) -> dict[str, Any]:
    failed = task.error is not None
    missing = [each.name for each in task.references if each.problem is not None]
    messages = [task.report or (task.error or {}).get("message")]
    messages += [f"Missing reference files: {', '.join(missing)}"] if missing else []
    return {
        "synchronizationReport": {
            "suggestedAction": "Error" if failed else "Warning" if missing else None,
            "message": "; ".join(text for text in messages if text) or None,
            "totalErrorsCount": int(failed),
            "totalWarningsCount": len(missing),
            "totalOtherIssuesCount": 0,
        }
    }
