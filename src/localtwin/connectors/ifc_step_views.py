"""The instances of a STEP file by their numbers; a text is made when it is asked for."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np

from localtwin.connectors.ifc_hashes import Places
from localtwin.connectors.ifc_statements import Statements

_TABLE_MIN = 1_000_000  # numbers for which a table is made, however few of them are used
_TABLE_FACTOR = 8  # how many times as many numbers as instances a table may have


class RowTable:
    """The rows of instances by their numbers; -1 for a number that the file does not have.

    `quick` is for single numbers; it has -1 for those that are missing, or raises LookupError.
    `is_unique` is whether no number is that of two instances.
    """

    def __init__(self, ids: Places) -> None:
        size = int(ids.max(initial=0)) + 1
        self.quick: Any
        if size <= max(_TABLE_MIN, _TABLE_FACTOR * len(ids)):
            self._table: Places | None = np.full(size + 1, -1, np.int64)
            rows = np.arange(len(ids))
            self._table[ids] = rows
            self.is_unique = bool((self._table[ids] == rows).all())
            self.quick = self._table.data
        else:
            self._table = None
            self._order = np.argsort(ids, kind="stable")
            self._sorted = ids[self._order]
            self.is_unique = not (self._sorted[1:] == self._sorted[:-1]).any()
            self.quick = dict(zip(ids.tolist(), range(len(ids)), strict=True))

    def of(self, number: str) -> int:
        """Return the row of one instance, "#12"."""
        try:
            return int(self.quick[int(number[1:])])
        except (LookupError, ValueError):
            return -1

    def of_all(self, ids: Places) -> Places:
        """Return the rows of many instances."""
        if self._table is not None:
            rows: Places = self._table[np.minimum(ids, len(self._table) - 1)]
            return rows
        places = np.minimum(np.searchsorted(self._sorted, ids), len(self._sorted) - 1)
        return np.where(self._sorted[places] == ids, self._order[places], -1)


class _View(Mapping[str, str]):
    """Texts by number."""

    def __init__(self, statements: Statements, rows: RowTable) -> None:
        self._ids = statements.ids
        self._quick = rows.quick

    @abstractmethod
    def of_row(self, row: int) -> str:
        """Return the text of a row."""

    def __getitem__(self, number: str) -> str:
        try:
            row = self._quick[int(number[1:])]
        except (LookupError, ValueError):
            raise KeyError(number) from None
        if row < 0:
            raise KeyError(number)
        return self.of_row(row)

    def __iter__(self) -> Iterator[str]:
        return (f"#{each}" for each in self._ids.tolist())

    def __len__(self) -> int:
        return len(self._ids)


class Keywords(_View):
    """Keywords by number, "IFCWALL"."""

    def __init__(self, statements: Statements, rows: RowTable) -> None:
        super().__init__(statements, rows)
        self._names = statements.names
        self._places = statements.keywords.data

    def of_row(self, row: int) -> str:
        """Return the keyword of a row."""
        return self._names[self._places[row]]


class Arguments(_View):
    """Arguments by number, without the outer brackets' opening one."""

    def __init__(self, statements: Statements, rows: RowTable) -> None:
        super().__init__(statements, rows)
        self._whole = statements.text
        self._begins = statements.begins.data
        self._ends = statements.ends.data

    def of_row(self, row: int) -> str:
        """Return the arguments of a row."""
        return self._whole[self._begins[row] : self._ends[row]].decode("utf-8", "replace")


class Numbers(Sequence[str]):
    """Numbers of instances, "#12", from an array."""

    def __init__(self, ids: Places) -> None:
        self._ids = ids

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> "Numbers": ...

    def __getitem__(self, place: int | slice) -> "str | Numbers":
        if isinstance(place, slice):
            return Numbers(self._ids[place])
        return f"#{self._ids[place]}"

    def __iter__(self) -> Iterator[str]:
        return (f"#{each}" for each in self._ids.tolist())

    def __len__(self) -> int:
        return len(self._ids)
