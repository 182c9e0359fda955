"""Reads the rows of export files: CSV, JSON, NDJSON, XLSX and Parquet, the wanted columns only.

CSV, NDJSON and Parquet are read piece by piece; JSON and XLSX have to be in memory as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ...errors import how_to_install
from .batches import Batch, Row, RowBatch
from .columns import BadTableError, places
from .csv_tables import SLICE_ROWS, csv_batches
from .mapping import Cells
from .parquet_tables import parquet_batches
from .sheet_tables import SHEETS, sheet_of, sheet_rows
from .text_encoding import encoding_of, not_decoded

__all__ = ["ENDINGS", "BadTableError", "Row", "Table"]

DEPTH_MAX: Final = 3  # objects around the list of a JSON file
ENDINGS: Final = (".csv", ".json", ".ndjson", ".jsonl", *SHEETS, ".parquet")


@dataclass(frozen=True, slots=True)
class Table:
    """An export file that holds still.

    `columns` are those that are read. `sheet`: of a workbook, "" for the first. `encoding`: of a
    text file without a byte order mark.
    """

    file: Path
    ending: str
    columns: Sequence[str]
    sheet: str = ""
    encoding: str = "utf-8"

    def batches(self) -> Iterator[Batch]:
        """Yield all rows, some at a time, reading the file anew. Raises BadTableError.

        Rows are numbered as the program that shows the file counts: by lines from 1 in CSV (that
        of the row's end), NDJSON and workbooks, by records from 1 in JSON and Parquet.
        """
        encoding = "utf-8"
        try:
            match self.ending:
                case ".parquet":
                    yield from parquet_batches(self.file, self.columns)
                case _ if self.ending in SHEETS:
                    yield from _sliced(sheet_rows(self.file, self.columns, self.sheet))
                case ".csv" | ".ndjson" | ".jsonl" | ".json":
                    encoding = encoding_of(self.file, self.encoding)
                    yield from self._text(encoding)
                case _:
                    raise BadTableError(f'"{self.ending}" is not one of {", ".join(ENDINGS)}')
        except UnicodeError as exc:
            raise BadTableError(not_decoded(self.file, encoding)) from exc
        except ImportError as exc:
            fix = how_to_install("bulk")
            raise BadTableError(f"a part is not installed ({exc}); {fix}") from exc

    def rows(self) -> Iterator[Row]:
        """Yield all rows, as `batches` does."""
        for batch in self.batches():
            yield from batch.rows(range(len(batch)))

    def sheet_shown(self) -> str:
        """Return the name of the sheet that is read; "" for files without sheets."""
        return sheet_of(self.file, self.ending, self.sheet)

    def _text(self, encoding: str) -> Iterator[Batch]:
        match self.ending:
            case ".csv":
                return csv_batches(self.file, self.columns, encoding)
            case ".json":
                return _sliced(_json(self.file, self.columns, encoding))
            case _:
                return _sliced(_ndjson(self.file, self.columns, encoding))


def _sliced(rows: Iterable[Row]) -> Iterator[Batch]:
    rest = iter(rows)
    while some := list(islice(rest, SLICE_ROWS)):
        yield RowBatch(some)


def _ndjson(file: Path, columns: Sequence[str], encoding: str) -> Iterator[Row]:
    objects = _Objects(columns)
    with file.open(encoding=encoding) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    item = json.loads(line)
                except (ValueError, RecursionError) as exc:
                    why = str(exc)
                    if isinstance(exc, json.JSONDecodeError):
                        why = f"{exc.msg} (character {exc.colno})"
                    if not line.endswith("\n"):
                        why += "; the file may be cut off: export it again"
                    raise BadTableError(f"line {number} is not JSON: {why}") from exc
                yield number, objects.cells(item, f"line {number}")
    objects.require_columns()


def _json(file: Path, columns: Sequence[str], encoding: str) -> Iterator[Row]:
    text = file.read_text(encoding)
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise BadTableError(f"it is not JSON: {exc}") from exc
    items = _list_in(items)
    objects = _Objects(columns)
    for number, item in enumerate(items, 1):
        yield number, objects.cells(item, f"record {number}")
    objects.require_columns()


def _list_in(value: Any, depth: int = 0) -> list[Any]:
    """Return the one list that a file holds, itself or within objects of other members.

    Raises BadTableError if there is none, or which of several is meant is not known.
    """
    if isinstance(value, list):
        return value
    members = value if isinstance(value, dict) else {}
    lists = [name for name, each in members.items() if isinstance(each, list)]
    inner = [each for each in members.values() if isinstance(each, dict)]
    if len(lists) == 1:
        return list(members[lists[0]])
    if not lists and len(inner) == 1 and depth < DEPTH_MAX:
        return _list_in(inner[0], depth + 1)
    found = f"; it has several lists ({', '.join(lists)}): export one" if lists else ""
    raise BadTableError(f"it must be a list of objects, like [{{...}}, {{...}}]{found}")


class _Objects:
    """Takes the wanted members out of objects; knows which of them were in none."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._missing = set(columns)
        self._names: dict[str, None] = {}  # of the first object, for a person
        self._count = 0

    def cells(self, item: Any, where: str) -> Cells:
        """Return the members. Raises BadTableError unless it is an object."""
        if not isinstance(item, dict):
            raise BadTableError(f'{where} is not an object; write it like {{"name": "value"}}')
        if not self._count:
            self._names = dict.fromkeys(item)
        self._count += 1
        if self._missing:
            self._missing -= item.keys()
        return tuple([item.get(column) for column in self._columns])

    def require_columns(self) -> None:
        """Raise BadTableError for a column that no object has: it was renamed, surely."""
        if self._count and self._missing:
            places(list(self._names), sorted(self._missing))
