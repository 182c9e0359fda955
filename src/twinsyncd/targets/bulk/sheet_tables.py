"""Reads workbooks: XLSX, XLS and ODS, one sheet, which has to be in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from .batches import Row
from .columns import BadTableError, places

TITLES_MAX: Final = 20  # rows above the header: titles, dates, empty ones
SHEETS: Final = (".xlsx", ".xls", ".ods")


def sheet_of(file: Path, ending: str, sheet: str) -> str:
    """Return the name of the sheet that is read; "" for files without sheets."""
    if sheet or ending not in SHEETS:
        return sheet if ending in SHEETS else ""
    import python_calamine as calamine  # noqa: PLC0415 - optional

    return str(calamine.CalamineWorkbook.from_path(file).sheet_names[0])


def sheet_rows(file: Path, columns: Sequence[str], sheet: str) -> Iterator[Row]:
    """Yield the rows below the header, numbered as in the program. Raises BadTableError."""
    import python_calamine as calamine  # noqa: PLC0415 - optional

    try:
        book = calamine.CalamineWorkbook.from_path(file)
        name = sheet or book.sheet_names[0]
        if name not in book.sheet_names:
            names = ", ".join(book.sheet_names)
            raise BadTableError(f'there is no sheet "{name}"; its sheets: {names}')
        table = book.get_sheet_by_name(name)
        above = (table.start or (0, 0))[0]
        first = list(islice(table.iter_rows(), above + TITLES_MAX))
        # Rows before the first cell are left out, or are there and empty.
        skipped = above if any(cell != "" for row in first[:1] for cell in row) else 0
        place = _header_place(first, columns)
        header = first[place] if first else []
        at = places([str(cell) for cell in header], columns, f' in sheet "{name}"')
        for number, row in enumerate(islice(table.iter_rows(), place + 1, None), 1):
            if any(cell != "" for cell in row):
                yield skipped + place + 1 + number, tuple([row[each] for each in at])
    except calamine.CalamineError as exc:
        raise BadTableError(f"it is not a readable workbook: {exc}") from exc


def _header_place(rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> int:
    """Return where the header is: the first row with all columns, else the first with any text."""
    texts = [[str(cell).strip() for cell in row] for row in rows]
    whole = (at for at, row in enumerate(texts) if set(columns) <= set(row))
    filled = (at for at, row in enumerate(texts) if any(row))
    return next(whole, next(filled, 0))
