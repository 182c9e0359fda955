"""Reads workbooks: XLSX, XLS and ODS, one sheet, which has to be in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from .batches import Row
from .columns import BadTableError, places

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
        first = (table.start or (0, 0))[0]
        rows = table.iter_rows()
        skipped = 0
        header: list[Any] = []
        for header in rows:
            skipped += 1
            if any(cell != "" for cell in header):
                break
        at = places([str(cell) for cell in header], columns, f' in sheet "{name}"')
        begin = skipped + 1 + (0 if skipped > first else first)
        for number, row in enumerate(rows, begin):
            if any(cell != "" for cell in row):
                yield number, tuple([row[place] for place in at])
    except calamine.CalamineError as exc:
        raise BadTableError(f"it is not a readable workbook: {exc}") from exc
