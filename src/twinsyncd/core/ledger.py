"""The machine's working set of rows: only files with work left live in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from .decision import FileRows
from .events import Event, EventKind, EventLog
from .file_changes import exchanged, is_leftover, without_file
from .model import (
    ABSENT,
    IN_DOUBT,
    NO_RUN,
    ConnectionKey,
    Digest,
    FileKey,
    FileRow,
    Need,
    Now,
    RunKey,
    SourceKey,
    StorageId,
    need,
)


class Ledger:
    """Reads rows from the journal, collects changed ones, and indexes the remaining work."""

    def __init__(
        self,
        rows: FileRows,
        connection_of: Callable[[FileKey], ConnectionKey],
        is_root: Callable[[FileKey], bool] = lambda _key: False,
    ) -> None:
        """`connection_of` names the connection whose source a file belongs to.

        `is_root`: whether a file is to decide where its iModel is.
        """
        self._rows = rows
        self.connection_of = connection_of
        self.is_root = is_root
        self._roots: dict[ConnectionKey, dict[FileKey, None]] = {}  # those with work left
        self.events = EventLog()
        self._active: dict[FileKey, FileRow] = {}
        self._needs: dict[tuple[ConnectionKey, Need], dict[FileKey, None]] = {}
        self._covered: dict[ConnectionKey, dict[FileKey, None]] = {}
        self._changed: dict[FileKey, FileRow] = {}
        self._sources: tuple[SourceKey, ...] = ()
        self._sources_by_connection: dict[ConnectionKey, list[SourceKey]] = {}
        self.moved_away: dict[FileKey, FileKey] = {}  # by earlier name that Storage still has
        self.doubtful: list[FileKey] = []  # stores that were under way at the last end

    def load(self, sources: Iterable[SourceKey]) -> None:
        """Load the rows with work left, at start-up."""
        self._sources = tuple(sources)
        for source in self._sources:
            owner = self.connection_of(FileKey(source, ""))
            self._sources_by_connection.setdefault(owner, []).append(source)
        for row in self._rows.active(self._sources):
            if row.stored == IN_DOUBT:
                self.doubtful.append(row.key)
            self._index(row)

    def leave_out(self, source: SourceKey, wanted: Callable[[FileKey], bool], now: Now) -> None:
        """Treat files of the source that are no longer `wanted` as absent from the drive.

        Otherwise they would be shown as waiting for ever.
        """
        for row in self._rows.every([source]):
            if not wanted(row.key):
                left = without_file(row)
                if left != row:
                    self._replace(row, left)
                    self.note(EventKind.FILE_LEFT_OUT, row.key, now)

    def get(self, key: FileKey) -> FileRow:
        """Return the row; a file never seen before has an empty one."""
        return self.known(key) or FileRow(key)

    def known(self, key: FileKey) -> FileRow | None:
        """Return the row, or None for a file never seen before."""
        return self._active.get(key) or self._changed.get(key) or self._rows.get(key)

    def known_among(self, source: SourceKey, paths: Sequence[str]) -> dict[str, FileRow]:
        """Return the rows of those paths that were seen before, read at once."""
        rows = dict(self._rows.get_many(source, paths))
        for path in paths:
            key = FileKey(source, path)
            newer = self._active.get(key) or self._changed.get(key)
            if newer is not None:
                rows[path] = newer
        return rows

    def put(self, row: FileRow) -> None:
        """Remember the row; a new storage id is not a source file yet."""
        before = self.known(row.key)
        if before != row:
            self._replace(before, row)

    def change(self, key: FileKey, **changes: Any) -> FileRow:
        """Put the row with some fields replaced, and return it."""
        row = replace(self.get(key), **changes)
        self.put(row)
        return row

    def set_aside(self, row: FileRow, now: Now, *, run: RunKey = NO_RUN) -> None:
        """Put a row whose `aside` or `unread` says why it cannot go on; note it if that is new."""
        before = self.get(row.key)
        if not (before.aside or before.unread):
            row = replace(row, aside_since_s=now.wall_s)
        if (before.aside, before.unread) != (row.aside, row.unread):
            text = row.aside or row.unread
            self.note(EventKind.FILE_SET_ASIDE, row.key, now, digest=row.seen, text=text, run=run)
        self.put(row)

    def note(self, kind: EventKind, key: FileKey, now: Now, **more: Any) -> None:
        """Note an event of a file."""
        connection = self.connection_of(key)
        self.events.add(Event(kind, now.wall_s, connection, key.source, key.path, **more))

    def having(self, storage_ids: Sequence[StorageId]) -> dict[StorageId, FileRow]:
        """Return the rows of the files that have these ids in Storage, as far as there are any."""
        found = self._rows.having(self._sources, storage_ids) if storage_ids else ()
        return {row.storage_id: row for row in self.newest(found)}

    def with_content(self, connection: ConnectionKey, digests: Collection[Digest]) -> list[FileRow]:
        """Return the connection's rows whose file in Storage has one of these contents."""
        found = self.newest(self._rows.with_content(self.sources_of(connection), digests))
        return [row for row in found if row.stored in digests]

    def with_file_id(self, connection: ConnectionKey, file_ids: Collection[int]) -> list[FileRow]:
        """Return the connection's rows that were one of these files of a file system."""
        found = self.newest(self._rows.with_file_id(self.sources_of(connection), file_ids))
        return [row for row in found if row.fingerprint and row.fingerprint.file_id in file_ids]

    def hand_over(self, origin: FileRow, row: FileRow) -> FileRow:
        """Let the file of `row` be what that of `origin` was in the cloud, and return its row.

        What the file of `row` was before is that of `origin` then, so that nothing is lost.
        """
        heir, rest = exchanged(origin, row)
        for each in (rest, heir):
            self._changed[each.key] = each
            self._index(each)
        return heir

    def every(self, connection: ConnectionKey) -> Iterator[FileRow]:
        """Yield all rows of the connection; only for rare, large questions."""
        rows = list(self._rows.every(self.sources_of(connection)))
        known = {row.key for row in rows}
        yield from self.newest(rows)
        newer = {**self._active, **self._changed}
        for key, row in newer.items():
            if key not in known and self.connection_of(key) == connection:
                yield row

    def forget_connection(self, connection: ConnectionKey) -> None:
        """Note that the connection was created again: it holds no file and has processed none."""
        self._change_every(connection, in_connection=False, synced=ABSENT, replaces=())

    def forget_runs(self, connection: ConnectionKey) -> None:
        """Note that nothing proves any more what the connection's runs processed."""
        self._change_every(connection, synced=ABSENT)

    def _change_every(self, connection: ConnectionKey, **changes: Any) -> None:
        for row in list(self.every(connection)):
            changed = replace(row, **changes)
            if changed != row:
                self._replace(row, changed)

    def take_changes(self) -> tuple[FileRow, ...]:
        """Return the rows to be committed and forget that they changed."""
        changed = tuple(self._changed.values())
        self._changed.clear()
        return changed

    def needing(self, connection: ConnectionKey, what: Need) -> Iterator[FileRow]:
        """Yield the connection's rows with this need, longest waiting first.

        While iterating, a row may be put only if its need stays the same.
        """
        for key in self._needs.get((connection, what), ()):
            yield self._active[key]

    def roots(self, connection: ConnectionKey) -> list[FileRow]:
        """Return the connection's rows with work left that are to place the iModel."""
        return [self._active[key] for key in self._roots.get(connection, ())]

    def sources_of(self, connection: ConnectionKey) -> Sequence[SourceKey]:
        """Return the sources of the connection."""
        return self._sources_by_connection.get(connection, ())

    def aside(self) -> list[FileKey]:
        """Return the files of all connections that were set aside, and may be tried again."""
        aside = (keys for (_, what), keys in self._needs.items() if what is Need.ASIDE)
        return [key for keys in aside for key in keys if not is_leftover(self._active[key])]

    def count(self, connection: ConnectionKey, what: Need) -> int:
        """Return how many of the connection's rows have this need."""
        return len(self._needs.get((connection, what), ()))

    def covered(self, connection: ConnectionKey) -> list[FileRow]:
        """Return the rows the active run was started for."""
        return [self._active[key] for key in self._covered.get(connection, ())]

    def newest(self, rows: Iterable[FileRow]) -> list[FileRow]:
        """Return the same rows as they are now."""
        return [self._active.get(row.key) or self._changed.get(row.key) or row for row in rows]

    def _replace(self, before: FileRow | None, row: FileRow) -> None:
        """Note that the row changed; one that was read already is not read again."""
        if before is not None and before.storage_id != row.storage_id:
            row = replace(row, in_connection=False)
        self._changed[row.key] = row
        self._index(row)

    def _index(self, row: FileRow) -> None:
        connection, wanted = self.connection_of(row.key), need(row)
        self._index_move(row)
        for what in Need:
            keys = self._needs.setdefault((connection, what), {})
            if what is wanted and what is not Need.NOTHING:
                keys.setdefault(row.key)
            else:
                keys.pop(row.key, None)
        covered = self._covered.setdefault(connection, {})
        if row.covered == ABSENT:
            covered.pop(row.key, None)
        else:
            covered.setdefault(row.key)
        if wanted is Need.NOTHING and row.covered == ABSENT:
            self._active.pop(row.key, None)
            self._roots.get(connection, {}).pop(row.key, None)
        else:
            if row.key not in self._active and self.is_root(row.key):
                self._roots.setdefault(connection, {})[row.key] = None
            self._active[row.key] = row

    def _index_move(self, row: FileRow) -> None:
        before = self._active.get(row.key)
        left = before.moved_from if before is not None else None
        if left is not None and self.moved_away.get(left) == row.key:
            del self.moved_away[left]
        if row.moved_from is not None:
            self.moved_away[row.moved_from] = row.key
