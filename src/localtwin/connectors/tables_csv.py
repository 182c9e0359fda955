"""The connector for CSV: encoding, separator and header are found, and rows read one at a time."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from localtwin.connectors.record_keys import Record
from localtwin.connectors.signatures import HEAD_BYTES, refuse_other_format
from localtwin.connectors.source import Json, unreadable
from localtwin.connectors.table_columns import (
    HEADER_WITHIN,
    Header,
    find_header,
    meaning_of_text,
)
from localtwin.connectors.tables import Table, TablesConnector

FIELD_MAX = 1 << 24  # characters; a longer field is a lost quote
CHUNK_BYTES = 1 << 20
TABLE_NAME = "Rows"  # not the file's, which may be renamed

_SEPARATORS = ",;\t|"
_HINT = "sep="  # with which Excel names the separator in the first line
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

csv.field_size_limit(FIELD_MAX)


@dataclass(frozen=True, slots=True)
class _Dialect:
    encoding: str
    separator: str
    has_hint: bool

    def meaning(self, text: str) -> Json:
        return meaning_of_text(text, decimal_comma=self.separator != ",")


class CsvConnector(TablesConnector):
    """Reads text tables with any of four separators, in UTF-8, UTF-16 or Windows-1252."""

    def tables(self, file: Path) -> Iterator[Table]:
        """Yield the one table of the file."""
        with file.open("rb") as data:
            head = data.read(HEAD_BYTES)
        refuse_other_format(head, "CSV")
        if not head.strip():
            raise unreadable("The file is empty.", code="FileEmpty")
        dialect = self._dialect(file, head)
        with _rows(file, dialect) as rows:
            first = list(islice(rows, HEADER_WITHIN))
        header = find_header([[dialect.meaning(text) for text in row] for row in first])
        above: dict[str, Json] = {"heading": list(header.above)} if header.above else {}
        yield Table(TABLE_NAME, header.names, partial(_records, file, dialect, header), above)

    def _dialect(self, file: Path, head: bytes) -> _Dialect:
        encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "")
        if not encoding:
            encoding = "utf-8" if _is_utf8(file) else "cp1252"
            if encoding == "cp1252":
                self.remark("The file is not UTF-8; it was read as Windows-1252.")
        with file.open(encoding=encoding, errors="replace", newline="") as lines:
            first = lines.readline(HEAD_BYTES)
            if first.lower().startswith(_HINT):
                return _Dialect(encoding, first[len(_HINT) :].strip("\r\n")[:1] or ",", True)
            text = first + "".join(islice(lines, HEADER_WITHIN))
        return _Dialect(encoding, _separator(text.splitlines()), False)


@contextmanager
def _rows(file: Path, dialect: _Dialect) -> Iterator[Iterator[Sequence[str]]]:
    """Open the rows that are not blank; raises ConnectorError, with the line, where they end."""
    with file.open(encoding=dialect.encoding, errors="replace", newline="") as lines:
        if dialect.has_hint:
            lines.readline()
        reader = csv.reader(lines, delimiter=dialect.separator, strict=True)
        try:
            yield filter(any, reader)
        except csv.Error as exc:
            line = reader.line_num + dialect.has_hint
            error = unreadable(f"Line {line:,} is not valid CSV: {exc}.", code="FileIncomplete")
            error.description = (
                "Look for a quotation mark that is not closed or not doubled near this line,"
                " or save the table as CSV again."
            )
            raise error from exc


def _records(file: Path, dialect: _Dialect, header: Header) -> Iterator[Record]:
    meaning = dialect.meaning
    with _rows(file, dialect) as rows:
        for row in islice(rows, header.rows, None):
            if record := header.record([meaning(text) for text in row]):
                yield record


def _is_utf8(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8") as text:
            while text.read(CHUNK_BYTES):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _separator(lines: Sequence[str]) -> str:
    """Return the separator that gives most rows the same number of fields, the more the better."""

    def evenness(separator: str) -> tuple[int, int]:
        widths: Counter[int] = Counter()
        try:
            for row in csv.reader(lines, delimiter=separator, strict=True):
                widths[len(row)] += bool(row)
        except csv.Error as exc:
            if "end of data" not in str(exc):  # these are only the first lines
                return 0, 0
        width, rows = max(widths.items(), key=lambda each: (each[1], each[0]), default=(1, 0))
        return (rows, width) if width > 1 else (0, 0)

    return max(_SEPARATORS, key=evenness)
