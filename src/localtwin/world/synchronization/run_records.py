"""Records the progress of runs: states, results and changesets, one transaction each.

Source: Synchronization API, "Get StorageConnection run"; iModels API, "Changeset".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete, func, insert, select, update

from localtwin.imodel.report import ChangesetReport, JobReport, Result, SourceReport
from localtwin.world.access.authorizations import expire_owner, may_run
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database
from localtwin.world.imodels.imodels import (
    Changeset,
    find_imodel,
    last_changeset,
    locate_imodel,
)
from localtwin.world.synchronization.configurations import changed_settings
from localtwin.world.synchronization.references import delete_urls, note_problems
from localtwin.world.synchronization.runs import (
    COMPLETED,
    EXECUTING,
    FINALIZING,
    MASTER_FILE,
    WAITING,
    Run,
    Task,
)
from localtwin.world.synchronization.task_results import (
    ERROR,
    SKIPPED,
    SUCCESS,
    TIMED_OUT,
    RunFailure,
    counts,
    outcome,
    report_text,
    task_error,
    task_periods,
)
from localtwin.world.tables import changesets, connections, runs, tasks

_DESCRIPTION_MAX = 255


class RunRecords:
    """Moves runs from one state to the next.

    `on_end` gets the id of each run that ended, `on_push` each changeset; after the commit.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        on_end: Callable[[str], object] = str,
        on_push: Callable[[Changeset], object] = repr,
    ) -> None:
        self._on_push = on_push
        self._database = database
        self._clock = clock
        self._on_end = on_end

    def parent(self, imodel_id: str) -> str:
        """Return the id of the iModel's newest recorded changeset, "" if there is none."""
        with self._database.read() as transaction:
            last = last_changeset(transaction, imodel_id)
        return "" if last is None else last.id

    def may_act(self, run: Run) -> bool:
        """Return whether the run's user has authorised runs, or it needs no user."""
        with self._database.read() as transaction:
            return may_run(transaction, run.connection_id, self._clock())

    def expire_authorization(self, run: Run) -> None:
        """Let the authorization of the user that the run acts for expire."""
        with self._database.write() as transaction:
            expire_owner(transaction, run.connection_id)

    def begin(self, run_id: str) -> None:
        """Record that the run begins, for the first time or again."""
        attempts = {"attempts": runs.c.attempts + 1}
        with self._database.write() as transaction:
            _move(transaction, run_id, WAITING, of_run=attempts)

    def executing(self, run_id: str) -> None:
        """Record that a worker has the run's files."""
        now = stamp(self._clock())
        with self._database.write() as transaction:
            _move(
                transaction,
                run_id,
                EXECUTING,
                of_run={"phase": MASTER_FILE},
                of_tasks={"started": func.coalesce(tasks.c.started, now)},
            )

    def finalizing(self, run_id: str) -> None:
        """Record that the worker has answered."""
        with self._database.write() as transaction:
            _move(transaction, run_id, FINALIZING)

    def record_missing_references(self, problems: Mapping[tuple[str, int], str]) -> None:
        """Record why reference files could not be fetched, by task and position."""
        with self._database.write() as transaction:
            note_problems(transaction, problems)

    def end(
        self,
        run: Run,
        report: JobReport,
        earlier: tuple[Run, JobReport] | None = None,
        *,
        unchanged: Result = SUCCESS,
    ) -> None:
        """Record what the worker reported, and the changesets if there are any.

        `earlier` is a run that failed after its changesets were written, which comes first.
        `unchanged` is the result of a file that had not changed.
        """
        done = _matched(run, report)
        now = self._clock()
        with self._database.write() as transaction:
            pushed = [] if earlier is None else self._push(transaction, *earlier)
            began = datetime.fromisoformat(_reading_since(transaction, run.id) or stamp(now))
            periods = task_periods(began, now, [result.duration_s for _, result in done])
            remarks = _remarks(changed_settings(transaction, run.connection_id))
            for (task, result), period in zip(done, periods, strict=True):
                source = replace(result, remarks=(*result.remarks, *remarks))
                _end_task(transaction, task.id, source, period, unchanged=unchanged)
            pushed += self._push(transaction, run, report)
            systems = (result.coordinate_system for _, result in done)
            locate_imodel(transaction, run.imodel_id, next(filter(None, systems), ""))
            _end_run(transaction, run.id, outcome(r.result for _, r in done), None, stamp(now))
        for changeset in pushed:
            self._on_push(changeset)
        self._on_end(run.id)

    def drop_tasks(self, run_id: str) -> None:
        """Let the run be one that never came to have tasks."""
        with self._database.write() as transaction:
            transaction.execute(delete(tasks).where(tasks.c.run_id == run_id))

    def fail(self, run_id: str, failure: RunFailure) -> None:
        """Record that the run as a whole failed; its unfinished tasks fail with it."""
        result = TIMED_OUT if failure.timed_out else ERROR
        error = failure.error_of_tasks()
        now = stamp(self._clock())
        with self._database.write() as transaction:
            transaction.execute(
                update(tasks)
                .where(tasks.c.run_id == run_id, tasks.c.state != COMPLETED)
                .values(state=COMPLETED, result=result, error=error, ended=now, url=None)
            )
            _end_run(transaction, run_id, result, failure.run_error(), now)
        self._on_end(run_id)

    def _push(self, transaction: Transaction, run: Run, report: JobReport) -> list[Changeset]:
        """Record the changesets of the report; returns those that were not recorded before."""
        last = last_changeset(transaction, run.imodel_id)
        if not report.changesets or (last is not None and last.id == report.changesets[-1].id):
            return []
        name = transaction.execute(
            select(connections.c.display_name).where(connections.c.id == run.connection_id)
        ).scalar()
        creator = find_imodel(transaction, run.imodel_id).creator
        recorded: list[Changeset] = []
        for index, changeset in enumerate(report.changesets, 1 if last is None else last.index + 1):
            changed = _tasks_of(run, report, changeset)
            summary = counts(changeset.inserted, changeset.updated, changeset.deleted)
            recorded.append(
                Changeset(
                    imodel_id=run.imodel_id,
                    index=index,
                    id=changeset.id,
                    parent_id=changeset.parent_id,
                    description=f"{name or 'Synchronization'} - {summary}"[:_DESCRIPTION_MAX],
                    creator=creator,
                    pushed=stamp(self._clock()),
                    containing_changes=changeset.containing_changes,
                    size_bytes=changeset.size_bytes,
                    run_id=run.id,
                    task_id=changed[0].id if changed else None,
                    changed_files=[task.name for task in changed],
                    inserted=changeset.inserted,
                    updated=changeset.updated,
                    deleted=changeset.deleted,
                )
            )
        transaction.execute(insert(changesets), [asdict(each) for each in recorded])
        return recorded


