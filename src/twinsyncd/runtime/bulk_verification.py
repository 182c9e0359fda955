"""Verifies the export files of a bulk connection: the records on the drive are acknowledged.

The service has no way to read records back. What it acknowledged is in the journal, a digest for
each record; so every row of every file is read, and looked up there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..config import Config, Connection, Source
from ..core.deliveries import RejectedRow
from ..core.model import FileKey, SourceKey, SourceRow
from ..journal.delivered import DeliveredRecords
from ..journal.export_rows import ExportRows
from ..targets.bulk.batches import DIGEST_BYTES, Row
from ..targets.bulk.digest_sets import DigestSet
from ..targets.bulk.mapping import BadRowError, RowReader
from ..targets.bulk.rivals import FileRows, Rivals
from ..targets.bulk.rivals import Verdict as OfRivals
from ..targets.bulk.seen_rows import digest_at
from ..targets.bulk.tables import BadTableError
from .bulk_wiring import rows_in
from .drive_scan import scan_drive
from .formatting import count
from .found_files import Drive
from .setup_check.known import NothingKnown
from .verified_file import Verdict, VerifiedFile
from .wiring import open_folder

NAMED_MAX: Final = 5  # rows that are named for each file; all are counted
CANDIDATES_MAX: Final = 10_000  # rows that may be named: some turn out to be right
_OTHER: Final = "the service has another version of this record; the row waits"
_UNSENT: Final = "not acknowledged as the file has it"


class BulkRecords(NamedTuple):
    """What the journal knows of records."""

    delivered: DeliveredRecords
    rows: ExportRows


def verify_bulk(
    config: Config,
    connection: Connection,
    journal: BulkRecords,
    known: Collection[FileKey],
    wanted: Callable[[FileKey], bool],
    *,
    remembered: Mapping[SourceKey, SourceRow],
) -> Iterator[VerifiedFile]:
    """Yield the connection's export files that are wanted, by path.

    `known`: those that were delivered before. `remembered`: the sources,
    as the journal has them.
    """
    for source in connection.source:
        key, drive = connection.key_of(source), Drive()
        row = remembered.get(key, SourceRow(key))
        scan_drive(drive, row, open_folder(config, key, source, NothingKnown()))
        one = _Source(connection, source, key, drive, journal)
        own = {each for each in known if each.source == key} | drive.looks.keys()
        for file in sorted(each for each in (*own, *drive.blind) if wanted(each)):
            yield one.verified(file)
        if key in drive.offline and not own and wanted(FileKey(key, "")):
            yield one.verified(FileKey(key, ""))


@dataclass(slots=True)
class _Source:
    """One source of the connection."""

    connection: Connection
    source: Source
    key: SourceKey
    drive: Drive
    journal: BulkRecords
    taken: DigestSet | None = None  # read when the first file needs it

    def verified(self, key: FileKey) -> VerifiedFile:
        """Return the verdict on one file."""
        if unread := self.drive.unread(key):
            return _file(key, f"not read: {unread}", "", Verdict.UNKNOWN, "make it readable")
        if key not in self.drive.looks:
            text = "its records stay in the service"
            return _file(key, "not there any more", text, Verdict.KEPT)
        file = self.source.folder / key.path
        try:
            before = _look(file)
            found = self._count(key, file)
            if _look(file) != before:
                text = "it changed while it was read"
                return _file(key, text, "", Verdict.UNKNOWN, "verify again")
        except (BadTableError, OSError) as exc:
            fix = "correct the export"
            return _file(key, f"not read: {exc}", "", Verdict.NOT_CURRENT, fix)
        return found.file(key)

    def _count(self, key: FileKey, file: Path) -> _Found:
        own = rows_in(file, key.path, self.source, self.connection)
        entity, name = own.reader.mapping.entity, self.connection.name
        if self.taken is None:
            self.taken = DigestSet(self.journal.delivered.every_digest(name, entity))
        rivals = Rivals(name, entity, key, self.journal.rows, self._opened)
        salt, found, all_digests = own.reader.mapping.salt(), _Found(), bytearray()
        for batch in own.table.batches():
            digests = bytearray(batch.digests(salt))
            missing = (~self.taken.has(digests)).nonzero()[0].tolist()
            unknown = list(batch.rows(missing))
            rows = zip(unknown, missing, strict=True)
            self._note(found, own.reader, rivals, [(r, digest_at(digests, at)) for r, at in rows])
            empty = [at for at, row in zip(missing, unknown, strict=True) if _is_empty(row)]
            for at in reversed(empty):  # they are no records, though all alike
                del digests[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES]
            all_digests += digests
            found.rows += len(batch) - len(empty)
        found.apply(rivals.verdict(own))
        found.note_equal_rows(all_digests, self.taken)
        found.sheet = own.table.sheet_shown() if found.missing else ""
        if self.connection.bulk.mode == "snapshot":
            found.surplus = max(len(self.taken) - found.rows, 0)
        return found

    def _note(
        self, found: _Found, reader: RowReader, rivals: Rivals, rows: list[tuple[Row, bytes]]
    ) -> None:
        """Note rows that are not acknowledged, and why."""
        good: list[tuple[int, bytes, bytes, dict[str, Any]]] = []
        for (number, cells), digest in rows:
            if _is_empty((number, cells)):
                continue
            found.missing += 1
            try:
                guid = reader.guid(cells)
                good.append((number, guid, digest, reader.record(cells, guid)))
            except BadRowError as bad:
                column, message, _ = bad.mistakes[0]
                found.name(number, column, message)
        guids = [guid for _, guid, _, _ in good]
        known = self.journal.delivered.digests(self.connection.name, reader.mapping.entity, guids)
        contested = rivals.contested(known)
        for number, guid, digest, record in good:
            if guid in contested:
                rivals.note(contested[guid], number, (digest, known[guid]), record)
            found.name(number, "", _OTHER if guid in known else _UNSENT)

    @contextmanager
    def _opened(self, key: FileKey) -> Iterator[FileRows | None]:
        """Yield another file of the connection; None if it is not there."""
        connection = self.connection
        of_key = (each for each in connection.source if connection.key_of(each) == key.source)
        source = next(of_key, None)
        file = source.folder / key.path if source else None
        is_there = file is not None and file.is_file()
        yield rows_in(file, key.path, source, connection) if is_there and source and file else None


def _is_empty(row: Row) -> bool:
    return all(cell is None or cell == "" for cell in row[1])


@dataclass(slots=True)
class _Found:
    """The rows of a file; `missing` of them are not acknowledged, `twice` are equal to another.

    `surplus`: how many records more the service has, which the file's snapshot would delete.
    """

    rows: int = 0
    missing: int = 0
    twice: int = 0
    surplus: int = 0
    sheet: str = ""
    names: dict[int, tuple[str, str]] = field(default_factory=dict)  # column and message, by row

    @property
    def named(self) -> list[tuple[int, str, str]]:
        """Return the rows that are named, in their order."""
        return [(row, *self.names[row]) for row in sorted(self.names)[:NAMED_MAX]]

    def note_equal_rows(self, digests: bytearray, taken: DigestSet) -> None:
        """Count rows that are equal: all of them are rejected, also where the record is known."""
        again = DigestSet([digests]).twice()
        self.twice = len(again) // DIGEST_BYTES
        if self.twice:
            equal = DigestSet([again]).has(digests) & taken.has(digests)
            self.missing += int(equal.sum())

    def name(self, row: int, column: str, message: str) -> None:
        """Say what is wrong with a row, if it is one of the first."""
        if len(self.names) < CANDIDATES_MAX:
            self.names[row] = (column, message)

    def apply(self, verdict: OfRivals) -> None:
        """Count rows whose record another file brought, and say which of them lose to it."""
        self.missing -= len(verdict.same)
        for row in verdict.same:
            self.names.pop(row, None)
        for row, mistakes in verdict.lost[:NAMED_MAX]:
            self.names[row] = (mistakes[0].column, mistakes[0].message)

    def file(self, key: FileKey) -> VerifiedFile:
        """Return the verdict."""
        good = self.rows - self.missing
        text = f"{good:,} of {self.rows:,} acknowledged by the service"
        if self.twice:
            text += f"; {count(self.twice, 'row')} there more than once, and rejected"
        for number, column, message in self.named:
            text += f"; {RejectedRow(number, message, '', column, self.sheet)}"
        if self.missing > len(self.named) and not self.twice:
            text += f"; and {self.missing - len(self.named):,} more"
        if self.surplus:
            text += f"; it has {count(self.surplus, 'record')} more, not deleted so far"
        fix = ""
        if self.missing or self.twice:
            fix = "correct these rows and export again; if they are right: twinsyncd sync"
        elif self.surplus:
            fix = "twinsyncd status says what the snapshot waits for"
        verdict = Verdict.NOT_CURRENT if fix else Verdict.CURRENT
        return _file(key, count(self.rows, "record"), text, verdict, fix)


def _look(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


def _file(
    key: FileKey, drive: str, records: str, verdict: Verdict, next_step: str = ""
) -> VerifiedFile:
    return VerifiedFile(
        key.source, key.path, drive, "", "", "", "", verdict, next_step, records=records
    )
