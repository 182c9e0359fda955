"""The one writer: all rows of a decision in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, insert

from ..core.decision import Decision
from ..core.events import Event
from ..core.model import FileKey, FileRow, LaneKey, SourceKey
from ..core.progress import Heartbeat
from ..core.results import RunFile, RunRecord
from . import heartbeat, requests, tables
from .backup import put_back
from .bulk_files import BulkFiles
from .database import make_folder
from .delivered import DeliveredRecords
from .drawing_references import ReferenceStore
from .export_rows import ExportRows
from .file_changes import FileChanges
from .leases import Member, fence
from .new_folders import NewFolders
from .notices import Alert, Notice, NoticeState, read_notices, save_notices
from .outlets import Outlet, keep_outlets, write_outlet
from .reader import JournalReader
from .requests import Request
from .retention import Retention
from .row_cache import RowCache
from .rows import from_file
from .server import hurry_calls
from .transactions import for_writing
from .upserts import upsert

LanesOf = Callable[[Decision], Collection[LaneKey]]


def _no_lanes(_decision: Decision) -> Collection[LaneKey]:
    return ()


class Journal(JournalReader):
    """Reads and writes the rows of the machine.

    `get`, `get_many` and all writing belong to one thread.
    """

    def __init__(
        self, engine: Engine, member: Member | None = None, lanes_of: LanesOf = _no_lanes
    ) -> None:
        """`engine` comes from `open_database`; it is disposed of by `close`.

        `member`: this process among several, which commits only what is about iModels that it
        serves: `lanes_of` returns those of a decision.
        """
        super().__init__(engine)
        self._member, self._lanes_of = member, lanes_of
        self._machine = member.machine if member else ""
        self._of_machine = f" of {self._machine}" if member else ""
        self._writer = for_writing(engine).connect()
        self._cache = RowCache()
        self._retention = Retention()
        self._changes = FileChanges()
        self._changes.remember(self.last_folders())
        self._upserts = {
            table: upsert(engine, table)
            for table in (tables.files, tables.lanes, tables.connections, tables.sources)
        }

    def close(self) -> None:
        """Close the database."""
        self._writer.close()
        self._engine.dispose()

    def hurry(self) -> None:
        """Let calls that are under way end soon, whatever the network does; from any thread."""
        if self._engine.dialect.name == "postgresql":
            hurry_calls()

    def put_back(self, file: Path) -> None:
        """Write the whole journal to its place again, if it was deleted. Raises JournalError."""
        make_folder(file.parent)
        opened = self._writer.connection.driver_connection
        assert isinstance(opened, sqlite3.Connection), "a journal on a server has no file"
        put_back(opened, file)

    def get(self, key: FileKey) -> FileRow | None:
        """Return the remembered row, or None."""
        if key not in self._cache:
            self._cache.found(key, super().get(key))
        return self._cache.get(key)

    def get_many(self, source: SourceKey, paths: Sequence[str]) -> dict[str, FileRow]:
        """Return the remembered rows among these paths of a source."""
        rows = super().get_many(source, paths)
        for path in paths:
            self._cache.found(FileKey(source, path), rows.get(path))
        return rows

    def commit(self, decision: Decision, taken: Sequence[int] = (), now_s: float = 0.0) -> None:
        """Make all rows of the decision durable, or none; with them the requests that led to it.

        `taken` are the numbers of the requests handled, at `now_s` (wall clock [s]).
        """
        try:
            self._write(decision, taken, now_s)
        finally:  # even a commit that failed may have reached the disk
            self._changes.note(decision.files)
        self._cache.written(decision.files)

    def changes(self) -> float:
        """Return how many commits have changed remembered files so far; from any thread."""
        return self._changes.count

    def changed_at(self, source: SourceKey, folder: str) -> float:
        """Return the number of the newest change of a file directly in the folder."""
        return self._changes.newest(source, folder)

    def changed_in(self, source: SourceKey) -> float:
        """Return the number of the newest change of any file of the source."""
        return self._changes.newest_of_source(source)

    def recent_folders(self, source: SourceKey) -> list[str]:
        """Return folders in which files of the source changed last, the newest first.

        At most RECENT; from any thread.
        """
        return self._changes.recent(source)

    def _write(self, decision: Decision, taken: Sequence[int], now_s: float) -> None:
        with self._writer.begin():
            if self._member is not None:
                fence(self._writer, self._member, self._lanes_of(decision))
            if taken:
                requests.mark_handled(self._writer, taken, None if self._member else now_s)
            self._put(tables.files, [from_file(row) for row in decision.files])
            self._put(tables.lanes, [asdict(row) for row in decision.lanes])
            self._put(tables.connections, [asdict(row) for row in decision.connections])
            self._put(tables.sources, [asdict(row) for row in decision.sources])
            self._append(tables.runs, decision.history)
            self._append(tables.run_files, decision.run_files)
            self._append(tables.events, decision.events)
            self._retention.apply(self._writer, len(decision.events), now_s)

    def delivered_records(self) -> DeliveredRecords:
        """Return what bulk connections took; unlike the rest, for any thread."""
        return DeliveredRecords(self._engine)

    def bulk_files(self) -> BulkFiles:
        """Return which export files wait for something; for any thread."""
        return BulkFiles(self._engine)

    def export_rows(self) -> ExportRows:
        """Return which rows export files have; for any thread."""
        return ExportRows(self._engine)

    def references(self) -> ReferenceStore:
        """Return what design files name; for any thread."""
        return ReferenceStore(self._engine)

    def new_folders(self) -> NewFolders:
        """Return which folders of Storage were asked for lately; for any thread."""
        return NewFolders(self._engine)

    def register(self, version: str, now_s: float, on_upgrade: Request | None = None) -> None:
        """Say that this process keeps the journal now; ask `on_upgrade` if another version did."""
        heartbeat.register(self._engine, version, now_s, on_upgrade, self._machine)

    def beat(self, now_s: float, beat: Heartbeat) -> None:
        """Write the heartbeat."""
        heartbeat.write(self._engine, now_s, beat, self._machine)

    def open_requests(self) -> list[Request]:
        """Return the requests of people that are not handled yet."""
        return requests.open_requests(self._engine, self._member)

    def leave_request(self, request: Request, now_s: float, lane: LaneKey | None = None) -> None:
        """Add a request, about an iModel or all, to those not handled yet; for any thread."""
        requests.ask(self._engine, request, now_s, lane)

    def write_outlet(self, outlet: Outlet) -> None:
        """Remember whether people are reached by it; for any thread."""
        write_outlet(self._engine, replace(outlet, name=outlet.name + self._of_machine))

    def keep_outlets(self, names: Collection[str]) -> None:
        """Forget the outlets that are not configured any more."""
        keep_outlets(self._engine, [name + self._of_machine for name in names], self._of_machine)

    def read_notices(self) -> NoticeState:
        """Return what people were notified of; for any thread."""
        return read_notices(self._engine)

    def save_notices(
        self, alerts: Iterable[Alert], changed: Iterable[Notice], now_s: float
    ) -> None:
        """Remember all alerts, and these messages; for any thread."""
        save_notices(self._engine, alerts, changed, now_s)

    def _append(self, table: Table, records: Sequence[RunRecord | RunFile | Event]) -> None:
        if records:
            columns = [column.name for column in table.columns if column.name != "id"]
            rows = [{name: getattr(record, name) for name in columns} for record in records]
            self._writer.execute(insert(table), rows)

    def _put(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._writer.execute(self._upserts[table], rows)
