"""Reads CSV files: by Arrow where lines and rows are the same, else by Python's exact reader.

Arrow is ten times as fast and makes no object per cell, but it cannot say on which line a row ends.
So it is used for files without empty lines and line breaks within quotes, which are nearly all.
Source: pyarrow.csv and csv, read 2026-11.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .batches import ArrowBatch, Batch, Row, RowBatch
from .columns import BadTableError, places
from .mapping import RaggedCells

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import csv as pa_csv

SLICE_ROWS: Final = 5000  # Python rows in memory at once
BLOCK_BYTES: Final = 1 << 18  # read at once; Arrow needs many times as much memory
_SAMPLE: Final = 65_536  # characters from which the separator is found out
_SEPARATORS: Final = "\t;|,"  # a comma is the likeliest to be in a name: "Length, mm"
_QUOTED: Final = re.compile(r'"[^"]*"')
_SEPARATOR_LINE: Final = re.compile(r'"?sep=(.)"?\s*$', re.IGNORECASE)
"""A first line that names the separator for Excel."""
_DOS_END: Final = "\x1a"  # the end of a file, as programs from the days of DOS write it


def csv_batches(file: Path, columns: Sequence[str], encoding: str) -> Iterator[Batch]:
    """Yield the rows, numbered by the line on which each ends. Raises BadTableError."""
    if encoding != "utf-8-sig" or not _is_plain(file):
        yield from _exact(file, columns, encoding)
        return
    import pyarrow as pa  # noqa: PLC0415 - optional, and 60 MB in memory

    try:
        yield from _plain(file, columns)
    except pa.ArrowException as exc:
        for _ in _exact(file, columns, encoding):
            pass  # names the line and what is wrong with it
        raise BadTableError(f"it is not a readable CSV file: {exc}") from exc


class _Ragged:
    """The lines that have other numbers of cells than the header; each makes a wrong row."""

    def __init__(self, width: int, separator: str, wanted: int) -> None:
        """`width`: cells of the header, of which `wanted` are read."""
        self.width = width
        self._wanted = wanted
        self.separator = separator
        self.lines = 0
        self._first: tuple[int, int] | None = None

    def row(self, line: int, found: int, text: str) -> Row:
        """Return the row that such a line makes: an empty one where nothing is in its cells."""
        if not text.strip(f'{self.separator} "'):
            return line, ("",) * self._wanted
        self.lines += 1
        self._first = self._first or (line, found)
        return line, RaggedCells((self.width, found, self.separator, text))

    def check(self, good: int) -> None:
        """Raise BadTableError if most lines are such: the header or the separator is wrong."""
        if self._first is None or self.lines <= good:
            return
        line, found = self._first
        raise BadTableError(
            f"{self.lines:,} of {self.lines + good:,} lines have other numbers of cells than the"
            f" header, which has {self.width} (line {line} has {found}); export it again, with one"
            f' sign between the cells: it seems to be "{self.separator}"'
        )


def _exact(file: Path, columns: Sequence[str], encoding: str) -> Iterator[Batch]:
    some: list[Row] = []
    for row in _exact_rows(file, columns, encoding):
        some.append(row)
        if len(some) == SLICE_ROWS:
            yield RowBatch(some)
            some = []
    if some:
        yield RowBatch(some)


def _exact_rows(file: Path, columns: Sequence[str], encoding: str) -> Iterator[Row]:
    with file.open(encoding=encoding, newline="") as text:
        separator = _separator(text.read(_SAMPLE))
        text.seek(0)
        if _SEPARATOR_LINE.match(text.readline()) is None:
            text.seek(0)
        rows = csv.reader(text, delimiter=separator, strict=True)
        try:
            header = next((row for row in rows if row), None)
            if header is None:
                raise BadTableError("it is empty; the first line must name the columns")
            at, good = places(header, columns), 0
            ragged = _Ragged(len(header), separator, len(at))
            for row in rows:
                if row == [_DOS_END]:
                    break
                if row and len(row) != len(header):
                    yield ragged.row(rows.line_num, len(row), separator.join(row))
                elif row:
                    good += 1
                    yield rows.line_num, tuple([row[place] for place in at])
            ragged.check(good)
        except csv.Error as exc:
            raise BadTableError(f"line {rows.line_num}: {exc}; look for a missing quote") from exc


def _separator(sample: str) -> str:
    """Return the sign between cells: the commonest in the first line that is not in quotes."""
    first = next((line for line in sample.splitlines() if line.strip()), "")
    if named := _SEPARATOR_LINE.match(first):
        return named[1]
    bare = _QUOTED.sub("", first)
    commonest = max(_SEPARATORS, key=bare.count)
    return commonest if commonest in bare else ","


# ---- by Arrow ----------------------------------------------------------------------------


def _plain(file: Path, columns: Sequence[str]) -> Iterator[Batch]:
    header, separator = _header(file)
    at, good = places(header, columns), 0
    ragged = _Ragged(len(header), separator, len(at))
    skipped: deque[pa_csv.InvalidRow] = deque()
    line = 2
    for batch in _arrow(file, len(header), separator, at, skipped):
        good += len(batch)
        first = 0
        while first < len(batch) or (skipped and skipped[0].number == line):
            if skipped and skipped[0].number == line:
                yield _ragged_batch(ragged, skipped.popleft())
                line += 1
                continue
            gap = skipped[0].number - line if skipped else len(batch)
            rows = batch.slice(first, min(gap, len(batch) - first))
            yield ArrowBatch(rows.columns, line)
            first, line = first + len(rows), line + len(rows)
    for row in skipped:
        yield _ragged_batch(ragged, row)
    ragged.check(good)


def _ragged_batch(ragged: _Ragged, row: pa_csv.InvalidRow) -> Batch:
    return RowBatch([ragged.row(row.number, row.actual_columns, row.text)])


def _arrow(
    file: Path,
    width: int,
    separator: str,
    at: Sequence[int],
    skipped: deque[pa_csv.InvalidRow] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield Arrow's batches of the columns that are at these places.

    Lines with other numbers of cells are `skipped`; without it they are an ArrowException.
    """
    import pyarrow as pa  # noqa: PLC0415 - as above
    from pyarrow import csv as arrow  # noqa: PLC0415 - as above

    def skip(row: pa_csv.InvalidRow) -> str:
        if skipped is None:
            return "error"
        skipped.append(row)
        return "skip"

    names = [str(place) for place in range(width)]
    wanted = [names[place] for place in at]
    with arrow.open_csv(
        file,
        arrow.ReadOptions(
            use_threads=False, block_size=BLOCK_BYTES, column_names=names, skip_rows=1
        ),
        arrow.ParseOptions(
            delimiter=separator,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=skip,
        ),
        arrow.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
        ),
    ) as opened:
        yield from opened


