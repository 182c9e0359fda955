"""What a worker process is told and what it answers, as plain JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SUCCESS = "Success"
SKIPPED = "Skipped"
ERROR = "Error"
PARTIAL = "PartialSuccess"
TIMED_OUT = "TimedOut"


@dataclass(frozen=True, slots=True)
class SourceResult:
    """How one source file fared; `error` is the contract's task error."""

    source_id: str
    result: str
    message: str
    error: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ChangesetResult:
    """The changeset a run wrote."""

    id: str
    parent_id: str
    size_bytes: int
    inserted: int
    updated: int
    deleted: int
    containing_changes: int


def outcome(results: Iterable[str]) -> str:
    """Return the result of a job or a run from those of its tasks.

    A run in which nothing had changed is a success.
    """
    seen = set(results)
    if seen <= {SUCCESS, SKIPPED}:
        return SUCCESS
    if seen & {SUCCESS, SKIPPED}:
        return PARTIAL
    return TIMED_OUT if seen == {TIMED_OUT} else ERROR


def source_result(report: dict[str, Any]) -> SourceResult:
    """Return the result from a worker's report of one source."""
    error = report["error"]
    return SourceResult(
        source_id=report["source_id"],
        result=report["result"],
        message=counts(report["inserted"], report["updated"], report["deleted"]),
        error=None if error is None else task_error(**error),
    )


def failed_source(source_id: str, code: str, reason: str) -> dict[str, Any]:
    """Return the report of a source that no worker could be asked about."""
    advice = "Make the file available and start the run again."
    return _failed(source_id, ERROR, code, reason, advice)


def given_up(source_id: str, reason: str, *, timed_out: bool) -> dict[str, Any]:
    """Return the report of a source whose reader crashed or did not come to an end."""
    advice = "Open the file in the application that made it, check it and save it again."
    if timed_out:
        return _failed(source_id, TIMED_OUT, "ConnectorTimedOut", reason, advice)
    return _failed(source_id, ERROR, "ConnectorCrashed", reason, advice)


def _failed(source_id: str, result: str, code: str, reason: str, advice: str) -> dict[str, Any]:
    error = {
        "code": code,
        "message": reason,
        "description": advice,
        "category": "source_file",
        "can_user_fix": True,
    }
    counted = {"inserted": 0, "updated": 0, "deleted": 0}
    return {"source_id": source_id, "result": result, "error": error} | counted


def task_error(
    *, code: str, message: str, description: str, category: str, can_user_fix: bool
) -> dict[str, Any]:
    """Return a task error as Get run shows it.

    Source: Synchronization API, "Get StorageConnection run", task.error.
    """
    return {
        "errorCode": code,
        "message": message,
        "details": description,
        "bridgeExitCode": None,
        "system": "localtwin",
        "phase": "connector",
        "category": category,
        "descriptionKey": code,
        "description": description,
        "kbArticleLink": "",
        "canUserFix": can_user_fix,
    }


def counts(inserted: int, updated: int, deleted: int) -> str:
    """Return the counts in words."""
    return f"{inserted} inserted, {updated} updated, {deleted} deleted"
