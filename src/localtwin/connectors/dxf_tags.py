"""The tags of a DXF file: pairs of a group code and a value, in records of one object each.

ezdxf turns every record into an object with defaults and handles of its own, adds layers that the
file lacks, and stops at values that it does not expect. To compare what files contain, the
connector needs the tags as they were written, so the text form is read here; ezdxf decodes the
binary form and interprets the geometry.
Source: DXF Reference (Autodesk 2018), "About group codes", "Binary DXF files".
"""

import codecs
import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TextIO, TypeAlias

from ezdxf.lldxf.const import DXFError
from ezdxf.lldxf.tagger import binary_tags_loader
from ezdxf.tools.codepage import toencoding

from localtwin.connectors.signatures import refuse_other_format
from localtwin.connectors.source import unreadable

Value: TypeAlias = str | int | float | bytes
Tag: TypeAlias = tuple[int, Value]
Record: TypeAlias = list[Tag]

BINARY_START = b"AutoCAD Binary DXF\r\n\x1a\x00"
HEAD_BYTES = 65_536  # the release and the code page are among the first header variables
TAIL_BYTES = 1024
R2007 = "AC1021"  # files are UTF-8 from here on
LOST_LINES_MAX = 1_000  # text with line feeds loses a few lines; more means it is not DXF

_COMMENT = 999
_UNICODE = re.compile(r"\\[Uu]\+([0-9A-Fa-f]{4})")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")

EXACT_BELOW = 1e3  # coordinates below are compared to 10 decimals, larger ones to 13 digits


class TagFile:
    """A DXF file whose end was checked; it can be read several times.

    Raises ConnectorError if the file is empty, cut off, or of another format.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.lost_lines = 0
        head = _checked_head(file)
        self._binary = head.startswith(BINARY_START)
        self._encoding = _encoding(head)

    def records(self, *, without: str = "") -> Iterator[tuple[str, Record]]:
        """Yield each record with the name of its section; leaves one section out if asked to."""
        self.lost_lines = 0
        try:
            if self._binary:
                loaded = binary_tags_loader(self._file.read_bytes())
                tags = ((tag.code, tag.value) for tag in loaded)
                yield from (each for each in _sectioned(tags) if each[0] != without)
                return
            with self._file.open(encoding=self._encoding, errors="surrogateescape") as stream:
                yield from _sectioned(self._text_tags(stream, without))
        except (DXFError, struct.error, IndexError, ValueError) as exc:
            raise unreadable(f"The file is not valid DXF: {exc}") from exc

    def _text_tags(self, stream: TextIO, without: str) -> Iterator[Tag]:
        """Yield the tags; a line that stands where a group code must be is left out.

        Such lines are the rest of a text that contains a line feed, or blank.
        """
        lines = iter(stream)
        is_section = False
        for line in lines:
            try:
                code = int(line)
            except ValueError:
                self._lose_line()
                continue
            value = next(lines, "").rstrip("\r\n")
            if code == _COMMENT:
                continue
            yield code, value
            if is_section and code == 2 and value.strip() == without:
                yield from _after_section(lines)
            is_section = code == 0 and value.strip() == "SECTION"
            if code == 0 and value.strip() == "EOF":
                return

    def _lose_line(self) -> None:
        self.lost_lines += 1
        if self.lost_lines > LOST_LINES_MAX:
            raise unreadable("The file is not valid DXF: too many lines without a group code.")


def number(value: Value) -> float:
    """Return a number as it is compared: what writers round differently is rounded away.

    Raises ValueError if the value is no finite number.
    """
    try:
        found = float(value)
    except ValueError:
        found = float(_leading_number(value))
    if -EXACT_BELOW < found < EXACT_BELOW:
        return round(found, 10) + 0.0  # turns -0.0 into 0.0
    if found - found != 0.0:
        raise ValueError(f"{value!r} is not a finite number")
    return float(f"{found:.13g}")


def integer(value: Value) -> int:
    """Return a whole number; raises ValueError if the value is none."""
    try:
        return int(value)
    except ValueError:
        return int(float(_leading_number(value)))


def text(value: Value) -> str:
    """Return a text, with characters that older releases write as escapes."""
    if isinstance(value, bytes):
        return value.hex().upper()
    found = str(value)
    if "\\" in found:
        return _UNICODE.sub(lambda match: chr(int(match[1], 16)), found)
    return found


def _leading_number(value: Value) -> str:
    match = _NUMBER.match(str(value).strip())
    if match is None:
        raise ValueError(f"{value!r} is not a number")
    return match[0]


def _after_section(lines: Iterator[str]) -> Iterator[Tag]:
    """Skip the lines of a section and yield the tag at its end."""
    before = ""
    for line in lines:
        if line.startswith("ENDSEC") and before.strip() == "0":
            break
        before = line
    yield 0, "ENDSEC"


def _sectioned(tags: Iterable[Tag]) -> Iterator[tuple[str, Record]]:
    section = ""
    record: Record = []
    for tag in tags:
        if tag[0] != 0:
            record.append(tag)
            continue
        if record:
            section = _section_after(section, record)
            yield section, record
        record = [(0, str(tag[1]).strip().upper())]
    if record:
        yield section, record


def _section_after(section: str, record: Record) -> str:
    kind = record[0][1]
    if kind == "SECTION":
        return next((str(value).strip().upper() for code, value in record if code == 2), "")
    return "" if kind == "ENDSEC" else section


def _checked_head(file: Path) -> bytes:
    with file.open("rb") as data:
        head = _head(data)
        size_bytes = data.seek(0, 2)
        data.seek(max(0, size_bytes - TAIL_BYTES))
        tail = data.read().rstrip(b"\0\r\n\t \x1a")
    if not size_bytes:
        raise unreadable("The file is empty.", code="FileEmpty")
    refuse_other_format(head, "DXF", "DXF")
    if not tail.endswith(b"EOF"):
        raise unreadable("The file ends before its end mark.", code="FileIncomplete")
    if not head.startswith(BINARY_START) and b"SECTION" not in head:
        raise unreadable("The file is not a DXF drawing.")
    return head


def _head(data: BinaryIO) -> bytes:
    """Return the first bytes; after long comments, those from the first section on."""
    head = data.read(HEAD_BYTES)
    if not head.lstrip().startswith(b"%d" % _COMMENT):
        return head
    while b"SECTION" not in head and (more := data.read(HEAD_BYTES)):
        head = head[-len(b"SECTION") :] + more
    return head + data.read(HEAD_BYTES)


def _encoding(head: bytes) -> str:
    release = re.search(rb"\$ACADVER\s+1\s+(AC\d{4})", head)
    page = re.search(rb"\$DWGCODEPAGE\s+3\s+(\S+)", head)
    if head.startswith(codecs.BOM_UTF8) or (release and release[1].decode() >= R2007):
        return "utf-8-sig"
    if page is None:
        return "utf-8" if _is_utf8(head) else "cp1252"
    name = toencoding(page[1].decode("ascii", "replace").lower())
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True
