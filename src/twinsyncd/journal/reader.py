"""Reads what the journal remembers: for the machine, for scans, from any thread."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, Engine, Select, bindparam, select

from ..core.decision import FileRows, SavedState
from ..core.model import (
    IN_DOUBT,
    ConnectionKey,
    ConnectionRow,
    Digest,
    FileKey,
    FileRow,
    Fingerprint,
    SourceKey,
    StorageId,
)
from ..core.results import Outcome, RunFile
from . import tables
from .rows import to_file, to_lane, to_source
from .run_lengths import read_run_lengths

_ONE = select(tables.files).where(
    tables.files.c.source == bindparam("source"), tables.files.c.path == bindparam("path")
)


def _among(column: Column[Any]) -> Select[Any]:
    """Return the query for the rows of `sources` whose column has one of `values`.

    It is built once: building it costs more than the answer of a few rows.
    """
    return select(tables.files).where(
        column.in_(bindparam("values", expanding=True)),
        tables.files.c.source.in_(bindparam("sources", expanding=True)),
    )


_HAVING = _among(tables.files.c.storage_id)
_WITH_CONTENT = _among(tables.files.c.stored)
_WITH_FILE_ID = _among(tables.files.c.file_id)
Look = tuple[str, int, int, int, int]
"""A file's name and the fields of its fingerprint, in their order."""

_COMPARED = (  # a scan may read every file's row: no column more than it compares
    tables.files.c.path,
    tables.files.c.size_bytes,
    tables.files.c.mtime_ns,
    tables.files.c.file_id,
    tables.files.c.ctime_ns,
)
_FOLDER = select(*_COMPARED).where(
    tables.files.c.source == bindparam("source"),
    tables.files.c.folder == bindparam("folder"),
    tables.files.c.mtime_ns.is_not(None),
)

EVENTS_LAST: Final = 1_000  # that tell where people worked before this process began


