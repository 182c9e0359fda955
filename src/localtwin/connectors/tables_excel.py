"""The connector for Excel workbooks, XLSX and XLS, by way of calamine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

import python_calamine as calamine

from localtwin.connectors.archives import encrypted, opened_archive
from localtwin.connectors.excel_cells import (
    OLD_BOOKS,
    refuse_far_cells,
    refuse_impossible_cells,
)
from localtwin.connectors.ole_files import opened_ole
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
            # calamine leaves out empty columns before the first that is used.
            header = find_header(first, sheet.start[1] if sheet.start else 0)
            properties: dict[str, Json] = {}
            if header.above:
                properties["heading"] = list(header.above)
            if about.visible is not calamine.SheetVisibleEnum.Visible:
                properties["hidden"] = True
            yield Table(about.name, header.names, partial(_records, sheet, header), properties)


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
            refuse_far_cells(archive)
    elif found:
        with opened_ole(file) as ole:
            if ole.exists("EncryptedPackage"):
                raise encrypted()
            if not any(map(ole.exists, OLD_BOOKS)):
                raise misnamed("an Excel workbook", "an OLE container of another program")
            refuse_impossible_cells(ole)
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


def _broken(what: str, reason: str) -> ConnectorError:
    message = f"The file is damaged or incomplete, in {what}: {reason}."
    return unreadable(message, code="FileIncomplete")
