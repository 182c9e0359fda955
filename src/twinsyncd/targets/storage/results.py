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
from ...redact import redact_for_person
from .evidence import OF_RUN, Evidence, Reasons

NAMED_MAX: Final = 5  # failed files named in the message of a run

_OUTCOMES: Final = {
    "Success": Outcome.SUCCEEDED,
    "Skipped": Outcome.SUCCEEDED,  # of a run: nothing had changed in any of its files
    "PartialSuccess": Outcome.PARTIAL,
}
_FILE_OUTCOMES: Final = {
    "Success": Outcome.SUCCEEDED,
    "Skipped": Outcome.SKIPPED,
}
UNAUTHENTICATED: Final = "UserNotAuthenticated"
_AGREE: Final = "; its owner must agree to runs in their name (in the portal, or: twinsyncd login)"
_RUN_FIXES: Final[dict[bool | None, str]] = {
    True: " (can be corrected by a user)",
    False: " (the service reports that a user cannot correct this; contact its support)",
}
_WORDS: Final = {
    "Error": "the run failed",
    "PartialSuccess": "some files failed",
    "Cancelled": "the run was cancelled",
    "TimedOut": "the run took too long and was ended by the service",
}
_SKIPPED: Final = (
    "the service skipped the file, so it is not proven that its new content is in the iModel"
)
_RANK: Final = {Outcome.SUCCEEDED: 0, Outcome.SKIPPED: 1, Outcome.FAILED: 2}


def seen(command: LookAtRun, run: Run, evidence: Evidence) -> RunSeen:
    """Return the state of a run at one look; files only once it has ended."""
    if run.state != "Completed":
        return RunSeen(command.connection, command.run, Outcome.ACTIVE)
    outcome = _OUTCOMES.get(run.result, Outcome.FAILED)
    files = _file_results(run.tasks, evidence)
    return RunSeen(
        command.connection,
        command.run,
        outcome,
        message="" if outcome is Outcome.SUCCEEDED else _message(run, files, evidence),
        files=files,
        unauthorised=run.error_key == UNAUTHENTICATED,
    )


def _message(run: Run, files: Iterable[FileResult], evidence: Evidence) -> str:
    """Return why the run did not succeed as a whole; else which files failed, whosoever's."""
    words = _WORDS.get(run.result, f"the run ended as {run.result or 'unknown'}")
    reason = run.error_text or run.error_key or evidence.trouble or _failed_files(files)
    if run.error_key == UNAUTHENTICATED:
        can_be_fixed = _AGREE
    else:
        can_be_fixed = _RUN_FIXES.get(run.error_can_user_fix, "")
    text = f"{words}: {reason}{can_be_fixed}" if reason else f"{words}{can_be_fixed}"
    reported = _reported(evidence.reasons.get(OF_RUN), reason)
    return redact_for_person(f"{text}{_see(run.error_article)}{reported}")


def _failed_files(files: Iterable[FileResult]) -> str:
    failed = [each for each in files if each.outcome is Outcome.FAILED]
    named = [f"{each.name or each.storage_id} ({each.message})" for each in failed[:NAMED_MAX]]
    more = [f"{len(failed) - NAMED_MAX} more"] if len(failed) > NAMED_MAX else []
    return "; ".join(named + more)


def _file_results(tasks: Iterable[Task], evidence: Evidence) -> tuple[FileResult, ...]:
    """Return one result per file; of several tasks for one file the worst counts."""
    results: dict[str, FileResult] = {}
    for task in tasks:
        result = _file_result(task, evidence)
        known = results.get(task.storage_id)
        if task.storage_id and (known is None or _RANK[known.outcome] < _RANK[result.outcome]):
            results[task.storage_id] = result
    return tuple(results.values())


def _file_result(task: Task, evidence: Evidence) -> FileResult:
    """Return the file's result; a file that was processed only in part has failed."""
    is_final = task.state == "Completed"
    outcome = _FILE_OUTCOMES.get(task.result, Outcome.FAILED) if is_final else Outcome.FAILED
    changeset = evidence.changesets.get(task.id, "") if task.id else ""
    if outcome is Outcome.SUCCEEDED:
        return FileResult(task.storage_id, outcome, task=task.id, changeset=changeset)
    if outcome is Outcome.SKIPPED:
        return FileResult(task.storage_id, outcome, _SKIPPED, task=task.id, changeset=changeset)
    reason = task.message or f"the connector ended as {task.result or task.state or 'unknown'}"
    return FileResult(
        task.storage_id,
        outcome,
        redact_for_person(
            f"{reason}{_who_can_fix(task.can_user_fix)}{_see(task.article)}"
            f"{_reported(evidence.reasons.get(task.id), reason)}"
        ),
        user_must_act=task.can_user_fix is True,
        task=task.id,
        changeset=changeset,
        name=evidence.names.get(task.storage_id, ""),
    )


def _reported(report: Reasons | None, reason: str) -> str:
    """Return what a diagnostic report has to add, and where all of it is."""
    if report is None:
        return ""
    added = [each for each in report.stated if each not in reason]
    return f"; {'; '.join([*added, f'report: {report.file}'])}"


def _who_can_fix(can_user_fix: bool | None) -> str:
    if can_user_fix is None:
        return ""
    if can_user_fix:
        return " (can be corrected in the file)"
    return " (the service reports that a user cannot correct this; contact its support)"


def _see(article: str) -> str:
    return f" See {article}" if article.startswith("https://") else ""