class JournalReader(FileRows):
    """Every call sees the newest commit."""

    def __init__(self, engine: Engine) -> None:
        """`engine` comes from `open_database` or `open_read_only`."""
        self._engine = engine
        self._from_folder = _from_folder(engine)

    def saved_state(self) -> SavedState:
        """Return what the machine starts from."""
        with self._engine.connect() as connection:
            lanes = [to_lane(row) for row in connection.execute(select(tables.lanes)).mappings()]
            remotes = connection.execute(select(tables.connections)).mappings().all()
            sources = connection.execute(select(tables.sources)).mappings()
            return SavedState(
                lanes={row.key: row for row in lanes},
                connections={row["key"]: ConnectionRow(**row) for row in remotes},
                sources={row["key"]: to_source(row) for row in sources},
                lengths_s=read_run_lengths(connection),
            )

    def connection(self, key: ConnectionKey) -> ConnectionRow:
        """Return what is remembered of a connection; an empty row if nothing is."""
        query = select(tables.connections).where(tables.connections.c.key == key)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return ConnectionRow(key) if row is None else ConnectionRow(**row)

    # ---- the machine's file rows --------------------------------------------------------

    def get(self, key: FileKey) -> FileRow | None:
        """Return the remembered row, or None."""
        with self._engine.connect() as connection:
            found = connection.execute(_ONE, {"source": key.source, "path": key.path})
            row = found.mappings().first()
        return None if row is None else to_file(row)

    def get_many(self, source: SourceKey, paths: Sequence[str]) -> dict[str, FileRow]:
        """Return the remembered rows among these paths of a source."""
        query = select(tables.files).where(
            tables.files.c.source == source, tables.files.c.path.in_(paths)
        )
        with self._engine.connect() as connection:
            return {row["path"]: to_file(row) for row in connection.execute(query).mappings()}

    def active(self, sources: Iterable[SourceKey]) -> Iterator[FileRow]:
        """Yield the rows of these sources with work left, in doubt, or covered by a run."""
        files = tables.files.c
        live = files.is_open | (files.stored == IN_DOUBT)
        query = select(tables.files).where(live, files.source.in_(list(sources)))
        with self._engine.connect() as connection:
            for row in connection.execute(query).mappings():
                yield to_file(row)

    def hashed_before(
        self, sources: Iterable[SourceKey], before_s: float, limit: int
    ) -> list[FileRow]:
        """Return files last read before that wall-clock time [s], longest ago first."""
        files = tables.files.c
        due = files.source.in_(list(sources)) & (files.seen != "") & (files.hashed_s < before_s)
        query = select(tables.files).where(due, files.unread == "").order_by(files.hashed_s)
        with self._engine.connect() as connection:
            return [to_file(row) for row in connection.execute(query.limit(limit)).mappings()]

    def having(
        self, sources: Iterable[SourceKey], storage_ids: Sequence[StorageId]
    ) -> list[FileRow]:
        """Return the rows of these sources that have one of these ids in Storage."""
        return self._files_where(_HAVING, sources, storage_ids)

    def with_content(
        self, sources: Iterable[SourceKey], digests: Collection[Digest]
    ) -> list[FileRow]:
        """Return the rows of these sources whose file in Storage has one of these contents."""
        return self._files_where(_WITH_CONTENT, sources, digests)

    def with_file_id(
        self, sources: Iterable[SourceKey], file_ids: Collection[int]
    ) -> list[FileRow]:
        """Return the rows of these sources that were one of these files when last read."""
        return self._files_where(_WITH_FILE_ID, sources, map(str, file_ids))

    def _files_where(
        self, query: Select[Any], sources: Iterable[SourceKey], values: Iterable[str]
    ) -> list[FileRow]:
        given = {"sources": list(sources), "values": list(values)}
        with self._engine.connect() as connection:
            return [to_file(row) for row in connection.execute(query, given).mappings()]

    def every(self, sources: Iterable[SourceKey]) -> Iterator[FileRow]:
        """Yield all rows of these sources."""
        query = select(tables.files).where(tables.files.c.source.in_(list(sources)))
        with self._engine.connect() as connection:
            for row in connection.execute(query).mappings():
                yield to_file(row)

    def run_files(self, sources: Iterable[SourceKey]) -> Iterator[RunFile]:
        """Yield what runs proved of the files of these sources, oldest first."""
        table = tables.run_files
        query = select(table).where(table.c.source.in_(list(sources))).order_by(table.c.id)
        with self._engine.connect() as connection:
            for row in connection.execute(query).mappings():
                values = {name: value for name, value in row.items() if name != "id"}
                yield RunFile(**{**values, "outcome": Outcome(row["outcome"])})

    # ---- what a scan compares with; any thread ------------------------------------------

    def folders(self, source: SourceKey) -> Sequence[str]:
        """Return every folder of the source that is remembered to hold files."""
        query = select(tables.files.c.folder).distinct()
        present = tables.files.c.mtime_ns.is_not(None)
        with self._engine.connect() as connection:
            found = connection.execute(query.where(tables.files.c.source == source, present))
            return found.scalars().all()

    def files(self, source: SourceKey, folder: str) -> Mapping[str, Fingerprint]:
        """Return the remembered fingerprints of the files directly in a folder, by name."""
        return {name: Fingerprint(*fields) for name, *fields in self._looks(source, folder)}

    def files_from(
        self, source: SourceKey, folder: str, rows: int
    ) -> tuple[list[tuple[str, list[Look]]], bool]:
        """Return this folder and those after it, each with all its hashed files; about `rows`.

        The folders come in the order of their text. The second value: there are no more.
        """
        values = {"source": source, "folder": folder, "rows": rows}
        with self._engine.connect() as connection:
            found = connection.execute(self._from_folder, values).all()
        by_folder: dict[str, list[Look]] = {}
        for path, size_bytes, mtime_ns, file_id, ctime_ns, its_folder in found:
            look = (path.rpartition("/")[2], size_bytes, mtime_ns, int(file_id), ctime_ns)
            by_folder.setdefault(its_folder, []).append(look)
        is_end = len(found) < rows
        if not is_end:
            cut_off, _ = by_folder.popitem()  # the page may end in the midst of its files
            if not by_folder:
                by_folder[cut_off] = self._looks(source, cut_off)
        return list(by_folder.items()), is_end

    def _looks(self, source: SourceKey, folder: str) -> list[Look]:
        with self._engine.connect() as connection:
            found = connection.execute(_FOLDER, {"source": source, "folder": folder})
            return [
                (path.rpartition("/")[2], size_bytes, mtime_ns, int(file_id), ctime_ns)
                for path, size_bytes, mtime_ns, file_id, ctime_ns in found
            ]

    def changes(self) -> float:
        """Return how many commits have changed remembered files: not known to a reader."""
        return 0.0

    def last_folders(self) -> list[tuple[SourceKey, str]]:
        """Return sources and folders of the newest EVENTS_LAST events, the newest last."""
        events = tables.events.c
        newest = (
            select(events.source, events.path)
            .where(events.path != "")
            .order_by(events.id.desc())
            .limit(EVENTS_LAST)
        )
        with self._engine.connect() as connection:
            found = [(row.source, row.path) for row in connection.execute(newest)]
        return [(source, path.rpartition("/")[0]) for source, path in reversed(found)]

    def changed_at(self, source: SourceKey, folder: str) -> float:  # noqa: ARG002 - a writer's
        """Return that it may have changed just now, since another process writes."""
        return float("inf")

    def changed_in(self, source: SourceKey) -> float:  # noqa: ARG002 - a writer's
        """Return that any file may have changed just now, since another process writes."""
        return float("inf")


def _from_folder(engine: Engine) -> Select[Any]:
    """Return the query for files of a folder and of those after it, in the order of code points."""
    folder = tables.files.c.folder
    ordered = folder.collate("C") if engine.dialect.name == "postgresql" else folder
    return (
        select(*_COMPARED, folder)
        .where(
            tables.files.c.source == bindparam("source"),
            ordered >= bindparam("folder"),
            tables.files.c.mtime_ns.is_not(None),
        )
        .order_by(ordered)
        .limit(bindparam("rows"))
    )
