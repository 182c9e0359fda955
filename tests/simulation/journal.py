# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The journal's rules in memory: all of a decision or nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from twinsyncd.core.decision import Decision, SavedState
from twinsyncd.core.events import Event
from twinsyncd.core.model import (
    IN_DOUBT,
    ConnectionRow,
    FileKey,
    FileRow,
    LaneRow,
    Need,
    SourceKey,
    SourceRow,
    StorageId,
    need,
)
from twinsyncd.core.results import Outcome, RunFile, RunRecord
from twinsyncd.core.waits import RUNS_KEPT


@dataclass
class VirtualJournal:
    """FileRows as the journal keeps them."""

    files: dict[FileKey, FileRow] = field(default_factory=dict)
    lanes: dict[str, LaneRow] = field(default_factory=dict)
    connections: dict[str, ConnectionRow] = field(default_factory=dict)
    sources: dict[str, SourceRow] = field(default_factory=dict)
    history: list[RunRecord] = field(default_factory=list)
    run_files: list[RunFile] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def saved_state(self) -> SavedState:
        """Return what a machine takes up at start-up."""
        lengths_s: dict[str, list[float]] = {}
        for run in self.history:
            if run.outcome is not Outcome.FAILED:
                lengths_s.setdefault(run.connection, []).append(run.ended_s - run.started_s)
        newest = {key: known[-RUNS_KEPT:] for key, known in lengths_s.items()}
        return SavedState(dict(self.lanes), dict(self.connections), dict(self.sources), newest)

    def get(self, key: FileKey) -> FileRow | None:
        return self.files.get(key)

    def get_many(self, source: SourceKey, paths: Sequence[str]) -> dict[str, FileRow]:
        keys = (FileKey(source, path) for path in paths)
        return {key.path: self.files[key] for key in keys if key in self.files}

    def active(self, sources: Iterable[SourceKey]) -> Iterable[FileRow]:
        wanted = set(sources)
        for row in list(self.files.values()):
            live = need(row) is not Need.NOTHING or row.covered or row.stored == IN_DOUBT
            if live and row.key.source in wanted:
                yield row

    def hashed_before(
        self, sources: Iterable[SourceKey], before_s: float, limit: int
    ) -> list[FileRow]:
        rows = [row for row in self.every(sources) if row.seen and not row.unread]
        due = sorted((row for row in rows if row.hashed_s < before_s), key=lambda r: r.hashed_s)
        return due[:limit]

    def having(
        self, sources: Iterable[SourceKey], storage_ids: Sequence[StorageId]
    ) -> list[FileRow]:
        return [row for row in self.every(sources) if row.storage_id in storage_ids]

    def with_content(self, sources: Iterable[SourceKey], digests: Collection[str]) -> list[FileRow]:
        return [row for row in self.every(sources) if row.stored in digests]

    def with_file_id(
        self, sources: Iterable[SourceKey], file_ids: Collection[int]
    ) -> list[FileRow]:
        rows = [(row, row.fingerprint) for row in self.every(sources)]
        return [row for row, look in rows if look is not None and look.file_id in file_ids]

    def every(self, sources: Iterable[SourceKey]) -> Iterable[FileRow]:
        wanted = set(sources)
        return [row for row in self.files.values() if row.key.source in wanted]

    def copy(self) -> VirtualJournal:
        """Return a copy as a backup holds it."""
        return VirtualJournal(
            dict(self.files),
            dict(self.lanes),
            dict(self.connections),
            dict(self.sources),
            list(self.history),
            list(self.run_files),
            list(self.events),
        )

    def put_back(self, backup: VirtualJournal) -> None:
        """Hold what the backup holds."""
        vars(self).update(vars(backup.copy()))

    def commit(self, decision: Decision) -> None:
        for row in decision.files:
            self.files[row.key] = row
        for lane in decision.lanes:
            self.lanes[lane.key] = lane
        for connection in decision.connections:
            self.connections[connection.key] = connection
        for source in decision.sources:
            self.sources[source.key] = source
        self.history += decision.history
        self.run_files += decision.run_files
        self.events += decision.events
