"""Delivers one export file: find the rows that changed, check them all, send them in batches.

A row is known to be in the service when its digest is one that was taken: only the others become
records. Two passes, so that nothing is sent before everything is checked; where few rows changed,
the first one keeps their records and the second is not needed. What a batch brought is durable
before the next one is sent, so a crash repeats one batch at most, and repeating it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from ...bulk_entities import PARENT_OF
from ...cloud.bulk_api import BATCH_MAX, BatchRefused, Counts
from ...errors import CloudError
from .batches import Batch, Row
from .digest_sets import DigestSet
from .known_digests import KeepsDigests, known_digests
from .mapping import BadRowError, CellMistake, RowReader
from .objections import fields_named, objections
from .rivals import NO_RIVALS, FileRows, FindsRivals
from .seen_rows import SeenRows, digest_at
from .summary import Summary, duplicate, ignore_progress

KEPT_MAX: Final = 5 * BATCH_MAX  # changed records kept from the first pass: a few megabytes
PROBES_MAX: Final = 64  # requests spent on finding wrong records that the service does not name
SLICE_ROWS: Final = 5000  # rows that are Python objects at once
NOTES_MAX: Final = 100  # times that progress is noted, each of which costs a transaction


class Batches(Protocol):
    """The rows of a file."""

    def batches(self) -> Iterator[Batch]:
        """Yield them all, reading the file anew. Raises BadTableError."""

    def sheet_shown(self) -> str:
        """Return the name of the sheet that is read; "" for files without sheets."""


class Delivered(KeepsDigests, Protocol):
    """What the service took before, by GUID."""

    def digests(self, connection: str, entity: str, guids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the digests of those GUIDs that were taken."""

    def doubt(self, connection: str, entity: str, guids: Sequence[bytes]) -> None:
        """Forget what was taken of these GUIDs, durably."""

    def put(self, connection: str, entity: str, taken: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember GUIDs that are not known with the digests that were taken, durably."""


class Sends(Protocol):
    """The service."""

    def upsert(self, entity: str, records: Sequence[dict[str, Any]]) -> Counts:
        """Insert or update records. Raises BatchRefused, CloudError."""


class _Changed(NamedTuple):
    row: int
    guid: bytes
    digest: bytes
    record: dict[str, Any]
    is_known: bool  # the service took an earlier version of it


class Delivery:
    """Delivers the rows of one file."""

    def __init__(
        self,
        connection: str,
        reader: RowReader,
        table: Batches,
        delivered: Delivered,
        service: Sends,
        *,
        note: Callable[[Summary], None] = ignore_progress,
        rivals: FindsRivals = NO_RIVALS,
    ) -> None:
        """`note` gets the summary before the first batch, and now and then after one.

        `rivals`: the other files of this kind, which may have records of this one, too.
        """
        self._connection = connection
        self._reader = reader
        self._entity = reader.mapping.entity
        self._salt = reader.mapping.salt()
        self._table = table
        self._delivered = delivered
        self._service = service
        self._note = note
        self._rivals = rivals
        self._settled = bytearray()  # 1 at the number of each row that needs no sending
        self._taken = DigestSet(())
        self._probes = 0
        self.summary = Summary()

    def deliver(self) -> Summary:
        """Do it. Raises BadTableError before anything is sent, CloudError for outages."""
        self._taken = known_digests(self._delivered, self._connection, self._entity)
        kept = self._check()
        changed: Iterator[_Changed] = iter(kept) if kept is not None else self._changed(None)
        good = (each for each in changed if self._is_to_send(each.row))
        every = max(self.summary.batches // NOTES_MAX, 1)
        if self.summary.batches:
            self._note(self.summary)
        try:
            while batch := list(islice(good, BATCH_MAX)):
                self._send(batch)
                self.summary.done += 1
                if not self.summary.done % every:
                    self._note(self.summary)
        except CloudError:
            self._note(self.summary)
            raise
        return self.summary

    # ---- the first pass -----------------------------------------------------------------

    def _check(self) -> list[_Changed] | None:
        """Check every row; return the changed records, None if there are too many to keep."""
        kept: list[_Changed] | None = []
        seen = SeenRows(self._taken)
        for each in self._changed(seen):
            self.summary.changed += 1
            if kept is not None:
                kept.append(each)
                kept = kept if len(kept) <= KEPT_MAX else None
        unsent = self._reject_duplicates(seen) + self._reject_contested()
        self._rivals.keep(seen.every())
        self.summary.plan(self.summary.changed - unsent, BATCH_MAX)
        return kept

    def _changed(self, seen: SeenRows | None) -> Iterator[_Changed]:
        """Yield the rows that the service does not have; with `seen` this is the first pass."""
        for batch in self._table.batches():
            digests = batch.digests(self._salt)
            if seen is None:
                is_taken = self._taken.has(digests)
            else:
                self.summary.rows += len(batch)
                is_taken = seen.unchanged.meet(digests)
            new = (~is_taken).nonzero()[0].tolist()
            for first in range(0, len(new), SLICE_ROWS):
                some = new[first : first + SLICE_ROWS]
                rows = zip(batch.rows(some), some, strict=True)
                found = [(row, digest_at(digests, index)) for row, index in rows]
                yield from self._records(found, seen)

    def _records(
        self, rows: Sequence[tuple[Row, bytes]], seen: SeenRows | None
    ) -> Iterator[_Changed]:
        """Yield the records of rows with these digests; note the mistakes of the others."""
        reader = self._reader
        guids = [self._guid(row, is_first=seen is not None) for row, _ in rows]
        known: dict[bytes, bytes] = {}
        if len(self._taken):
            wanted = [guid for guid in guids if guid is not None]
            known = self._delivered.digests(self._connection, self._entity, wanted)
        contested = self._rivals.contested(known) if seen is not None else {}
        for ((number, cells), digest), guid in zip(rows, guids, strict=True):
            if guid is None:
                continue
            if seen is not None:
                seen.note(guid, digest, known.get(guid))
            try:
                record = reader.record(cells, guid)
            except BadRowError as bad:
                self.summary.reject(number, bad.mistakes)
                continue
            if guid in contested:
                self._rivals.note(contested[guid], number, (digest, known[guid]), record)
            yield _Changed(number, guid, digest, record, guid in known)

    def _guid(self, row: Row, *, is_first: bool) -> bytes | None:
        """Return the row's GUID; None if it has none, or is empty and so no record at all."""
        number, cells = row
        try:
            return self._reader.guid(cells)
        except BadRowError as bad:
            if any(cell is not None and cell != "" for cell in cells):
                self.summary.reject(number, bad.mistakes)
            elif is_first:
                self.summary.rows -= 1
        return None

    def _reject_duplicates(self, seen: SeenRows) -> int:
        """Reject all rows of a GUID that is there twice: which one is meant is not known.

        Return how many of them the service does not have.
        """
        halves, digests = seen.suspects()
        if not halves and not digests:
            return 0
        twice = DigestSet([digests])
        places: dict[bytes, list[int]] = {}
        unsent: set[int] = set()
        for batch in self._table.batches():
            found = batch.digests(self._salt)
            marked, new = twice.has(found), ~self._taken.has(found)
            at = (marked | new).nonzero()[0].tolist()
            for row, index in zip(batch.rows(at), at, strict=True):
                guid = self._guid(row, is_first=False)
                if guid is not None and (marked[index] or guid[:8] in halves):
                    places.setdefault(guid, []).append(row[0])
                    if new[index] and row[0] not in self.summary.bad:
                        unsent.add(row[0])
        column = self._reader.mapping.column_of("guid")
        for numbers in places.values():
            for number in numbers if len(numbers) > 1 else ():
                self.summary.reject(number, [duplicate(column, number, numbers)])
        return len(unsent & self.summary.bad)

    def _reject_contested(self) -> int:
        """Reject rows whose record another file has otherwise and goes first with.

        Return how many of them the service does not have. A row that makes the same record as one
        of another file counts as sent: the service has it.
        """
        own = FileRows(self._table, self._reader)
        verdict = self._rivals.verdict(own)
        self._settled = bytearray(max(verdict.same, default=-1) + 1)
        for number in verdict.same:
            if number not in self.summary.bad:
                self._settled[number] = 1
                self.summary.changed -= 1
        lost = [each for each in verdict.lost if each[0] not in self.summary.bad]
        for number, mistakes in lost:
            self.summary.reject(number, mistakes)
        return len(lost)

    def _is_to_send(self, number: int) -> bool:
        is_settled = number < len(self._settled) and self._settled[number]
        return not is_settled and number not in self.summary.bad

    # ---- sending ------------------------------------------------------------------------

    def _send(self, batch: list[_Changed]) -> None:
        """Send a batch; without the records that the service objects to, if it does.

        An answer may be lost, and the file may go back to its earlier content: so what was taken
        before is in doubt before anything else is sent.
        """
        if known := [each.guid for each in batch if each.is_known]:
            self._delivered.doubt(self._connection, self._entity, known)
        parts = [batch]
        while parts:
            part = parts.pop()
            self.summary.requests += 1
            try:
                counts = self._service.upsert(self._entity, [each.record for each in part])
            except BatchRefused as refused:
                parts += self._remaining(part, refused)
                continue
            self.summary.inserted += counts.inserted
            self.summary.updated += counts.updated
            self.summary.waiting -= len(part)
            taken = [(each.guid, each.digest) for each in part]
            self._delivered.put(self._connection, self._entity, taken)

    def _remaining(self, part: list[_Changed], refused: BatchRefused) -> list[list[_Changed]]:
        """Reject the rows that the service objects to; return the others, to be sent again.

        Where it does not say which they are, halves are tried, so that the good ones go in.
        Raises BatchRefused where all is refused for a reason that is none of the rows'.
        """
        mapping = self._reader.mapping
        records = [each.record for each in part]
        found = objections(refused, mapping, records)
        self._probes += not found
        if not found and len(part) > 1 and self._probes <= PROBES_MAX:
            half = len(part) // 2
            return [part[half:], part[:half]]
        if not found:
            fix = "correct it in the file, or send its parents first"
            mistake = CellMistake("", refused.failure.message, fix)
            found = {index: [mistake] for index in range(len(part))}
        self.summary.orphans |= refused.status == 400
        self.summary.lost_parents |= self._took_parents_of(refused, [records[at] for at in found])
        for index, mistakes in found.items():
            self.summary.reject(part[index].row, mistakes)
        self.summary.waiting -= len(found)
        rest = [each for index, each in enumerate(part) if index not in found]
        return [rest] if rest else []

    def _took_parents_of(self, refused: BatchRefused, records: list[dict[str, Any]]) -> bool:
        """Return whether the service misses a parent that it took from us before."""
        for name in fields_named(refused.detail)[:1] if refused.status == 400 else ():
            kind = PARENT_OF.get(name)
            guids = {UUID(record[name]).bytes for record in records if record.get(name)}
            if kind and self._delivered.digests(self._connection, kind, sorted(guids)):
                return True
        return False