def _move(
    transaction: Transaction,
    run_id: str,
    state: str,
    *,
    of_run: Mapping[str, Any] | None = None,
    of_tasks: Mapping[str, Any] | None = None,
) -> None:
    here = (runs.c.id == run_id) & (runs.c.state != COMPLETED)
    transaction.execute(update(runs).where(here).values({"state": state, **(of_run or {})}))
    open_ones = (tasks.c.run_id == run_id) & (tasks.c.state != COMPLETED)
    changed = {"state": state, **(of_tasks or {})}
    transaction.execute(update(tasks).where(open_ones).values(changed))


def _tasks_of(run: Run, report: JobReport, changeset: ChangesetReport) -> list[Task]:
    """Return the task of the changeset's file; all that succeeded where it does not name one."""
    return [
        task
        for task, result in _matched(run, report)
        if task.origin == changeset.source_id
        or (not changeset.source_id and result.result == SUCCESS)
    ]


def _matched(run: Run, report: JobReport) -> list[tuple[Task, SourceReport]]:
    results = {source.source_id: source for source in report.sources}
    return [(task, results[task.origin]) for task in run.tasks]


def _reading_since(transaction: Transaction, run_id: str) -> str | None:
    """Return when the worker was given the run's files."""
    started = select(func.min(tasks.c.started)).where(tasks.c.run_id == run_id)
    found: str | None = transaction.execute(started).scalar()
    return found


def _remarks(settings: list[str]) -> list[str]:
    """Return what a report says of settings that no connector here carries out."""
    if not settings:
        return []
    return [f"Set, but without effect in localtwin: {', '.join(settings)}."]


def _end_task(
    transaction: Transaction,
    task_id: str,
    source: SourceReport,
    period: tuple[datetime, datetime],
    *,
    unchanged: Result,
) -> None:
    report = "No changes" if source.result == SKIPPED else report_text(source)
    error = None if source.error is None else task_error(**asdict(source.error))
    transaction.execute(
        update(tasks)
        .where(tasks.c.id == task_id)
        .values(
            state=COMPLETED,
            result=unchanged if source.result == SKIPPED else source.result,
            error=error,
            report=None if error else report,
            url=None,
            started=stamp(period[0]),
            ended=stamp(period[1]),
        )
    )


def _end_run(
    transaction: Transaction, run_id: str, result: str, error: dict[str, str] | None, now: str
) -> None:
    transaction.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.state != COMPLETED)
        .values(state=COMPLETED, result=result, error=error, ended=now)
    )
    delete_urls(transaction, run_id)
