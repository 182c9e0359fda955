"""What the machine reads from the journal at start, and what it wants committed and done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from . import commands
from .events import Event
from .model import (
    ConnectionKey,
    ConnectionRow,
    Digest,
    FileKey,
    FileRow,
    LaneKey,
    LaneRow,
    SourceKey,
    SourceRow,
    StorageId,
)
from .results import RunFile, RunRecord, SlowRun


@dataclass(frozen=True, slots=True)
class Decision:
    """The rows to commit in one transaction, and the commands to begin after that."""

    files: tuple[FileRow, ...] = ()
    lanes: tuple[LaneRow, ...] = ()
    connections: tuple[ConnectionRow, ...] = ()
    sources: tuple[SourceRow, ...] = ()
    history: tuple[RunRecord, ...] = ()
    run_files: tuple[RunFile, ...] = ()  # of the runs in `history`
    events: tuple[Event, ...] = ()
    commands: tuple[commands.Command, ...] = ()
    slow: tuple[SlowRun, ...] = ()  # to be reported, and not kept

    @property
    def is_durable(self) -> bool:
        """Return whether there is anything to commit."""
        rows = self.files or self.lanes or self.connections or self.sources
        return bool(rows or self.history or self.run_files or self.events)


@dataclass(frozen=True, slots=True)
class SavedState:
    """What the journal held at start-up, without the file rows, which are read when needed."""

    lanes: Mapping[LaneKey, LaneRow]
    connections: Mapping[ConnectionKey, ConnectionRow]
    sources: Mapping[SourceKey, SourceRow]
    lengths_s: Mapping[ConnectionKey, Sequence[float]] = field(default_factory=dict)
    """By connection, how long its newest good runs took, oldest first."""


class FileRows(Protocol):
    """Reads file rows from the journal; it lacks only what the current decision changes."""

    def get(self, key: FileKey) -> FileRow | None:
        """Return the remembered row, or None."""

    def get_many(self, source: SourceKey, paths: Sequence[str]) -> Mapping[str, FileRow]:
        """Return the remembered rows among these paths of a source."""

    def active(self, sources: Iterable[SourceKey]) -> Iterable[FileRow]:
        """Yield the rows of these sources with work left, in doubt, or covered by a run."""

    def hashed_before(
        self, sources: Iterable[SourceKey], before_s: float, limit: int
    ) -> Iterable[FileRow]:
        """Return files last read before that wall-clock time [s], longest ago first."""

    def having(
        self, sources: Iterable[SourceKey], storage_ids: Sequence[StorageId]
    ) -> Iterable[FileRow]:
        """Yield the rows of these sources that have one of these ids in Storage."""

    def with_content(
        self, sources: Iterable[SourceKey], digests: Collection[Digest]
    ) -> Iterable[FileRow]:
        """Yield the rows of these sources whose file in Storage has one of these contents."""

    def with_file_id(
        self, sources: Iterable[SourceKey], file_ids: Collection[int]
    ) -> Iterable[FileRow]:
        """Yield the rows of these sources that were one of these files when last read."""

    def every(self, sources: Iterable[SourceKey]) -> Iterable[FileRow]:
        """Yield all remembered rows of these sources; only for rare, large changes."""
