"""Executes runs in threads of its own, each with a worker process.

Threads, because a run must delay neither requests nor the run of another iModel. A run that was
unfinished when the server died is started again from the database.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, replace

from localtwin.errors import JobFailed
from localtwin.faults import Fault, Faults
from localtwin.imodel.report import JobOrder, JobReport, Result, SourceOrder, SourceReport
from localtwin.world.access.authorizations import USER_NOT_AUTHENTICATED
from localtwin.world.database import Database
from localtwin.world.imodels.imodels import IModels
from localtwin.world.synchronization.downloads import fetch_all
from localtwin.world.synchronization.frozen_inputs import FrozenInputs
from localtwin.world.synchronization.run_records import RunRecords
from localtwin.world.synchronization.runs import COMPLETED, Run, Task, find_run, unfinished
from localtwin.world.synchronization.task_results import (
    SKIPPED,
    SUCCESS,
    RunFailure,
    failed_source,
    given_up,
)
from localtwin.world.synchronization.worker.messages import (
    WorkerAnswer,
    WorkerOrder,
    changeset_folder,
)
from localtwin.world.synchronization.worker.process import WorkerProcess

log = logging.getLogger(__name__)

# A run that ended the whole server this often would do it again.
_ATTEMPTS = 3
# In a run's folder: the file the worker is reading.
_AT_WORK = "at-work"
_NOT_AUTHENTICATED = RunFailure(
    USER_NOT_AUTHENTICATED,
    "The user this connection acts for has not signed in to synchronization, or too long ago.",
    "Open the authorizationUrl of the authorization information, or let the connection act for "
    "a service with the authenticationType Service.",
    can_user_fix=True,
)
_ORCHESTRATION = "RunOrchestrationError"
_INJECTED = RunFailure(_ORCHESTRATION, "failed-run is switched on.", "Switch it off.")
_TOO_LONG = RunFailure("RunTimedOut", "The run took too long.", timed_out=True)
# How soon a stuck run notices that its switch was turned off.
_STUCK_S = 0.2


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one run; `delay_s` is the least time that a run takes.

    `fetch_s` limits the download of each file, `file_s` the reading of each file.
    """

    workers: int = 2
    run_s: float = 3600.0
    fetch_s: float = 600.0
    file_s: float = 1800.0
    delay_s: float = 0.0
    memory_bytes: int | None = None
    module: str = "localtwin.world.synchronization.worker.job"