def _header(file: Path) -> tuple[list[str], str]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        first = text.readline()
    separator = _separator(first)
    return next(csv.reader([first], delimiter=separator)), separator


def _is_plain(file: Path) -> bool:
    """Return whether each line is a row, so that a row's number is that of its line."""
    with file.open("rb") as opened:
        first = opened.readline()
        header = first.decode("utf-8-sig", "replace")
        separator = _separator(header)
        if (
            _SEPARATOR_LINE.match(header)
            or not header.strip()
            or header.count('"') % 2
            or first.count(b"\r") > first.count(b"\r\n")
        ):
            return False
        odd = re.compile(_ODD.format(re.escape(separator)).encode())
        before, lines, quotes = b"\n", 0, 0
        while block := opened.read(BLOCK_BYTES):
            piece = before + block
            if b"\n\n" in piece or b"\n\r\n" in piece:
                return False
            if piece.count(b"\r") - piece.endswith(b"\r") != piece.count(b"\r\n"):
                return False
            found = odd.search(piece, 1) if b'"' in piece else None
            if found and found.end() < len(piece):
                return False
            lines += block.count(b"\n")
            quotes += block.count(b'"')
            before = piece[-3:]
    if len(before) == 1 or before.endswith(_DOS_END.encode()):
        return False  # there is nothing below the header, or an end that Arrow does not know
    lines += before[-1:] != b"\n"
    return not quotes or lines == _count(file)


_ODD: Final = r'(?<![{0}\r\n"])"(?![{0}\r\n"])'
"""A quote that neither begins nor ends a cell, and is not doubled."""


def _count(file: Path) -> int:
    """Return how many rows Arrow finds; -1 if it finds something wrong."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    header, separator = _header(file)
    try:
        return sum(len(batch) for batch in _arrow(file, len(header), separator, [0]))
    except pa.ArrowException:
        return -1
