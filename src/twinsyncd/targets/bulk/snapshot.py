"""Delivers one export file as a snapshot: the complete set of one kind, in one request.

Some services delete every record of the kind that a request leaves out, with all that lies below
it. So a snapshot is whole or is not sent: neither without its wrong rows, nor in two requests.
Source: Ra Factory, code of the sync service, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from ...bulk_entities import children_of
from ...cloud.bulk_api import BATCH_MAX, BatchRefused
from ...core.safety import is_mass_deletion
from ...core.setup import Guard
from .batches import DIGEST_BYTES, Row
from .delivery import Batches, Delivered, Sends
from .mapping import BadRowError, CellMistake, RowReader
from .objections import objections
from .summary import Summary, duplicate, ignore_progress

OTHERS_MAX: Final = 10_000  # no limit is documented but that of pieces; some 5 MB as JSON
IN_DOUBT: Final = bytes(8)


class DeliveredSets(Delivered, Protocol):
    """What the service took before, as sets that fit one request."""

    def every(self, connection: str, entity: str) -> dict[bytes, bytes]:
        """Return all GUIDs that were taken with their digests."""

    def put_anew(self, connection: str, entity: str, taken: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember GUIDs with these digests, in place of those that may be known, durably."""

    def replace(self, connection: str, entity: str, taken: Sequence[tuple[bytes, bytes]]) -> None:
        """Remember these GUIDs with their digests and no others, durably."""

    def doubt_all(self, connection: str, entity: str) -> None:
        """Keep the GUIDs, but not what was taken of them, durably."""


class SetTooLargeError(Exception):
    """The file has more rows than fit one request."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class Leaving(NamedTuple):
    """What sending a snapshot means: `leaving` of the `known` records are not among the `rows`.

    `below`: records of the kinds below, which go with those above them. Whose they are is not
    known, so each of the `known` counts as if it had as many as any other.
    """

    rows: int
    known: int
    leaving: int
    below: int = 0

    def needs_person(self, guard: Guard) -> bool:
        """Return whether a person must approve it: the first one, an empty one, a mass deletion."""
        if not self.known or not self.rows:
            return bool(self.known or self.rows)
        with_below = self.leaving + self.below * self.leaving // self.known
        return is_mass_deletion(self.known + self.below, with_below, guard)


class _Record(NamedTuple):
    row: int
    guid: bytes
    digest: bytes
    record: dict[str, Any]


def set_limit(entity: str) -> int:
    """Return how many records of a kind fit one request."""
    return BATCH_MAX if entity == "pieces" else OTHERS_MAX


class Snapshot:
    """Delivers the rows of one file."""

    def __init__(
        self,
        connection: str,
        reader: RowReader,
        table: Batches,
        delivered: DeliveredSets,
        service: Sends,
        *,
        note: Callable[[Summary], None] = ignore_progress,
    ) -> None:
        """`note` gets the summary before the set is sent, or held for a person."""
        self._connection = connection
        self._reader = reader
        self._entity = reader.mapping.entity
        self._table = table
        self._delivered = delivered
        self._service = service
        self._note = note
        self.summary = Summary(is_snapshot=True)

    def deliver(
        self, permit: Callable[[Leaving], None], on_deletion: Callable[[], None]
    ) -> Summary:
        """Send the set if it is not what the service has.

        `permit` may raise to prevent it; `on_deletion` is called before records leave the service.
        Raises BadTableError, SetTooLargeError, CloudError for outages.
        """
        records = self._read()
        known = self._delivered.every(self._connection, self._entity)
        good = [each for each in records if each.row not in self.summary.bad]
        self.summary.waiting = sum(known.get(each.guid) != each.digest for each in good)
        if self.summary.rejected_count:
            return self.summary
        new = {each.guid: each.digest for each in records}
        self.summary.changed = sum(known.get(guid) != digest for guid, digest in new.items())
        leaving = len(known.keys() - new.keys())
        self.summary.leaving = leaving
        if not self.summary.changed and not leaving:
            return self.summary
        self.summary.batches = 1
        self._note(self.summary)
        permit(Leaving(len(new), len(known), leaving, self._below() if leaving else 0))
        if leaving:
            for child in children_of(self._entity):
                self._delivered.doubt_all(self._connection, child)
            on_deletion()
        # An answer may be lost: until there is one, all that may be there is in doubt.
        doubts = [(guid, IN_DOUBT) for guid in {**known, **new}]
        self._delivered.put_anew(self._connection, self._entity, doubts)
        self.summary.waiting = len(records)
        self._send(records)
        return self.summary

    def _below(self) -> int:
        """Return how many records of the kinds below the service may have."""
        children = children_of(self._entity)
        return sum(len(self._delivered.every(self._connection, child)) for child in children)

    def _read(self) -> list[_Record]:
        limit, reader = set_limit(self._entity), self._reader
        records: list[_Record] = []
        places: dict[bytes, list[int]] = {}
        for (number, cells), digest in self._rows():
            if all(cell is None or cell == "" for cell in cells):
                continue
            self.summary.rows += 1
            if self.summary.rows > limit:
                raise SetTooLargeError(limit)
            try:
                guid = reader.guid(cells)
                places.setdefault(guid, []).append(number)
                records.append(_Record(number, guid, digest, reader.record(cells, guid)))
            except BadRowError as bad:
                self.summary.reject(number, bad.mistakes)
        column = reader.mapping.column_of("guid")
        for numbers in places.values():
            for number in numbers if len(numbers) > 1 else ():
                self.summary.reject(number, [duplicate(column, number, numbers)])
        return records

    def _rows(self) -> Iterator[tuple[Row, bytes]]:
        salt = self._reader.mapping.salt()
        for batch in self._table.batches():
            digests = batch.digests(salt)
            for index, row in enumerate(batch.rows(range(len(batch)))):
                yield row, digests[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES]

    def _send(self, records: Sequence[_Record]) -> None:
        self.summary.requests += 1
        try:
            counts = self._service.upsert(self._entity, [each.record for each in records])
        except BatchRefused as refused:
            found = objections(refused, self._reader.mapping, [each.record for each in records])
            for index, mistakes in found.items():
                self.summary.reject(records[index].row, mistakes)
            if not found:
                mistake = CellMistake("", refused.failure.message, "correct it in the file")
                self.summary.reject(records[0].row if records else 0, [mistake])
            self.summary.waiting = len(records) - self.summary.rejected_count
            self.summary.orphans |= refused.status == 400
            return
        self.summary.inserted += counts.inserted
        self.summary.updated += counts.updated
        self.summary.waiting, self.summary.done = 0, 1
        taken = [(each.guid, each.digest) for each in records]
        self._delivered.replace(self._connection, self._entity, taken)