class RunExecutor:
    """A few threads that take runs from a queue."""

    def __init__(
        self,
        database: Database,
        imodels: IModels,
        frozen_inputs: FrozenInputs,
        run_records: RunRecords,
        *,
        faults: Faults,
        limits: Limits,
    ) -> None:
        self._database = database
        self._imodels = imodels
        self._frozen_inputs = frozen_inputs
        self._run_records = run_records
        self._faults = faults
        self._limits = limits
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._stopping = threading.Event()
        self._processes = [
            WorkerProcess(limits.module, memory_bytes=limits.memory_bytes)
            for _ in range(limits.workers)
        ]
        # The one used last is used first, so that a single run at a time finds it warm.
        self._idle: queue.LifoQueue[WorkerProcess] = queue.LifoQueue()
        for process in reversed(self._processes):
            self._idle.put(process)
        self._threads: list[threading.Thread] = []

    def start(self, *, warm: bool = False) -> None:
        """Start the threads and the unfinished runs; `warm` loads one worker in advance."""
        for run_id in unfinished(self._database):
            self._queue.put(run_id)
        for _ in self._processes:
            thread = threading.Thread(target=self._serve, daemon=True)
            thread.start()
            self._threads.append(thread)
        if warm:
            self._processes[0].warm()

    def submit(self, run_id: str) -> None:
        """Execute the run; returns at once."""
        self._queue.put(run_id)

    def drain(self) -> None:
        """Wait until every submitted run has ended."""
        self._queue.join()

    def stop(self) -> None:
        """Stop the threads; a run in progress begins again at the next start."""
        self._stopping.set()
        for process in self._processes:
            process.stop()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def order(self, run: Run, without: Collection[str] = ()) -> WorkerOrder:
        """Return what a worker has to do for the run, leaving out sources by their ids."""
        imodel = self._imodels.file(run.imodel_id)
        sources = [self._source(run, task) for task in run.tasks if task.origin not in without]
        job = JobOrder(
            imodel_file=imodel,
            changesets=changeset_folder(imodel),
            sources=tuple(sources),
            at_work=self._frozen_inputs.folder(run.id) / _AT_WORK,
            coordinate_system=self._imodels.horizontal_system(run.imodel_id),
        )
        return WorkerOrder(run.id, self._run_records.parent(run.imodel_id), job)

    def _serve(self) -> None:
        while (run_id := self._queue.get()) is not None and not self._stopping.is_set():
            process = self._idle.get()
            try:
                self._execute(run_id, process)
            except Exception:
                log.exception("run.broken run_id=%s", run_id)
                self._run_records.fail(run_id, RunFailure(_ORCHESTRATION, "Internal error."))
            finally:
                self._idle.put(process)
                self._queue.task_done()

    def _execute(self, run_id: str, process: WorkerProcess) -> None:
        run = find_run(self._database, run_id)
        if run is None or run.state == COMPLETED:
            return
        if run.attempts >= _ATTEMPTS:
            self._fail(run_id, RunFailure(_ORCHESTRATION, "The server died in every attempt."))
            return
        self._run_records.begin(run_id)
        if self._faults.take(Fault.EXPIRED_AUTHORIZATION):
            self._run_records.expire_authorization(run)
        if self._faults.take(Fault.UNAUTHENTICATED_RUN) or not self._run_records.may_act(run):
            self._fail(run_id, _NOT_AUTHENTICATED)
            return
        if self._faults.take(Fault.FAILED_RUN):
            self._run_records.drop_tasks(run_id)
            self._fail(run_id, _INJECTED)
            return
        if not self._frozen_inputs.restore(run_id):
            return
        failed = self._fetch(run) | self._failed_by_fault(run)
        self._run_records.executing(run_id)
        if not self._wait_as_configured(run_id):
            return
        answer = self._ask_worker(run, process, failed)
        if answer is None:
            return
        self._run_records.finalizing(run_id)
        report = replace(answer.report, sources=(*answer.report.sources, *failed.values()))
        unchanged: Result = SKIPPED if self._faults.take(Fault.SKIPPED_FILE) else SUCCESS
        self._run_records.end(run, report, self._earlier(answer), unchanged=unchanged)
        self._frozen_inputs.drop(run_id)

    def _ask_worker(
        self, run: Run, process: WorkerProcess, failed: dict[str, SourceReport]
    ) -> WorkerAnswer | None:
        """Return the worker's answer, None when the run has failed as a whole.

        A file that crashes the worker, or takes too long, is added to `failed`; another worker then
        reads the other files.
        """
        end = time.monotonic() + self._limits.run_s
        while True:
            try:
                order = self.order(run, without=failed.keys())
                left_s = end - time.monotonic()
                return process.run(order, limit_s=left_s, file_s=self._limits.file_s)
            except JobFailed as failure:
                if self._stopping.is_set():
                    return None
                guilty = self._guilty(run, failure) if time.monotonic() < end else None
                if guilty is None or guilty in failed:
                    key = "RunTimedOut" if failure.timed_out else _ORCHESTRATION
                    late = failure.timed_out
                    self._fail(run.id, RunFailure(key, failure.reason, timed_out=late))
                    return None
                failed[guilty] = given_up(guilty, failure.reason, timed_out=failure.timed_out)

    def _guilty(self, run: Run, failure: JobFailed) -> str | None:
        """Return the source that the worker was reading when it ended."""
        note = self._frozen_inputs.folder(run.id) / _AT_WORK
        if not (failure.crashed or failure.timed_out) or not note.exists():
            return None
        origin = note.read_text("utf-8")
        note.unlink()
        return origin

    def _wait_as_configured(self, run_id: str) -> bool:
        """Wait as long as limits and faults demand; returns whether the run goes on."""
        slow = self._faults.take(Fault.SLOW_RUN)
        end = time.monotonic() + self._limits.run_s
        stopped = self._stopping.wait(self._limits.delay_s + (slow.value if slow else 0.0))
        while not stopped and self._faults.take(Fault.STUCK_RUN):
            if time.monotonic() > end:
                self._fail(run_id, _TOO_LONG)
                return False
            stopped = self._stopping.wait(_STUCK_S)
        return not stopped

    def _fail(self, run_id: str, failure: RunFailure) -> None:
        self._run_records.fail(run_id, failure)
        self._frozen_inputs.drop(run_id)

    def _failed_by_fault(self, run: Run) -> dict[str, SourceReport]:
        """Return the report of the file that fails because a fault is switched on."""
        if not run.tasks or not self._faults.take(Fault.FAILED_FILE):
            return {}
        first = run.tasks[0].origin
        return {first: failed_source(first, "InjectedFault", "failed-file is switched on.")}

    def _fetch(self, run: Run) -> dict[str, SourceReport]:
        """Fetch what is named by URL; returns the reports of the files that could not be fetched.

        A missing reference file is recorded; the source file is read without it.
        """
        folder = self._frozen_inputs.folder(run.id)
        source_files = [
            (task, task.url, folder / str(task.content))
            for task in run.tasks
            if task.url is not None and not (folder / str(task.content)).exists()
        ]
        references = [
            (each, each.url, folder / each.content)
            for task in run.tasks
            for each in task.references
            if each.url is not None and not (folder / each.content).exists()
        ]
        wanted = [(url, target) for _, url, target in (*source_files, *references)]
        reasons = fetch_all(wanted, limit_s=self._limits.fetch_s)
        problems = zip(references, reasons[len(source_files) :], strict=True)
        self._run_records.record_missing_references(
            {(each.task_id, each.position): why for (each, _, _), why in problems if why}
        )
        return {
            task.origin: failed_source(task.origin, "FileNotAvailable", why)
            for (task, _, _), why in zip(source_files, reasons[: len(source_files)], strict=True)
            if why is not None
        }

    def _earlier(self, answer: WorkerAnswer) -> tuple[Run, JobReport] | None:
        """Return the run that failed after its changeset was written, with its report."""
        if answer.earlier is None:
            return None
        run = find_run(self._database, answer.earlier_run_id)
        return None if run is None else (run, answer.earlier)

    def _source(self, run: Run, task: Task) -> SourceOrder:
        # A file that was deleted has no content; the connector reports it as unreadable.
        content = task.content or f"missing-{task.position}"
        folder = self._frozen_inputs.folder(run.id)
        return SourceOrder(
            source_id=task.origin,
            name=task.name,
            file=folder / content,
            connector_type=task.connector_type,
            action=task.action,
            references=tuple(folder / each.content for each in task.references),
        )
