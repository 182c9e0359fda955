"""Where a table's header is, what its columns are called, and what its cells mean."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeAlias

from localtwin.connectors.source import Json

Cell: TypeAlias = str | float | bool | date | time | timedelta | None  # bool, int and float alike
Row: TypeAlias = Sequence[Json]

HEADER_WITHIN = 50  # rows in which a header is looked for
_EXACT_MAX = 10**15  # of whole numbers in spreadsheets, which only have 64-bit floats
_DIGITS = 13  # of a number; spreadsheets keep 15, but their writers do not round alike
_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d*)\.\d+(?:[eE][+-]?\d{1,3})?")
_DECIMAL_COMMA = re.compile(r"-?(?:0|[1-9]\d*),\d+")


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns; `rows` is how many rows come before the data, with `above`.

    `first` is the place of the first column in the sheet.
    """

    columns: Sequence[str]
    rows: int
    above: Sequence[str] = ()
    first: int = 0

    @property
    def names(self) -> Sequence[str]:
        """The names that the table itself gives its columns; none without a header."""
        return self.columns if self.rows else ()

    def record(self, row: Row) -> Mapping[str, Json]:
        """Return the values that a row has, by the names of the columns."""
        values = dict(zip(self.columns, row, strict=False))
        extra = range(len(self.columns), len(row))
        values |= {f"Column {column_letters(self.first + at)}": row[at] for at in extra}
        return {name: value for name, value in values.items() if value is not None}


def find_header(rows: Sequence[Row], first: int = 0) -> Header:
    """Return the header among the first rows of a table, which begins in column `first`.

    It is the first row of texts, all different, that is more than half as wide as the widest.
    Without one, columns have the letters that spreadsheets show.
    """
    widest = max((_width(row) for row in rows), default=0)
    for number, row in enumerate(rows):
        texts = [value for value in row if value is not None]
        are_names = all(isinstance(value, str) for value in texts)
        if 2 * len(texts) > widest and are_names and len(set(texts)) == len(texts):
            above = [" ".join(map(str, _present(each))) for each in rows[:number]]
            above = [text for text in above if text]
            return Header(_unique(row, first), number + 1, above, first)
    columns = [f"Column {column_letters(first + at)}" for at in range(widest)]
    return Header(columns, 0, (), first)


def meaning_of_text(text: str, *, decimal_comma: bool = False) -> Json:
    """Return the number, the truth value or the text that is written; None if nothing is.

    What a number would not give back, such as "007" or "1E5", stays text.
    """
    text = text.strip()
    if not text:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return _plain_number(float(text))
    if decimal_comma and _DECIMAL_COMMA.fullmatch(text):
        return _plain_number(float(text.replace(",", ".")))
    return {"TRUE": True, "FALSE": False}.get(text.upper(), text)


def meaning_of_cell(cell: Cell) -> Json:
    """Return the JSON value of a spreadsheet's cell; dates as ISO 8601, None if it is empty."""
    match cell:
        case None | bool():
            return cell
        case str():
            return cell.strip() or None
        case int() | float():
            return _plain_number(cell)
        case datetime():
            return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
        case date() | time():
            return cell.isoformat()
        case timedelta():
            return _plain_number(cell.total_seconds())


def column_letters(index: int) -> str:
    """Return the name of a column in a spreadsheet: A for 0, AA for 26."""
    letters = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _plain_number(value: float) -> Json:
    """Return a number without a fraction as a whole one, whichever way it was written."""
    if not math.isfinite(value):
        return None
    if not isinstance(value, int):
        value = float(f"{value:.{_DIGITS}g}")
    return int(value) if value == int(value) and abs(value) < _EXACT_MAX else value


def _width(row: Row) -> int:
    return len(_present(row))


def _present(row: Row) -> Row:
    return [value for value in row if value is not None]


def _unique(row: Row, first: int) -> Sequence[str]:
    names: list[str] = []
    for at, value in enumerate(row, first):
        name = wanted = f"Column {column_letters(at)}" if value is None else str(value)
        number = 1
        while name in names:
            number += 1
            name = f"{wanted} {number}"
        names.append(name)
    return names
