"""Says of a design file whether it was saved to its end, by what its own format promises.

A copy that broke off, a full disk or a program that died leaves a file that is quiet, readable and
useless; in the cloud it would take the place of good content. Only the formats' own statements of
length are checked, so a file that is complete but odd passes: what it holds is for the connector to
judge. A file whose first bytes are of no format known here passes too. Copy programs reserve the
whole size before they write, so a copy that broke off may have its length and end in zeros.

Sources: Open Design Specification for .dwg files (R13 to R2018), MS-CFB, ISO 10303-21, ESRI
Shapefile Technical Description, dBase file structure, APPNOTE.TXT (zip), SQLite file format,
Apache Parquet; text formats: see `text_completeness`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from . import text_completeness

Reader = Callable[[int, int], bytes]  # offset, length [bytes]; shorter at the file's end
_HEAD_BYTES: Final = 0x200


class _File(NamedTuple):
    read: Reader
    size: int
    head: bytes


def missing_part(path: str, size_bytes: int, read: Reader) -> str:
    """Return what a file lacks, for a person; "" if it is complete, or nothing speaks against it.

    `read(offset, length)` gives the file's bytes; a few of them are read.
    """
    ending = PurePosixPath(path).suffix.lower()
    if size_bytes == 0:
        return "it has no content at all" if ending in _NEVER_EMPTY else ""
    file = _File(read, size_bytes, read(0, _HEAD_BYTES))
    if not any(file.head) and (ending in _NEVER_EMPTY or ending in text_completeness.TABLES):
        return "it begins with zeros: its size was reserved, and its content was never written"
    try:
        return _check_for(ending, file.head)(file)
    except struct.error:
        return "it ends within its own header"


def _check_for(ending: str, head: bytes) -> Callable[[_File], str]:
    by_head = (check for magic, check in _CHECKS if head.startswith(magic))
    check = next(by_head, None) or _BY_NAME.get(ending)
    return check or (_dxf if _DXF_START.match(head) else lambda _file: "")


def _tail(file: _File, length: int = text_completeness.TAIL_BYTES) -> bytes:
    return file.read(max(file.size - length, 0), length)


def _dwg(file: _File) -> str:
    """R13 to R2000 list their sections in the open; R2004 and later in a masked header."""
    release = file.head[:6]
    if release in _DWG_LISTED:
        sections = _listed_sections(file)
    elif release in _DWG_MASKED:
        sections = _masked_sections(file)
    else:
        return ""
    end = max(map(sum, sections), default=0)
    return _short_of(file, end, "its own list of sections") or _first_unwritten(file, sections)


def _listed_sections(file: _File) -> list[tuple[int, int]]:
    """Return offset and length of each section."""
    (count,) = struct.unpack_from("<I", file.head, 0x15)
    records = (struct.unpack_from("<BII", file.head, 0x19 + 9 * i) for i in range(min(count, 16)))
    return [(offset, size) for _, offset, size in records]


def _masked_sections(file: _File) -> list[tuple[int, int]]:
    """Return offset and length of the copy of the header and of the list of pages."""
    header = bytes(a ^ b for a, b in zip(file.head[0x80:0xEC], _dwg_mask(0x6C), strict=True))
    if not header.startswith(b"AcFssFcAJMB"):
        return []
    (second_header,) = struct.unpack_from("<Q", header, 0x34)
    (page_map,) = struct.unpack_from("<Q", header, 0x54)
    return [(second_header, len(header)), (page_map + 0x100, 0)]


def _first_unwritten(file: _File, sections: list[tuple[int, int]]) -> str:
    """Return that a section begins with zeros, which none does but the smallest ones."""
    for offset, size in sorted(sections):
        if size > _SECTION_HEAD_BYTES and not any(file.read(offset, _SECTION_HEAD_BYTES)):
            return _unwritten(offset)
    return ""


def _unwritten(offset: int) -> str:
    return f"only zeros follow its first {offset:,} bytes: a copy broke off, or a disk was full"


def _dwg_mask(length: int) -> Iterator[int]:
    """Yield the bytes of the format's own generator; every file is masked with the same ones."""
    state = 1
    for _ in range(length):
        state = (state * 0x343FD + 0x269EC3) & 0xFFFFFFFF
        yield state >> 16 & 0xFF


def _compound(file: _File) -> str:
    """DGN V8, RVT and the older Office files are folders of sectors with a table of them."""
    (shift,) = struct.unpack_from("<H", file.head, 0x1E)
    if shift not in _SECTOR_SHIFTS:
        return ""
    sector_bytes = 1 << shift
    used = -1  # the highest sector that the table gives to a stream
    for number, table in enumerate(_sector_tables(file, sector_bytes)):
        start = (table + 1) * sector_bytes
        entries = file.read(start, sector_bytes)
        if len(entries) < sector_bytes:
            return _short_of(file, start + sector_bytes, "its own table of sectors")
        if not any(entries):
            return _unwritten(start)
        marks = struct.unpack(f"<{len(entries) // 4}I", entries)
        first = number * len(marks)
        used = max([used, *(first + i for i, mark in enumerate(marks) if mark != _FREE)])
    # Writers may leave out the unused end of the last sector.
    return _short_of(file, (used + 1) * sector_bytes + 1 if used >= 0 else 0, "its own sectors")


