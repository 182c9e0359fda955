"""The program that test_reading_cost measures: large drawings and workbooks, step by step.

Usage: python -m benchmarks.reading_cost STEP FOLDER COUNT. Prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import ezdxf.filemanagement
import python_calamine

from localtwin.connectors.dxf import DxfConnector
from localtwin.connectors.source import Connector, SourceElement
from localtwin.connectors.tables_excel import ExcelConnector

from .ifc_cost import timed

_DRAWN = (
    "0\nLINE\n5\n{h:X}\n100\nAcDbEntity\n8\nWalls\n100\nAcDbLine\n10\n{x}\n20\n{y}\n30\n0.0\n"
    "11\n{y}\n21\n{x}\n31\n0.0\n",
    "0\nCIRCLE\n5\n{h:X}\n100\nAcDbEntity\n8\nPipes\n62\n3\n100\nAcDbCircle\n10\n{x}\n20\n{y}\n"
    "30\n0.0\n40\n12.5\n",
    "0\nTEXT\n5\n{h:X}\n100\nAcDbEntity\n8\nNotes\n100\nAcDbText\n10\n{x}\n20\n{y}\n30\n0.0\n40\n"
    "2.5\n1\nRoom {h}\n100\nAcDbText\n",
    "0\nLWPOLYLINE\n5\n{h:X}\n100\nAcDbEntity\n8\nWalls\n100\nAcDbPolyline\n90\n4\n70\n1\n10\n{x}\n"
    "20\n{y}\n10\n{y}\n20\n{y}\n10\n{y}\n20\n{x}\n10\n{x}\n20\n{x}\n",
)
_FIRST_HANDLE = 0x10000


def write_drawing(file: Path, entities: int) -> None:
    """Write a drawing of lines, circles, texts and polylines, as programs write them."""
    empty = file.with_name("empty.dxf")
    ezdxf.filemanagement.new("R2010").saveas(empty)
    before, mark, after = empty.read_text("utf-8").partition("  2\nENTITIES\n")
    with file.open("w", encoding="utf-8") as out:
        out.write(before + mark)
        for number in range(entities):
            x, y = number * 0.37, number % 1000 * 1.25
            handle = _FIRST_HANDLE + number
            out.write(_DRAWN[number % len(_DRAWN)].format(h=handle, x=x, y=y))
        out.write(after)


def write_workbook(file: Path, rows: int) -> None:
    """Write a workbook of one sheet with a number, two texts and a flow in each row."""
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="xml" ContentType="application/xml"/><Default '
        'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        'relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/'
        'main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="Equipment" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/'
        'package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(
                b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
                b"<sheetData>"
            )
            for number in range(rows + 1):
                sheet.write(_row(number).encode())
            sheet.write(b"</sheetData></worksheet>")


def _row(number: int) -> str:
    texts = ("Id", "Tag", "Building", "Flow")
    if number:
        texts = (f"E{number}", f"P-{number}", f"B{number % 50}", "")
    cells = [
        f'<c r="{column}{number + 1}" t="inlineStr"><is><t>{text}</t></is></c>'
        for column, text in zip("ABCD", texts, strict=True)
        if text
    ]
    if number:
        cells.append(f'<c r="D{number + 1}"><v>{number * 0.5}</v></c>')
    return f'<row r="{number + 1}">{"".join(cells)}</row>'


def _mapped(connector: Connector, file: Path) -> int:
    """Return the number of elements, each with its checksum."""
    return sum(
        bool(each.checksum()) for each in connector.read(file) if isinstance(each, SourceElement)
    )


def _rows_of(file: Path) -> int:
    sheet = python_calamine.CalamineWorkbook.from_path(file).get_sheet_by_index(0)
    return sum(1 for _ in sheet.iter_rows())


def _entities_of(file: Path) -> int:
    return len(ezdxf.filemanagement.readfile(file).modelspace())


STEPS = {
    "parse_dxf": lambda folder: _entities_of(folder / "drawing.dxf"),
    "map_dxf": lambda folder: _mapped(DxfConnector(), folder / "drawing.dxf"),
    "parse_xlsx": lambda folder: _rows_of(folder / "table.xlsx"),
    "map_xlsx": lambda folder: _mapped(ExcelConnector(), folder / "table.xlsx"),
}


if __name__ == "__main__":
    print(json.dumps(timed(lambda: STEPS[sys.argv[1]](Path(sys.argv[2])))))
