"""Delivers one export file: find the rows that changed, check them all, send them in batches.

Two passes, so that nothing is sent before everything is checked; where few rows changed, the first
one keeps their records and the second is not needed. What a batch brought is durable before the
next one is sent, so a crash repeats one batch at most, and repeating it changes nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

from ...bulk_entities import PARENT_OF
from ...cloud.bulk_api import BATCH_MAX, BatchRefused, Counts
from .mapping import BadRowError, CellMistake, Cells, RowReader
from .objections import fields_named, objections
from .summary import Summary, duplicate
from .tables import Row

KEPT_MAX: Final = 5 * BATCH_MAX  # changed records kept from the first pass: a few megabytes
PROBES_MAX: Final = 64  # requests spent on finding wrong records that the service does not name
_BUCKETS: Final = 256


class Delivered(Protocol):
    """What the service took before, by GUID."""

    def digests(self, connection: str, entity: str, guids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the digests of those GUIDs that were taken."""

    def doubt(self, connection: str, entity: str, guids: Sequence[bytes]) -> None:
        """Forget what was taken of these GUIDs, durably."""

    def put(self, connection: str, entity: str, taken: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember GUIDs with the digests that were taken, durably."""


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
    """Delivers the rows of one file; `rows` begins to read the file anew each time."""

    def __init__(
        self,
        connection: str,
        reader: RowReader,
        rows: Callable[[], Iterator[Row]],
        delivered: Delivered,
        service: Sends,
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._entity = reader.mapping.entity
        self._rows = rows
        self._delivered = delivered
        self._service = service
        self._probes = 0
        self.summary = Summary()

    def deliver(self) -> Summary:
        """Do it. Raises BadTableError before anything is sent, CloudError for outages."""
        kept = self._check()
        changed: Iterator[_Changed] = iter(kept) if kept is not None else self._changed()
        good = (each for each in changed if each.row not in self.summary.bad)
        while batch := list(islice(good, BATCH_MAX)):
            self._send(batch)
        return self.summary

    # ---- the first pass -----------------------------------------------------------------

    def _check(self) -> list[_Changed] | None:
        """Check every row; return the changed records, None if there are too many to keep."""
        kept: list[_Changed] | None = []
        first_halves = [array("Q") for _ in range(_BUCKETS)]
        for each in self._changed(first_halves):
            self.summary.changed += 1
            if kept is not None:
                kept.append(each)
                kept = kept if len(kept) <= KEPT_MAX else None
        if suspects := _twice(first_halves):
            self._reject_duplicates(suspects)
        return kept

    def _changed(self, halves: list[array[int]] | None = None) -> Iterator[_Changed]:
        """Yield the rows that the service does not have; with `halves` this is the first pass."""
        rows, reader = self._rows(), self._reader
        while some := list(islice(rows, BATCH_MAX)):
            found: list[tuple[int, bytes, Cells]] = []
            for number, cells in some:
                try:
                    guid = reader.guid(cells)
                except BadRowError as bad:
                    self.summary.reject(number, bad.mistakes)
                    continue
                found.append((number, guid, cells))
                if halves is not None:
                    halves[guid[0]].append(int.from_bytes(guid[:8], "big"))
            if halves is not None:
                self.summary.rows += len(some)
            guids = [guid for _, guid, _ in found]
            known = self._delivered.digests(self._connection, self._entity, guids)
            for number, guid, cells in found:
                digest = reader.digest(cells)
                if known.get(guid) == digest:
                    continue
                try:
                    record = self._reader.record(cells)
                except BadRowError as bad:
                    self.summary.reject(number, bad.mistakes)
                    continue
                yield _Changed(number, guid, digest, record, guid in known)

    def _reject_duplicates(self, suspects: set[int]) -> None:
        """Reject all rows of a GUID that is there twice: which one is meant is not known."""
        places: dict[bytes, list[int]] = {}
        for number, cells in self._rows():
            try:
                guid = self._reader.guid(cells)
            except BadRowError:
                continue
            if int.from_bytes(guid[:8], "big") in suspects:
                places.setdefault(guid, []).append(number)
        column = self._reader.mapping.column_of("guid")
        for numbers in places.values():
            for number in numbers if len(numbers) > 1 else ():
                self.summary.reject(number, [duplicate(column, number, numbers)])

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


def _twice(halves: list[array[int]]) -> set[int]:
    """Return the numbers that are there more than once, a bucket at a time to save memory."""
    found: set[int] = set()
    for bucket in halves:
        ordered = sorted(bucket)
        found.update(one for one, two in pairwise(ordered) if one == two)
    return found
