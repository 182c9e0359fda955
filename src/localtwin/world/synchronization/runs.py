"""Runs: at most one unfinished per iModel, each of them ending with a result.

Source: Synchronization API, "Run StorageConnection", "Get StorageConnection run".
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import insert, select, update

from localtwin.errors import Conflict, NotFound
from localtwin.ids import new_guid
from localtwin.world.clock import Clock, stamp
from localtwin.world.database import Database, next_seq
from localtwin.world.synchronization.connections import Connection, find_connection
from localtwin.world.synchronization.frozen_inputs import FrozenInputs, Order
from localtwin.world.synchronization.references import Reference, record, references_of
from localtwin.world.tables import connections, runs, sources, tasks

# The states in their order, and what a run is at: fetching files first, then reading them.
QUEUED = "Queued"
WAITING = "WaitingToExecute"
EXECUTING = "Executing"
FINALIZING = "Finalizing"
COMPLETED = "Completed"
UNDETERMINED = "Undetermined"
PREPROCESSOR = "Preprocessor"
MASTER_FILE = "MasterFile"


@dataclass(frozen=True, slots=True)
class Task:
    """One source file of a run; `content` names its frozen content in the run's folder."""

    id: str
    run_id: str
    position: int
    job_id: str
    connector_type: str
    file_id: str
    origin: str
    name: str
    action: str
    content: str | None
    url: str | None
    state: str
    result: str
    started: str | None
    ended: str | None
    error: dict[str, Any] | None
    report: str | None
    document: dict[str, Any] | None
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a connection."""

    id: str
    seq: int
    connection_id: str
    imodel_id: str
    started: str
    ended: str | None
    phase: str
    state: str
    result: str
    error: dict[str, Any] | None
    attempts: int
    tasks: tuple[Task, ...] = ()


@dataclass(frozen=True, slots=True)
class Started:
    """A new run was accepted."""

    run_id: str


@dataclass(frozen=True, slots=True)
class AlreadyActive:
    """The iModel has an active run already; nothing was started."""

    run_id: str
    connection_id: str
    kind: str


class Runs:
    """All runs; starting one freezes the content of its source files."""

    def __init__(self, database: Database, frozen_inputs: FrozenInputs, clock: Clock) -> None:
        self._database = database
        self._frozen_inputs = frozen_inputs
        self._clock = clock
        self._starting: set[str] = set()
        self._lock = threading.Lock()

    def start(
        self, kind: str, connection_id: str, orders: Sequence[Order] | None = None
    ) -> Started | AlreadyActive:
        """Start a run, or return the one that is already active.

        Without `orders` the connection's own Storage files are taken as they are now.
        Raises Conflict when another start for the same iModel is being processed.
        """
        with self._database.read() as transaction:
            connection = find_connection(transaction, kind, connection_id)
        with self._exclusive(connection.imodel_id), self._database.write() as transaction:
            active = _active(transaction, connection.imodel_id)
            if active is not None:
                return active
            return self._begin(transaction, connection, orders)

    def get(self, kind: str, connection_id: str, run_id: str) -> Run:
        """Return the run with its tasks; raises NotFound."""
        with self._database.read() as transaction:
            connection = find_connection(transaction, kind, connection_id)
            run = _find(transaction, run_id)
        if run is None or run.connection_id != connection.id:
            entity = f"{kind.capitalize()}ConnectionRun"
            raise NotFound(f"{entity}NotFound", f"Requested {entity} is not available.")
        return run

    def find(self, run_id: str) -> Run | None:
        """Return the run with its tasks, whatever its connection."""
        return find_run(self._database, run_id)

    def newest(self, imodel_id: str) -> Run | None:
        """Return the last run that was started for the iModel, without its tasks."""
        query = select(runs).where(runs.c.imodel_id == imodel_id).order_by(runs.c.seq.desc())
        row = self._database.one(query.limit(1))
        return None if row is None else Run(**row._mapping)

    def page(
        self, kind: str, connection_id: str, *, skip: int, top: int, newest_first: bool = False
    ) -> list[Run]:
        """Return one page of the connection's runs with their tasks, oldest first or newest."""
        order = runs.c.seq.desc() if newest_first else runs.c.seq
        with self._database.read() as transaction:
            connection = find_connection(transaction, kind, connection_id)
            query = select(runs).where(runs.c.connection_id == connection.id)
            page = transaction.execute(query.order_by(order).offset(skip).limit(top)).all()
            of_run = _tasks(transaction, [row.id for row in page])
        return [Run(**row._mapping, tasks=tuple(of_run.get(row.id, ()))) for row in page]

    def _begin(
        self, transaction: Transaction, connection: Connection, orders: Sequence[Order] | None
    ) -> Started:
        run_id, now = new_guid(), stamp(self._clock())
        row = {
            "id": run_id,
            "seq": next_seq(transaction, runs),
            "connection_id": connection.id,
            "imodel_id": connection.imodel_id,
            "started": now,
            "phase": PREPROCESSOR,
            "state": QUEUED,
            "result": UNDETERMINED,
            "attempts": 0,
        }
        transaction.execute(insert(runs).values(row))
        frozen = self._frozen_inputs.copy(transaction, run_id, connection, orders)
        origins = _origins(transaction, connection)
        jobs = {order.connector_type: new_guid() for order, _ in frozen}
        rows = [
            _task_row(run_id, position, jobs[order.connector_type], order, content)
            | {"origin": origins.get(order.file_id, order.file_id)}
            for position, (order, content) in enumerate(frozen)
        ]
        if rows:
            transaction.execute(insert(tasks), rows)
        for task, (order, _content) in zip(rows, frozen, strict=True):
            record(transaction, task["id"], str(task["position"]), order.children)
        transaction.execute(
            update(connections).where(connections.c.id == connection.id).values(last_run_id=run_id)
        )
        return Started(run_id)

    @contextmanager
    def _exclusive(self, imodel_id: str) -> Iterator[None]:
        with self._lock:
            if imodel_id in self._starting:
                raise Conflict(
                    "IModelAlreadyProcessingRequest",
                    "The iModel is already processing this request.",
                )
            self._starting.add(imodel_id)
        try:
            yield
        finally:
            with self._lock:
                self._starting.discard(imodel_id)


