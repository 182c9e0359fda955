"""Verifies the export files of a bulk connection: the records on the drive are acknowledged.

The service has no way to read records back. What it acknowledged is in the journal, a digest for
each record; so every row of every file is read, and looked up there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..config import Config, Connection, Source
from ..core.deliveries import RejectedRow
from ..core.model import FileKey, SourceKey, SourceRow
from ..journal.delivered import DeliveredRecords
from ..targets.bulk.batches import DIGEST_BYTES, Row
from ..targets.bulk.digest_sets import DigestSet
from ..targets.bulk.mapping import BadRowError, RowReader
from ..targets.bulk.tables import BadTableError, Table
from .bulk_wiring import mapping_of_source
from .drive_scan import scan_drive
from .formatting import count
from .found_files import Drive
from .setup_check.known import NothingKnown
from .verified_file import Verdict, VerifiedFile
from .wiring import open_folder

NAMED_MAX: Final = 5  # rows that are named for each file; all are counted
_OTHER: Final = (
    "the service has another version of this record: it waits, or is in another file too"
)
_UNSENT: Final = "not acknowledged as the file has it"


def verify_bulk(
    config: Config,
    connection: Connection,
    delivered: DeliveredRecords,
    known: Collection[FileKey],
    wanted: Callable[[FileKey], bool],
    *,
    remembered: Mapping[SourceKey, SourceRow],
) -> Iterator[VerifiedFile]:
    """Yield the connection's export files that are wanted, by path.

    `known`: those that were delivered before. `remembered`: the sources, as the journal has them.
    """
    for source in connection.source:
        key, drive = connection.key_of(source), Drive()
        row = remembered.get(key, SourceRow(key))
        scan_drive(drive, row, open_folder(config, key, source, NothingKnown()))
        one = _Source(connection, source, key, drive, delivered)
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
    delivered: DeliveredRecords
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
            found = self._count(file)
            if _look(file) != before:
                text = "it changed while it was read"
                return _file(key, text, "", Verdict.UNKNOWN, "verify again")
        except (BadTableError, OSError) as exc:
            fix = "correct the export"
            return _file(key, f"not read: {exc}", "", Verdict.NOT_CURRENT, fix)
        return found.file(key)

    def _count(self, file: Path) -> _Found:
        rows, connection = self.source.rows, self.connection
        mapping = mapping_of_source(self.source, connection.bulk.company_guid or "")
        table = Table(file, file.suffix.lower(), mapping.wanted(), rows.sheet, rows.encoding)
        if self.taken is None:
            every = self.delivered.every_digest(connection.name, mapping.entity)
            self.taken = DigestSet(every)
        reader, salt, found, all_digests = RowReader(mapping), mapping.salt(), _Found(), bytearray()
        for batch in table.batches():
            digests = bytearray(batch.digests(salt))
            missing = (~self.taken.has(digests)).nonzero()[0].tolist()
            unknown = list(batch.rows(missing))
            empty = [at for at, row in zip(missing, unknown, strict=True) if _is_empty(row)]
            for at in reversed(empty):  # they are no records, though all alike
                del digests[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES]
            all_digests += digests
            found.rows += len(batch) - len(empty)
            for row in unknown:
                if not _is_empty(row):
                    self._note(found, reader, row)
        found.twice = len(DigestSet([all_digests]).twice()) // DIGEST_BYTES
        found.sheet = table.sheet_shown() if found.missing else ""
        if connection.bulk.mode == "snapshot":
            found.surplus = max(len(self.taken) - found.rows, 0)
        return found

    def _note(self, found: _Found, reader: RowReader, row: Row) -> None:
        """Note a row that is not acknowledged, and why."""
        number, cells = row
        found.missing += 1
        if len(found.named) == NAMED_MAX:
            return
        try:
            guid = reader.guid(cells)
            reader.record(cells, guid)
        except BadRowError as bad:
            column, message, _ = bad.mistakes[0]
            found.named.append((number, column, message))
        else:
            entity, name = reader.mapping.entity, self.connection.name
            is_known = self.delivered.digests(name, entity, [guid])
            found.named.append((number, "", _OTHER if is_known else _UNSENT))


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
    named: list[tuple[int, str, str]] = field(default_factory=list)

    def file(self, key: FileKey) -> VerifiedFile:
        """Return the verdict."""
        good = self.rows - self.missing
        text = f"{good:,} of {self.rows:,} acknowledged by the service"
        if self.twice:
            text += f"; {count(self.twice, 'row')} there more than once"
        for number, column, message in self.named:
            text += f"; {RejectedRow(number, message, '', column, self.sheet)}"
        if self.missing > len(self.named):
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
