# mypy: disable-error-code="arg-type"
# Keys are written as plain text here.
"""A file that was not saved to its end is found by what its own format promises."""

from __future__ import annotations

import io
import json
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import ezdxf.filemanagement
import pyarrow as pa
import pyarrow.parquet
import pytest
import shapefile
from scan_scene import Drawings, Memory

from twinsyncd.disk.completeness import missing_part
from twinsyncd.disk.folder import Folder
from twinsyncd.disk.look import look
from twinsyncd.disk.tree import Tree
from twinsyncd.errors import DiskError

FREE, END, TABLE, LISTING = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC


def missing(path: str, content: bytes) -> str:
    return missing_part(path, len(content), lambda at, length: content[at : at + length])


def masked(header: bytes) -> bytes:
    """Mask it as the format does: XOR with a linear congruential generator's upper half."""
    state, out = 1, bytearray()
    for byte in header:
        state = (state * 214013 + 2531011) % 2**32
        out.append(byte ^ (state >> 16 & 0xFF))
    return bytes(out)


def dwg_2018() -> bytes:
    """Return the frame of a DWG: the masked header, pages, and the header once more at the end."""
    size = 0x1000
    header = bytearray(0x6C)
    header[:12] = b"AcFssFcAJMB\0"
    struct.pack_into("<Q", header, 0x34, size - 0x6C)
    struct.pack_into("<Q", header, 0x54, 0xD00)
    content = bytearray(b"AC1032").ljust(size, b"\x11")
    content[0x80:0xEC] = content[-0x6C:] = masked(bytes(header))
    return bytes(content)


def dwg_2000() -> bytes:
    content = bytearray(b"AC1015").ljust(900, b"\x22")
    struct.pack_into("<I", content, 0x15, 2)
    struct.pack_into("<BII", content, 0x19, 0, 0x61, 200)
    struct.pack_into("<BII", content, 0x22, 1, 700, 200)
    return bytes(content)


def compound(sectors: int = 300, *, tables_first: bool = False) -> bytes:
    """Return an OLE file of 512-byte sectors, as RVT and DGN V8 are, with the table of them."""
    tables = -(-(sectors + 2) // 126)
    listing = tables > 109  # those that the header has no room for are listed in one more sector
    kinds = [END] * sectors + [TABLE] * tables + [LISTING] * listing
    places = list(range(sectors, sectors + tables))
    if tables_first:
        kinds, places = [TABLE] * tables + [END] * sectors, list(range(tables))
    kinds += [FREE] * (tables * 128 - len(kinds))
    header = bytearray(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1").ljust(512, b"\0")
    struct.pack_into("<HHHHH", header, 0x18, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<II", header, 0x44, sectors + tables if listing else END, listing)
    struct.pack_into("<109I", header, 0x4C, *(places + [FREE] * 109)[:109])
    table, content = struct.pack(f"<{len(kinds)}I", *kinds), b"s" * 512 * sectors
    more = struct.pack("<128I", *(places[109:] + [FREE] * 127)[:127], END) if listing else b""
    return bytes(header) + (table + content if tables_first else content + table) + more


def ifc() -> bytes:
    lines = "\n".join(f"#{i}=IFCWALL('{i}');" for i in range(400))
    text = f"ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\n{lines}\nENDSEC;\nEND-ISO-10303-21;\n\n"
    return text.encode()


def dgn_v7() -> bytes:
    elements = b"".join(struct.pack("<HH", 0x0301, 20) + b"e" * 40 for _ in range(30))
    return b"\x08\x09\xfe\x02" + b"h" * 2 * 0x2FE + elements + b"\xff\xff" + b"\0" * 100


def dxf() -> bytes:
    text = io.StringIO()
    drawing = ezdxf.filemanagement.new()
    drawing.modelspace().add_line((0, 0), (1, 1))
    drawing.write(text)
    return text.getvalue().encode()


def zipped() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("model.ifc", ifc())
        archive.comment = b"by the exporter"
    return held.getvalue()


def shape() -> bytes:
    shp = io.BytesIO()
    with shapefile.Writer(shp=shp, shx=io.BytesIO(), dbf=io.BytesIO()) as writer:
        writer.field("name")
        for i in range(20):
            writer.line([[(i, 0), (i, 1)]])
            writer.record(str(i))
        writer.close()
    return shp.getvalue()


def database(folder: Path) -> bytes:
    file = folder / "made.gpkg"
    with sqlite3.connect(file) as held:
        held.execute("create table t (x)")
        held.executemany("insert into t values (?)", [("x" * 100,)] * 500)
    held.close()
    return file.read_bytes()


def parquet() -> bytes:
    held = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"x": list(range(500))}), held)
    return held.getvalue()