def unfinished(database: Database) -> list[str]:
    """Return the ids of the runs that have no result yet, oldest first."""
    query = select(runs.c.id).where(runs.c.state != COMPLETED).order_by(runs.c.seq)
    return [row.id for row in database.all(query)]


def find_run(database: Database, run_id: str) -> Run | None:
    """Return the run with its tasks, whatever its connection."""
    with database.read() as transaction:
        return _find(transaction, run_id)


def _find(transaction: Transaction, run_id: str) -> Run | None:
    row = transaction.execute(select(runs).where(runs.c.id == run_id.lower())).first()
    if row is None:
        return None
    of_run = _tasks(transaction, [row.id])
    return Run(**row._mapping, tasks=tuple(of_run.get(row.id, ())))


def _tasks(transaction: Transaction, run_ids: Sequence[str]) -> dict[str, list[Task]]:
    query = select(tasks).where(tasks.c.run_id.in_(run_ids))
    of_task_references = references_of(transaction, run_ids)
    found: dict[str, list[Task]] = {}
    for row in transaction.execute(query.order_by(tasks.c.run_id, tasks.c.position)):
        task = Task(**row._mapping, references=tuple(of_task_references.get(row.id, ())))
        found.setdefault(row.run_id, []).append(task)
    return found


def _active(transaction: Transaction, imodel_id: str) -> AlreadyActive | None:
    row = transaction.execute(
        select(runs.c.id, runs.c.connection_id, connections.c.kind)
        .join(connections, connections.c.id == runs.c.connection_id)
        .where(runs.c.imodel_id == imodel_id, runs.c.state != COMPLETED)
    ).first()
    return None if row is None else AlreadyActive(row.id, row.connection_id, row.kind)


def _origins(transaction: Transaction, connection: Connection) -> dict[str, str]:
    """Return the ids that the iModel knows the connection's files by."""
    query = select(sources.c.file_id, sources.c.origin)
    found = transaction.execute(query.where(sources.c.connection_id == connection.id))
    return {row.file_id: row.origin for row in found}


def _task_row(
    run_id: str, position: int, job_id: str, order: Order, content: str | None
) -> dict[str, Any]:
    return {
        "id": new_guid(),
        "run_id": run_id,
        "position": position,
        "job_id": job_id,
        "connector_type": order.connector_type,
        "file_id": order.file_id,
        "name": order.name,
        "action": order.action,
        "content": content,
        "url": order.url,
        "document": order.document,
        "state": QUEUED,
        "result": UNDETERMINED,
    }