def _sector_tables(file: _File, sector_bytes: int) -> Iterator[int]:
    """Yield the sectors that hold the table: 109 are listed in the header, others in a chain."""
    yield from _sectors(file.head[0x4C:0x200])
    (following,) = struct.unpack_from("<I", file.head, 0x44)
    for _ in range(file.size // sector_bytes):
        if following >= _SECTORS_MAX:
            return
        listed = file.read((following + 1) * sector_bytes, sector_bytes)
        if len(listed) < sector_bytes:
            yield following  # it lies beyond the end, which whoever reads it notices
            return
        yield from _sectors(listed[:-4])
        (following,) = struct.unpack("<I", listed[-4:])


def _sectors(listed: bytes) -> Iterator[int]:
    yield from (each for (each,) in struct.iter_unpack("<I", listed) if each < _SECTORS_MAX)


def _step(file: _File) -> str:
    """IFC and other STEP files end with a line of their own."""
    return (
        ""
        if b"END-ISO-10303-21" in _tail(file)
        else 'its last line, "END-ISO-10303-21;", is missing'
    )


def _dgn_v7(file: _File) -> str:
    """A chain of elements, each with its length, up to an end mark or the file's end."""
    offset, content = 0, file.read(0, min(file.size, _V7_BYTES_MAX))
    while offset + 4 <= len(content):
        if content[offset : offset + 2] == b"\xff\xff":
            return ""
        (words,) = struct.unpack_from("<H", content, offset + 2)
        if not words and len(content) - offset > _V7_PADDING_BYTES and not any(content[offset:]):
            return _unwritten(offset)
        offset += 4 + 2 * words
    whole = file.size <= _V7_BYTES_MAX and offset != len(content)
    return "it ends within an element" if whole else ""


def _dxf(file: _File) -> str:
    """Pairs of lines: a group code, and its value; the last value is EOF."""
    whole = _tail(file).rstrip(b"\0\x1a \t\r\n").endswith(b"EOF")
    return "" if whole else 'its last line, "EOF", is missing'


def _zip(file: _File) -> str:
    return (
        ""
        if b"PK\x05\x06" in _tail(file, _ZIP_TAIL_BYTES)
        else "the list of contents at its end is missing"
    )


def _shape(file: _File) -> str:
    (words,) = struct.unpack_from(">I", file.head, 24)
    return _short_of(file, 2 * words, "its own header")


def _dbase(file: _File) -> str:
    records, header, record = struct.unpack_from("<IHH", file.head, 4)
    return _short_of(file, header + records * record, "its own header")


def _sqlite(file: _File) -> str:
    (page_bytes,) = struct.unpack_from(">H", file.head, 16)
    changes, pages = struct.unpack_from(">II", file.head, 24)
    (changes_of_pages,) = struct.unpack_from(">I", file.head, 92)
    if changes != changes_of_pages:
        return ""  # written by a program that does not keep the count
    return _short_of(file, pages * (65536 if page_bytes == 1 else page_bytes), "its own header")


def _parquet(file: _File) -> str:
    return "" if file.read(file.size - 4, 4) == b"PAR1" else "the mark at its end is missing"


def _short_of(file: _File, end: int, promised_by: str) -> str:
    if end <= file.size:
        return ""
    return f"it has {file.size:,} bytes, and {end:,} by {promised_by}"


_NEVER_EMPTY: Final = frozenset(
    {".dgn", ".dwg", ".dxf", ".ifc", ".ifczip", ".ifcxml", ".nwc", ".nwd", ".rfa", ".rvt", ".shp"}
    | {".3dm", ".3ds", ".dae", ".fbx", ".igs", ".jt", ".sat", ".skp", ".stl", ".stp", ".x_t"}
    | {".dbf", ".docx", ".geojson", ".gpkg", ".kml", ".kmz", ".otxml", ".pid", ".shx", ".vue"}
    | {".xls", ".xlsb", ".xlsm", ".xlsx", ".xml"}
)
_DWG_LISTED: Final = frozenset({b"AC1012", b"AC1014", b"AC1015"})  # R13, R14, 2000
_DWG_MASKED: Final = frozenset({b"AC1018", b"AC1024", b"AC1027", b"AC1032"})  # 2004, 2010 on
_DXF_START: Final = re.compile(rb"\s*(?:999\r?\n[^\n]*\n\s*)*0\r?\nSECTION\r?\n")
_SECTOR_SHIFTS: Final = frozenset({9, 12})
_SECTION_HEAD_BYTES: Final = 32
_SECTORS_MAX: Final = 0xFFFFFFFA
_FREE: Final = 0xFFFFFFFF
_V7_PADDING_BYTES: Final = 4096  # a file of few zeros may be padded to a block of the disk
_V7_BYTES_MAX: Final = 64 * 1024 * 1024  # the format's own limit is 32 MiB
_ZIP_TAIL_BYTES: Final = 22 + 65_535 + 20  # the record, its comment, and the 64-bit locator
_CHECKS: Final[tuple[tuple[bytes, Callable[[_File], str]], ...]] = (
    (b"AC10", _dwg),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _compound),
    (b"ISO-10303-21;", _step),
    (b"\x08\x09\xfe\x02", _dgn_v7),
    (b"\xc8\x09\xfe\x02", _dgn_v7),
    (b"PK\x03\x04", _zip),
    (b"\x00\x00\x27\x0a", _shape),
    (b"SQLite format 3\x00", _sqlite),
    (b"PAR1", _parquet),
    (b"AutoCAD Binary DXF", _dxf),
)
_TEXTS: Final = (
    ((".dae", ".ifcxml", ".kml", ".otxml", ".xml"), text_completeness.xml),
    ((".geojson", ".json"), text_completeness.json),
    (text_completeness.TABLES, text_completeness.table),
    ((".pdf",), text_completeness.pdf),
)


def _text(check: Callable[[bytes, bytes], str]) -> Callable[[_File], str]:
    return lambda file: check(file.head, _tail(file))


_BY_NAME: Final[dict[str, Callable[[_File], str]]] = {
    **{ending: _text(check) for endings, check in _TEXTS for ending in endings},
    ".dbf": _dbase,
}
"""Formats that their first bytes alone do not tell."""
