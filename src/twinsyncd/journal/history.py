"""Reads the events of the journal: what happened to a file, a run or a source, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import or_, select

from ..core.events import Event, EventKind
from ..core.model import FileKey, FileRow, SourceKey, StorageId
from ..core.results import RunFile
from . import tables
from .database import open_read_only
from .location import JournalLocation
from .reader import JournalReader

_EVENTS = tables.events.c


def read_events(
    where: JournalLocation, *, key: FileKey | None = None, since_s: float = 0.0, limit: int = 1000
) -> Iterator[Event]:
    """Yield the newest `limit` events since a moment (wall clock [s]), oldest first.

    `key` with the path of a folder selects everything below it; the path "" the whole source.
    Raises JournalError.
    """
    query = select(tables.events).where(_EVENTS.at_s >= since_s)
    if key is not None:
        query = query.where(_EVENTS.source == key.source)
        if key.path:
            below = _EVENTS.path.startswith(f"{key.path}/", autoescape=True)
            query = query.where(or_(_EVENTS.path == key.path, below))
    newest = query.order_by(_EVENTS.id.desc()).limit(limit)
    engine = open_read_only(where)
    try:
        with engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(newest).mappings()]
    finally:
        engine.dispose()
    for row in reversed(rows):
        del row["id"]
        yield Event(**{**row, "kind": EventKind(row["kind"])})


def read_file(where: JournalLocation, key: FileKey) -> FileRow | None:
    """Return the journal's row of a file; None if it has none. Raises JournalError."""
    engine = open_read_only(where)
    try:
        return JournalReader(engine).get(key)
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the newest run of each file proved of it: by its id in Storage, else by its path."""

    by_id: Mapping[StorageId, RunFile]
    by_key: Mapping[FileKey, RunFile]

    def of(self, row: FileRow | None) -> RunFile | None:
        """Return what is known of a file; a file that was renamed since keeps it with its id."""
        if row is None:
            return None
        found = self.by_id.get(row.storage_id) if row.storage_id else None
        return found or self.by_key.get(row.key)


def read_evidence(
    journal: JournalReader, sources: Iterable[SourceKey], since_s: float = 0.0
) -> Evidence:
    """Return what the newest run of each file of these sources proved of it.

    `since_s`: runs that ended before that moment (wall clock [s]) were of another iModel.
    """
    files = [each for each in journal.run_files(sources) if each.ended_s >= since_s]
    return Evidence(
        {each.storage_id: each for each in files},
        {FileKey(SourceKey(each.source), each.path): each for each in files},
    )
