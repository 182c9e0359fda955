"""Finds records that two export files have: which file goes in with them, and what differs.

The service has such a record as one of the files has it: as that whose name comes last, so of dated
exports as the newest. So it is known what it has, whichever file was saved last. A row that loses
is rejected until somebody deletes it in one of the files; rows that make the same record are no
conflict, even where one is in a workbook and the other in a text file. Only records that another
file brought are compared, so files without common records cost nothing more than keeping the
digests of their rows.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from ...core.model import FileKey
from .batches import DIGEST_BYTES, Batch
from .digest_sets import DigestSet
from .mapping import SHOWN_MAX, BadRowError, CellMistake, RowMapping, RowReader
from .marks import KeepsRows
from .summary import NAMED_MAX

PIECE_BYTES: Final = 1 << 20  # of digests that the journal keeps as one value

Record = Mapping[str, Any]


class ReadsBatches(Protocol):
    """The rows of a file."""

    def batches(self) -> Iterator[Batch]:
        """Yield them all, reading the file anew. Raises BadTableError."""

    def sheet_shown(self) -> str:
        """Return the name of the sheet that is read; "" for files without sheets."""


class FileRows(NamedTuple):
    """A file's rows, and how they become records."""

    table: ReadsBatches
    reader: RowReader


OpensFile = Callable[[FileKey], AbstractContextManager[FileRows | None]]
"""Opens a file as it is on the drive now; None if it cannot be read."""


class Verdict(NamedTuple):
    """The numbers of rows that another file has as well, and of those that lose to another file."""

    same: Sequence[int] = ()
    lost: Sequence[tuple[int, Sequence[CellMistake]]] = ()


class FindsRivals(Protocol):
    """The other files of a kind, for the delivery of one file."""

    def contested(self, known: Mapping[bytes, bytes]) -> Mapping[bytes, int]:
        """Return the GUIDs whose digest, which the service took, a row of another file has.

        With each the number of the first such file.
        """

    def note(self, rival: int, row: int, digests: tuple[bytes, bytes], record: Record) -> None:
        """Note a row with such a GUID: its digest, the one that was taken, and its record."""

    def verdict(self, own: FileRows) -> Verdict:
        """Return what becomes of the rows that were noted."""

    def keep(self, digests: DigestSet) -> None:
        """Keep the digests of all rows of this file, before anything is sent."""


class _NoRivals:
    """There is only one file."""

    def contested(self, _known: Mapping[bytes, bytes]) -> Mapping[bytes, int]:
        return {}

    def note(self, _rival: int, _row: int, _digests: tuple[bytes, bytes], _record: Record) -> None:
        raise AssertionError("no row is contested")

    def verdict(self, _own: FileRows) -> Verdict:
        return Verdict()

    def keep(self, digests: DigestSet) -> None:
        pass


NO_RIVALS: Final = _NoRivals()


@dataclass(slots=True)
class _Rival:
    """One other file, and the rows of ours that meet it; the lists have an entry for each."""

    key: FileKey
    rows: DigestSet
    numbers: array[int] = field(default_factory=lambda: array("q"))
    own: bytearray = field(default_factory=bytearray)  # the digests of our rows
    taken: bytearray = field(default_factory=bytearray)  # the digests of its rows
    records: bytearray = field(default_factory=bytearray)  # digests of our records
    also: set[FileKey] = field(default_factory=set)  # who else has such rows


class Rivals:
    """The other files of a kind that are there."""

    def __init__(
        self, connection: str, entity: str, key: FileKey, kept: KeepsRows, opens: OpensFile
    ) -> None:
        """`key` is the file that is delivered."""
        self._connection = connection
        self._entity = entity
        self._key = key
        self._kept = kept
        self._opens = opens
        self._rivals: list[_Rival] | None = None
        self._overridden: set[FileKey] = set()

    def contested(self, known: Mapping[bytes, bytes]) -> Mapping[bytes, int]:
        """Return the GUIDs whose digest, which the service took, a row of another file has."""
        found: dict[bytes, int] = {}
        if not known:
            return found
        guids, digests = list(known), b"".join(known.values())
        rivals = self._others()
        for at, rival in enumerate(rivals):
            for index in rival.rows.has(digests).nonzero()[0].tolist():
                first = found.setdefault(guids[index], at)
                if first != at:
                    rivals[first].also.add(rival.key)
        return found

    def note(self, rival: int, row: int, digests: tuple[bytes, bytes], record: Record) -> None:
        """Note a row with such a GUID: its digest, the one that was taken, and its record."""
        noted = self._others()[rival]
        noted.numbers.append(row)
        noted.own += digests[0]
        noted.taken += digests[1]
        noted.records += _digest_of(record)

    def verdict(self, own: FileRows) -> Verdict:
        """Return what becomes of the rows that were noted."""
        same: list[int] = []
        lost: list[tuple[int, Sequence[CellMistake]]] = []
        for rival in self._met():
            with self._opens(rival.key) as file:
                equal, named = _compared(rival, file) if file else (set[int](), {})
                same += [rival.numbers[at] for at in equal]
                differ = [at for at in range(len(rival.numbers)) if at not in equal]
                if _rank(self._key) > _rank(rival.key):
                    self._overridden |= {rival.key, *rival.also} if differ else set()
                    continue
                words = _words(self._key, own, rival, file, named)
                some = [CellMistake("", _unnamed(self._key, rival.key), _fix(self._key, rival.key))]
                lost += [(rival.numbers[at], words.get(at, some)) for at in differ]
        return Verdict(same, lost)

    def keep(self, digests: DigestSet) -> None:
        """Keep the digests of all rows of this file, before anything is sent."""
        kept, name, mark = self._kept, self._connection, digests.mark()
        kept.send_again(name, self._overridden)
        if mark != kept.mark(name, self._key):
            kept.keep(name, self._key, self._entity, list(digests.pieces(PIECE_BYTES)), mark)
        kept.note_rivals(name, self._key, {rival.key for rival in self._met()})

    def _others(self) -> list[_Rival]:
        if self._rivals is None:
            others = self._kept.others(self._connection, self._entity, self._key)
            keys = sorted(others, key=_rank, reverse=True)
            self._rivals = [
                _Rival(key, DigestSet(self._kept.read(self._connection, key))) for key in keys
            ]
        return self._rivals

    def _met(self) -> list[_Rival]:
        return [rival for rival in self._rivals or () if rival.numbers]