def binary_dxf() -> bytes:
    pair = struct.pack("<H", 999) + b"made by a test" * 60 + b"\0"
    return b"AutoCAD Binary DXF\r\n\x1a\0" + pair + struct.pack("<H", 0) + b"EOF\0"


def land_xml() -> bytes:
    points = "".join(f"<Pnt id='{i}'>{i} 0</Pnt>" for i in range(200))
    # What a comment says is no element, also if the comment is longer than a first look.
    text = (
        f"<?xml version='1.0'?>\n<!-- <b>{'licence ' * 80}</b> -->\n<LandXML>{points}</LandXML>\n"
    )
    return text.encode()


def dbase() -> bytes:
    held = io.BytesIO()
    with shapefile.Writer(shp=io.BytesIO(), shx=io.BytesIO(), dbf=held) as writer:
        writer.field("name")
        for i in range(20):
            writer.point(i, i)
            writer.record(str(i))
        writer.close()
    return held.getvalue()


def made(ending: str, folder: Path) -> bytes:
    makers: dict[str, Callable[[], bytes]] = {
        "2018.dwg": dwg_2018,
        "2000.dwg": dwg_2000,
        ".rvt": compound,
        ".dgn": dgn_v7,
        ".ifc": ifc,
        ".dxf": dxf,
        ".ifczip": zipped,
        ".shp": shape,
        ".gpkg": lambda: database(folder),
        ".parquet": parquet,
        "b.dxf": binary_dxf,
        ".xml": land_xml,
        ".geojson": lambda: json.dumps({"features": list(range(500))}).encode(),
        ".pdf": lambda: b"%PDF-1.7\n" + b"stream\n" * 900 + b"startxref\n%%EOF\n",
        ".dbf": dbase,
    }
    return makers[ending]()


ENDINGS = ("2018.dwg", "2000.dwg", ".rvt", ".dgn", ".ifc", ".dxf", ".ifczip", ".shp", ".gpkg")
FORMATS = (*ENDINGS, ".parquet", "b.dxf", ".xml", ".geojson", ".pdf", ".dbf")
HAVE_AN_END = tuple(each for each in FORMATS if each not in {".gpkg", ".shp", ".dbf"})


@pytest.mark.parametrize("ending", FORMATS)
def test_what_was_saved_to_its_end_is_complete(ending: str, tmp_path: Path) -> None:
    """A good drawing that is not taken would be worse than a bad one that is."""
    content = made(ending, tmp_path)

    assert missing(f"plan{ending}", content) == ""


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_copy_that_broke_off_is_found(ending: str, share: float, tmp_path: Path) -> None:
    """A copy program that died leaves a file that is quiet, readable and useless."""
    content = made(ending, tmp_path)

    lacks = missing(f"plan{ending}", content[: int(len(content) * share)])

    assert "it has " in lacks or "missing" in lacks or "within" in lacks


@pytest.mark.parametrize("ending", HAVE_AN_END)
def test_a_copy_that_broke_off_with_its_size_reserved_is_found(ending: str, tmp_path: Path) -> None:
    """Windows reserves the whole length before it copies: what is not written then is zeros."""
    content = made(ending, tmp_path)
    half = len(content) // 2

    lacks = missing(f"plan{ending}", content[:half] + bytes(len(content) - half))

    assert "zeros" in lacks or "missing" in lacks or "within an element" in lacks


@pytest.mark.parametrize("name", ["a.dwg", "b.rvt", "c.ifc", "d.xlsx", "e.shp", "f.dgn"])
def test_a_drawing_of_zeros_alone_is_not_complete(name: str) -> None:
    """What a power cut leaves of a file whose size the disk knew already."""
    assert "begins with zeros" in missing(name, bytes(70_000))


