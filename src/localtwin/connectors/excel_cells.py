"""How far the cells of a workbook reach, looked at before its reader reserves memory for them.

The reader keeps the rectangle around all cells of a sheet, however few of them are used, and memory
that is not there ends the whole process.
"""

import re
import struct
import zipfile

import olefile

from localtwin.connectors.archives import encrypted
from localtwin.connectors.source import ConnectorError, unreadable

CELLS_MAX = 40_000_000  # of one sheet's rectangle, of which each takes 32 bytes
CHUNK_BYTES = 1 << 20
OLD_BOOKS = ("Workbook", "Book")  # the streams of XLS

_OVERLAP_BYTES = 64  # a reference is shorter, and may lie across two chunks
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d{1,7})"')
_FAR_CELL = re.compile(rb'\br="([A-Z]{2,3})(\d{1,7})"')  # past Z; the first 26 need no count
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)

# Records of XLS that begin with a row and a column.
# Source: [MS-XLS] 2.4, record types.
_CELL_RECORDS = {0x0006, 0x00BD, 0x00BE, 0x00D6, 0x00FD, 0x0201, 0x0203, 0x0204, 0x0205, 0x027E}
_PASSWORD_RECORD = 0x002F  # FilePass
_OLD_COLUMNS = 256
_RECORD = struct.Struct("<HH")


def refuse_far_cells(archive: zipfile.ZipFile) -> None:
    """Raise ConnectorError if a sheet of an XLSX has cells far outside of its table."""
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


def refuse_impossible_cells(ole: olefile.OleFileIO) -> None:
    """Raise ConnectorError if an XLS is encrypted or has a cell in a column XLS does not have."""
    for name in filter(ole.exists, OLD_BOOKS):
        with ole.openstream(name) as data:
            book = data.read()
        at = 0
        while at + 8 <= len(book):
            kind, size = _RECORD.unpack_from(book, at)
            if kind == _PASSWORD_RECORD:  # all that follows is encrypted
                raise encrypted()
            if kind in _CELL_RECORDS and _RECORD.unpack_from(book, at + 4)[1] >= _OLD_COLUMNS:
                raise _impossible(at)
            at += 4 + size


def _impossible(at: int) -> ConnectorError:
    message = f"The workbook is damaged: the cell at byte {at:,} is in no column of XLS."
    return unreadable(message, code="FileIncomplete")


def _corner(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Return the last row, and the last column but at least 26, of a sheet's XML."""
    rows, columns, kept = 1, 26, b""
    with archive.open(entry) as data:
        while chunk := data.read(CHUNK_BYTES):
            text = kept + chunk
            far = _FAR_CELL.findall(text)
            rows = max(rows, *map(int, _ROW.findall(text)), *(int(row) for _, row in far), 1)
            columns = max(columns, *map(_number, {letters for letters, _ in far}), 1)
            kept = text[-_OVERLAP_BYTES:]
    return rows, columns


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
