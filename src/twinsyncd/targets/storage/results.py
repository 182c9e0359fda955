"""Reads the result of a run and of each file in it.

Source: Synchronization API, "Get storage connection run": only the state Completed is final, the
outcome is in `result`; unknown states are not final, unknown results not a success.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...cloud.values import Run, Task
from ...core.commands import LookAtRun
from ...core.facts import RunSeen
from ...core.results import FileResult, Outcome
from ...redact import redact

_OUTCOMES: Final = {
    "Success": Outcome.SUCCEEDED,
    "Skipped": Outcome.SUCCEEDED,  # nothing had changed for it
    "PartialSuccess": Outcome.PARTIAL,
}
_WORDS: Final = {
    "Error": "the run failed",
    "PartialSuccess": "some files failed",
    "Cancelled": "the run was cancelled",
    "TimedOut": "the run took too long and was ended by the service",
}


def seen(command: LookAtRun, run: Run) -> RunSeen:
    """Return the state of a run at one look; files only once it has ended."""
    if run.state != "Completed":
        return RunSeen(command.connection, command.run, Outcome.ACTIVE)
    outcome = _OUTCOMES.get(run.result, Outcome.FAILED)
    return RunSeen(
        command.connection,
        command.run,
        outcome,
        message="" if outcome is Outcome.SUCCEEDED else _message(run),
        files=_file_results(run.tasks),
        unauthorised=run.error_key == "UserNotAuthenticated",
    )


def _message(run: Run) -> str:
    words = _WORDS.get(run.result, f"the run ended as {run.result or 'unknown'}")
    reason = run.error_text or run.error_key
    return redact(f"{words}: {reason}" if reason else words)


def _file_results(tasks: Iterable[Task]) -> tuple[FileResult, ...]:
    """Return one result per file; of several tasks for one file a failed one counts."""
    results: dict[str, FileResult] = {}
    for task in tasks:
        known = results.get(task.storage_id)
        if task.storage_id and (known is None or known.outcome is Outcome.SUCCEEDED):
            results[task.storage_id] = _file_result(task)
    return tuple(results.values())


def _file_result(task: Task) -> FileResult:
    """Return the file's result; a file that was processed only in part has failed."""
    good = task.state == "Completed" and _OUTCOMES.get(task.result) is Outcome.SUCCEEDED
    if good:
        return FileResult(task.storage_id, Outcome.SUCCEEDED)
    reason = task.message or f"the connector ended as {task.result or task.state or 'unknown'}"
    article = f" See {task.article}" if task.article.startswith("https://") else ""
    return FileResult(
        task.storage_id, Outcome.FAILED, redact(f"{reason}{article}"), task.can_user_fix
    )