def _rank(key: FileKey) -> tuple[str, str, str]:
    """Return what files are ordered by, the winner last: `parts-2.csv` comes after `parts.csv`."""
    stem, _, ending = key.path.rpartition(".")
    return key.source, stem, ending


def _compared(rival: _Rival, file: FileRows) -> tuple[set[int], dict[int, tuple[int, Record]]]:
    """Return which of the noted rows make the same record as the other file's, and some others.

    Of those others: the number of its row, and its record.
    """
    import numpy as np  # noqa: PLC0415 - optional, and 20 MB in memory

    order = np.argsort(np.frombuffer(rival.taken, "<u8"), kind="stable")
    equal: set[int] = set()
    named: dict[int, tuple[int, Record]] = {}
    for place, number, record in _matching(file, DigestSet([bytes(rival.taken)])):
        at = int(order[place])
        if _digest_of(record) == rival.records[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES]:
            equal.add(at)
        elif len(named) < NAMED_MAX:
            named[at] = number, record
    return equal, named


def _matching(file: FileRows, wanted: DigestSet) -> Iterator[tuple[int, int, Record]]:
    """Yield the rows that have these digests: the place among them, the number, the record."""
    salt = file.reader.mapping.salt()
    for batch in file.table.batches():
        places = wanted.places(batch.digests(salt))
        at = (places >= 0).nonzero()[0].tolist()
        for (number, cells), index in zip(batch.rows(at), at, strict=True):
            try:
                record = file.reader.record(cells, file.reader.guid(cells))
            except BadRowError:
                continue
            yield int(places[index]), number, record


def _words(
    key: FileKey,
    own: FileRows,
    rival: _Rival,
    file: FileRows | None,
    named: Mapping[int, tuple[int, Record]],
) -> dict[int, list[CellMistake]]:
    """Return what is wrong with the rows that are named, by their places among the noted."""
    if not named or file is None:
        return {}
    at_of = {bytes(rival.own[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES]): at for at in named}
    digests = sorted(at_of, key=lambda digest: int.from_bytes(digest, "little"))
    words: dict[int, list[CellMistake]] = {}
    for place, _, record in _matching(own, DigestSet(digests)):
        at = at_of[digests[place]]
        row, other = named[at]
        sheet = f'sheet "{name}", ' if (name := file.table.sheet_shown()) else ""
        where = f"{_name(key, rival.key)}, {sheet}row {row},"
        words[at] = [_difference(own.reader.mapping, where, record, other, _fix(key, rival.key))]
    return words


def _difference(
    mapping: RowMapping, where: str, record: Record, other: Record, fix: str
) -> CellMistake:
    names = sorted(n for n in {*record, *other} if record.get(n) != other.get(n))
    first = names[0]
    there, here = _shown(other.get(first)), _shown(record.get(first))
    message = f"{where} has the same record with {first} {there}, here it is {here}"
    if len(names) > 1:
        message += f"; they differ in {', '.join(names[1:])}, too"
    return CellMistake(mapping.column_of(first), message, fix)


def _unnamed(key: FileKey, rival: FileKey) -> str:
    return f"{_name(key, rival)} has the same record with another content"


def _fix(key: FileKey, rival: FileKey) -> str:
    return (
        "delete the row in one of the two files, or make both equal; until then the service has"
        f" that of {_name(key, rival)}, whose name comes last"
    )


def _name(key: FileKey, rival: FileKey) -> str:
    """Return the other file's name, as a reader of `key` knows it."""
    return rival.path if rival.source == key.source else f"{rival.source}/{rival.path}"


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."


def _digest_of(record: Record) -> bytes:
    from xxhash import xxh3_64_digest  # noqa: PLC0415 - optional

    text = json.dumps(record, sort_keys=True, default=str)
    return xxh3_64_digest(text.encode("utf-8", "surrogatepass"))