@pytest.mark.parametrize(
    "content",
    [
        b"<a/>",
        b"\xef\xbb\xbf<?xml version='1.0'?><a><b/></a>\n<!-- by x -->",
        "<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16"),
        b"<a>" + b"x" * 600 + b"</a>" + b" " * 5000,
        b"<!DOCTYPE a [<!ENTITY x '<y>'>]><a>" + b"x" * 600 + b"</a>",
    ],
)
def test_odd_xml_that_is_whole_is_taken(content: bytes) -> None:
    """Only an end that is certainly missing keeps a file back."""
    assert missing("a.xml", content) == ""


def test_an_ole_file_that_lost_sectors_but_not_their_table_is_found() -> None:
    """Revit may write the table first: what is cut off then is content alone."""
    whole = compound(tables_first=True)

    assert missing("a.rvt", whole) == ""
    assert "by its own sectors" in missing("a.rvt", whole[:-1024])


@pytest.mark.parametrize("cut_bytes", [600, 512 * 200, 512 * 20_000])
def test_an_ole_file_of_many_tables_is_followed_to_its_end(cut_bytes: int) -> None:
    """The header lists 109 tables, which are enough for 7 MB; models are larger."""
    whole = compound(sectors=127 * 160)

    assert missing("a.rvt", whole) == ""
    assert missing("a.rvt", whole[:-cut_bytes])


@pytest.mark.parametrize("name", ["a.dwg", "b.DGN", "c.rvt", "d.ifc", "e.shp", "f.xlsx"])
def test_an_empty_drawing_is_not_complete(name: str) -> None:
    """CAD programs make an empty file first; a full disk leaves it so."""
    assert missing(name, b"") == "it has no content at all"


@pytest.mark.parametrize("content", [b"", b"x", b"just text"])
@pytest.mark.parametrize("name", ["notes.csv", "readme.txt", "empty.json"])
def test_nothing_is_asked_of_what_may_be_short(name: str, content: bytes) -> None:
    """A table without rows is a table."""
    assert missing(name, content) == ""


ROWS = b"id,name\n" + b"1,door\n" * 200


@pytest.mark.parametrize("name", ["t.csv", "t.TSV", "t.ndjson", "t.txt"])
@pytest.mark.parametrize(
    ("content", "lacks"),
    [
        (bytes(len(ROWS)), "it begins with zeros"),
        (ROWS[:700] + bytes(len(ROWS) - 700), "it ends in zeros"),
        (ROWS, ""),
        (ROWS + b"\x1a" + bytes(10), ""),
        (ROWS.decode().encode("utf-16"), ""),
        (ROWS.decode().encode("utf-16-be"), ""),
    ],
    ids=["zeros", "half zeros", "whole", "filled by DOS", "UTF-16", "UTF-16 without a mark"],
)
def test_a_table_of_zeros_is_a_copy_that_broke_off(name: str, content: bytes, lacks: str) -> None:
    """Its rows would count as deleted, and the iModel would lose them."""
    assert missing(name, content).startswith(lacks)
    assert lacks or not missing(name, content)


@pytest.mark.parametrize("name", ["a.dwg", "b.dgn", "c.ifc"])
def test_a_file_of_another_format_is_for_the_connector_to_judge(name: str) -> None:
    """Its message says what the file is; ours could only say what it is not."""
    assert missing(name, b"%PDF-1.7 a plan") == ""


def test_only_complete_files_are_read_as_new_content(tmp_path: Path) -> None:
    """The message names the file, what it lacks and the way out."""
    (tmp_path / "half.ifc").write_bytes(ifc()[:3000])
    tree = Tree(tmp_path)
    strict = Folder("s", tree, Drawings(), Memory())
    lenient = Folder("s", tree, Drawings(), Memory(), only_complete=False)
    fingerprint = look(tree, "half.ifc")
    assert fingerprint is not None

    with pytest.raises(DiskError) as refused:
        strict.digest_of_new("half.ifc", fingerprint)

    assert "half.ifc is incomplete: its last line" in refused.value.with_hint
    assert "only_complete = false" in refused.value.with_hint
    assert lenient.digest_of_new("half.ifc", fingerprint) == strict.digest("half.ifc", fingerprint)
