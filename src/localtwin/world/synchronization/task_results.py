"""Results of tasks and runs, and the errors of tasks as the Synchronization API shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from localtwin.imodel.report import Result, SourceError, SourceReport

SUCCESS: Final = "Success"
SKIPPED: Final = "Skipped"
ERROR: Final = "Error"
PARTIAL: Final = "PartialSuccess"
TIMED_OUT: Final = "TimedOut"


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


def failed_source(source_id: str, code: str, reason: str) -> SourceReport:
    """Return the report of a source that no worker has read."""
    advice = "Make the file available and start the run again."
    return _failed(source_id, ERROR, code, reason, advice)


def given_up(source_id: str, reason: str, *, timed_out: bool) -> SourceReport:
    """Return the report of a source whose reader crashed or took too long."""
    advice = "Open the file in the application that made it, check it and save it again."
    if timed_out:
        return _failed(source_id, TIMED_OUT, "ConnectorTimedOut", reason, advice)
    return _failed(source_id, ERROR, "ConnectorCrashed", reason, advice)


def _failed(source_id: str, result: Result, code: str, reason: str, advice: str) -> SourceReport:
    error = SourceError(code, reason, advice, category="source_file", can_user_fix=True)
    return SourceReport(source_id, result, error=error)


def task_error(
    *, code: str, message: str, description: str, category: str, can_user_fix: bool
) -> dict[str, Any]:
    """Return a task error as Get run shows it.

    Source: Synchronization API, "Get StorageConnection run", task.error.
    """
    return {
        "errorCode": code,
        "message": message,
        "details": "",
        "bridgeExitCode": None,
        "system": "localtwin",
        "phase": "connector",
        "category": category,
        "descriptionKey": code,
        "description": description,
        "kbArticleLink": "",
        "canUserFix": can_user_fix,
    }


@dataclass(frozen=True, slots=True)
class RunFailure:
    """Why a run failed as a whole: what happened, and what a person can do about it."""

    key: str
    message: str
    advice: str = ""
    can_user_fix: bool = False
    timed_out: bool = False

    def run_error(self) -> dict[str, str]:
        """Return run.error as Get run shows it."""
        return {"errorKey": self.key, "description": f"{self.message} {self.advice}".strip()}

    def error_of_tasks(self) -> dict[str, Any]:
        """Return task.error of the tasks that did not end before the run did."""
        return task_error(
            code=self.key,
            message=self.message,
            description=self.advice,
            category="other",
            can_user_fix=self.can_user_fix,
        )


def task_periods(
    first: datetime, last: datetime, durations_s: Sequence[float]
) -> list[tuple[datetime, datetime]]:
    """Return when each task began and ended: one after the other, the last one at `last`.

    No task begins before `first` or ends after `last`, whatever the clocks of the worker say.
    """
    start = max(first, last - timedelta(seconds=sum(durations_s)))
    periods = []
    for duration_s in durations_s:
        end = min(last, start + timedelta(seconds=duration_s))
        periods.append((start, end))
        start = end
    return periods


def counts(inserted: int, updated: int, deleted: int) -> str:
    """Return the counts in words."""
    return f"{inserted} inserted, {updated} updated, {deleted} deleted"


def report_text(source: SourceReport) -> str:
    """Return a task's report: the counts, then the remarks of the connector and the iModel."""
    related = (
        source.relationships_inserted,
        source.relationships_updated,
        source.relationships_deleted,
    )
    counted = counts(source.inserted, source.updated, source.deleted)
    if any(related):
        counted += f"; relationships: {counts(*related)}"
    return " ".join([f"{counted}.", *source.remarks]) if source.remarks else counted


def remarks_in(report: str) -> str:
    """Return the remarks of a report that report_text made, "" if it has none."""
    return report.partition(". ")[2]
