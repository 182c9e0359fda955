"""Reads the rows of export files: CSV, JSON, NDJSON, XLSX and Parquet, the wanted columns only.

CSV, NDJSON and Parquet are read piece by piece; JSON and XLSX have to be in memory as a whole.
"""

from __future__ import annotations

import csv
import difflib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from .mapping import Cells

ENDINGS: Final = (".csv", ".json", ".ndjson", ".jsonl", ".xlsx", ".xls", ".ods", ".parquet")
SHEETS: Final = (".xlsx", ".xls", ".ods")
SLICE_ROWS: Final = 5000  # of a Parquet file in memory at once
_SAMPLE: Final = 65_536  # characters from which the separator of a CSV file is found out

Row = tuple[int, Cells]


class BadTableError(Exception):
    """The file cannot be read as a table; the text says what to do."""


def read_rows(file: Path, ending: str, columns: Sequence[str], sheet: str = "") -> Iterator[Row]:
    """Yield each row as its number, as the program that shows the file counts, and its cells.

    Lines count from 1 in CSV (of the row's end), NDJSON and spreadsheets, records from 1 in JSON
    and Parquet. Raises BadTableError.
    """
    try:
        match ending:
            case ".csv":
                yield from _csv(file, columns)
            case ".ndjson" | ".jsonl":
                yield from _ndjson(file, columns)
            case ".json":
                yield from _json(file, columns)
            case ".parquet":
                yield from _parquet(file, columns)
            case _ if ending in SHEETS:
                yield from _sheet(file, columns, sheet)
            case _:
                raise BadTableError(f'"{ending}" is not one of {", ".join(ENDINGS)}')
    except UnicodeDecodeError as exc:
        raise BadTableError('it is not UTF-8 text; save it with encoding "UTF-8"') from exc
    except ImportError as exc:
        missing = f"a part is not installed ({exc}); install it with: pip install 'twinsyncd[bulk]'"
        raise BadTableError(missing) from exc


def sheet_of(file: Path, ending: str, sheet: str) -> str:
    """Return the name of the sheet that `read_rows` reads; "" for files without sheets."""
    if sheet or ending not in SHEETS:
        return sheet if ending in SHEETS else ""
    import python_calamine as calamine  # noqa: PLC0415 - optional

    return str(calamine.CalamineWorkbook.from_path(file).sheet_names[0])


def _places(header: Sequence[str], columns: Sequence[str], where: str = "") -> list[int]:
    names = [str(name).strip() for name in header]
    for column in columns:
        if column not in names:
            near = difflib.get_close_matches(column, names, n=1)
            fix = f'did you mean "{near[0]}"?' if near else f"its columns: {', '.join(names[:20])}"
            raise BadTableError(f'there is no column "{column}"{where}; {fix}')
    return [names.index(column) for column in columns]


def _csv(file: Path, columns: Sequence[str]) -> Iterator[Row]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        first = text.readline(_SAMPLE)
        text.seek(0)
        separator = max(",;\t|", key=first.count)
        rows = csv.reader(text, delimiter=separator, strict=True)
        try:
            header = next(rows, None)
            if header is None:
                raise BadTableError("it is empty; the first line must name the columns")
            places = _places(header, columns)
            for row in rows:
                if row:
                    if len(row) != len(header):
                        cells = f"{len(row)} cells, the header has {len(header)}"
                        raise BadTableError(
                            f"line {rows.line_num} has {cells}; put texts in quotes"
                        )
                    yield rows.line_num, tuple([row[place] for place in places])
        except csv.Error as exc:
            raise BadTableError(f"line {rows.line_num}: {exc}; look for a missing quote") from exc


def _ndjson(file: Path, columns: Sequence[str]) -> Iterator[Row]:
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    item = json.loads(line)
                except ValueError as exc:
                    raise BadTableError(f"line {number} is not JSON: {exc}") from exc
                yield number, _of_object(item, columns, f"line {number}")


def _json(file: Path, columns: Sequence[str]) -> Iterator[Row]:
    try:
        items = json.loads(file.read_text("utf-8-sig"))
    except ValueError as exc:
        if isinstance(exc, UnicodeDecodeError):
            raise
        raise BadTableError(f"it is not JSON: {exc}") from exc
    if isinstance(items, dict) and len(items) == 1:
        items = next(iter(items.values()))
    if not isinstance(items, list):
        raise BadTableError("it must be a list of objects, like [{...}, {...}]")
    for number, item in enumerate(items, 1):
        yield number, _of_object(item, columns, f"record {number}")


def _of_object(item: Any, columns: Sequence[str], where: str) -> Cells:
    if not isinstance(item, dict):
        raise BadTableError(f'{where} is not an object; write it like {{"name": "value"}}')
    return tuple([item.get(column) for column in columns])


def _parquet(file: Path, columns: Sequence[str]) -> Iterator[Row]:
    import pyarrow as pa  # noqa: PLC0415 - optional, and 60 MB in memory
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    number = 0
    try:
        with pq.ParquetFile(file) as opened:
            _places(opened.schema_arrow.names, columns)
            for piece in opened.iter_batches(SLICE_ROWS, columns=list(columns), use_threads=False):
                for cells in zip(*(piece.column(c).to_pylist() for c in columns), strict=True):
                    number += 1
                    yield number, cells
    except pa.ArrowException as exc:
        raise BadTableError(f"it is not a readable Parquet file: {exc}") from exc


def _sheet(file: Path, columns: Sequence[str], sheet: str) -> Iterator[Row]:
    import python_calamine as calamine  # noqa: PLC0415 - optional

    try:
        book = calamine.CalamineWorkbook.from_path(file)
        name = sheet or book.sheet_names[0]
        if name not in book.sheet_names:
            names = ", ".join(book.sheet_names)
            raise BadTableError(f'there is no sheet "{name}"; its sheets: {names}')
        table = book.get_sheet_by_name(name)
        first = (table.start or (0, 0))[0]
        rows = table.iter_rows()
        skipped = 0
        header: list[Any] = []
        for header in rows:
            skipped += 1
            if any(cell != "" for cell in header):
                break
        places = _places([str(cell) for cell in header], columns, f' in sheet "{name}"')
        begin = skipped + 1 + (0 if skipped > first else first)
        for number, row in enumerate(rows, begin):
            if any(cell != "" for cell in row):
                yield number, tuple([row[place] for place in places])
    except calamine.CalamineError as exc:
        raise BadTableError(f"it is not a readable workbook: {exc}") from exc
