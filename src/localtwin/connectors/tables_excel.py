"""The connector for Excel workbooks, XLSX and XLS, by way of calamine."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

import python_calamine as calamine

from localtwin.connectors.archives import encrypted, opened_archive
from localtwin.connectors.record_keys import Record
from localtwin.connectors.signatures import HEAD_BYTES, misnamed, real_format
from localtwin.connectors.source import ConnectorError, Json, unreadable
from localtwin.connectors.table_columns import (
    HEADER_WITHIN,
    Cell,
    Header,
    find_header,
    meaning_of_cell,
)
from localtwin.connectors.tables import Table, TablesConnector

CELLS_MAX = 40_000_000  # of the rectangle around a sheet's cells, of which each takes 32 bytes
CHUNK_BYTES = 1 << 20
_OVERLAP_BYTES = 64  # a reference is shorter, and may lie across two chunks
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d{1,7})"')
_FAR_COLUMN = re.compile(rb'\br="([A-Z]{2,3})\d{1,7}"')  # past Z; the first 26 need no count
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)


class ExcelConnector(TablesConnector):
    """Reads the worksheets of a workbook, hidden ones as well."""

    def tables(self, file: Path) -> Iterator[Table]:
        """Yield each worksheet that has rows; raises ConnectorError on a broken workbook."""
        workbook = _opened(file)
        for about in workbook.sheets_metadata:
            if about.typ is not calamine.SheetTypeEnum.WorkSheet:
                self.remark(f"The sheet {about.name} has no cells and was not read.")
                continue
            sheet = _sheet(workbook, about.name)
            first = [_values(row) for row in islice(sheet.iter_rows(), HEADER_WITHIN)]
            first = [row for row in first if any(value is not None for value in row)]
            if not first:
                continue
            header = find_header(first)
            properties: dict[str, Json] = {}
            if header.above:
                properties["heading"] = list(header.above)
            if about.visible is not calamine.SheetVisibleEnum.Visible:
                properties["hidden"] = True
            yield Table(about.name, header.columns, partial(_records, sheet, header), properties)


def _records(sheet: calamine.CalamineSheet, header: Header) -> Iterator[Record]:
    rows = (_values(row) for row in sheet.iter_rows())
    present = (row for row in rows if any(value is not None for value in row))
    for row in islice(present, header.rows, None):
        yield header.record(row)


def _values(row: Sequence[Cell]) -> list[Json]:
    return [meaning_of_cell(cell) for cell in row]


def _opened(file: Path) -> calamine.CalamineWorkbook:
    with file.open("rb") as data:
        head = data.read(HEAD_BYTES)
    if not head:
        raise unreadable("The file is empty.", code="FileEmpty")
    found = real_format(head)
    if found and "ZIP" not in found and "OLE" not in found:
        raise misnamed("an Excel workbook", found)
    if "ZIP" in found:
        with opened_archive(file) as archive:
            _refuse_wide_sheets(archive)
    with _translated("the workbook"):
        return calamine.CalamineWorkbook.from_path(file)


def _sheet(workbook: calamine.CalamineWorkbook, name: str) -> calamine.CalamineSheet:
    with _translated(f"the sheet {name}"):
        return workbook.get_sheet_by_name(name)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn whatever the library raises on a damaged workbook into a ConnectorError."""
    try:
        yield
    except calamine.PasswordError as exc:
        raise encrypted() from exc
    except Exception as exc:
        raise _broken(what, str(exc)) from exc
    except BaseException as exc:
        # A panic of the library is no Exception; what a user or the system stops must go on.
        if type(exc).__name__ != "PanicException":
            raise
        raise _broken(what, "it has contents that can't be read") from exc


def _refuse_wide_sheets(archive: zipfile.ZipFile) -> None:
    """Raise ConnectorError if a sheet would fill the memory, as one with a cell in a far corner.

    The library keeps the whole rectangle, however few of its cells are used.
    """
    for entry in archive.infolist():
        if not _SHEET.fullmatch(entry.filename):
            continue
        rows, columns = _corner(archive, entry)
        if rows * columns > CELLS_MAX:
            error = unreadable(
                f"{entry.filename} reaches to row {rows:,} and column {columns:,}.",
                code="FileTooLarge",
            )
            error.description = (
                "Delete the cells far outside the table, or split it over several sheets."
            )
            raise error


def _corner(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Return the last row, and the last column but at least 26, of a sheet's XML."""
    rows, columns, kept = 1, 26, b""
    with archive.open(entry) as data:
        while chunk := data.read(CHUNK_BYTES):
            text = kept + chunk
            rows = max(rows, *map(int, _ROW.findall(text)), 1)
            columns = max(columns, *map(_number, set(_FAR_COLUMN.findall(text))), 1)
            kept = text[-_OVERLAP_BYTES:]
    return rows, columns


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _broken(what: str, reason: str) -> ConnectorError:
    message = f"The file is damaged or incomplete, in {what}: {reason}."
    return unreadable(message, code="FileIncomplete")
