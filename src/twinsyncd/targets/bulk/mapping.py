"""Makes records out of rows: columns to fields, constants, and GUIDs made from keys."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import isfinite
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from ...bulk_entities import ENTITIES, PARENT_OF, Kind
from .guid_texts import guid_of_name, guid_text

Cells = tuple[Any, ...]
_YES: Final = {"true", "yes", "1", "x"}
_NO: Final = {"false", "no", "0"}
PARENTS_KEPT: Final = 4096  # GUIDs of parents kept: those of a large project
SHOWN_MAX: Final = 60  # characters of a wrong cell that a message shows
DIGITS_MAX: Final = 18  # digits less one of a whole number: services keep 64 bits
_SHEET_ERRORS: Final = frozenset(
    "#DIV/0! #N/A #NAME? #NULL! #NUM! #REF! #VALUE! #SPILL! #CALC!".split()  # noqa: SIM905 - list
)
_DECIMAL_COMMA: Final = re.compile(r"\s*[+-]?\d+,\d+\s*")
_EXAMPLES: Final = {
    Kind.GUID: "0a1b2c3d-1111-2222-3333-444455556666",
    Kind.WHOLE: "4",
    Kind.NUMBER: "12.5",
    Kind.FLAG: "true or false",
    Kind.DATE: "2026-12-31",
}


class CellMistake(NamedTuple):
    """What is wrong with one cell; `column` as the file names it."""

    column: str
    message: str
    fix: str


class RaggedCells(tuple[Any, ...]):
    """The cells of a line that has more or fewer of them than the header, so it makes no record."""

    __slots__ = ()

    def mistake(self) -> CellMistake:
        """Return what is wrong with the line; the first cells are how many there must be, and why.

        Behind them is the line's own text.
        """
        expected, found, separator = self[:3]
        cells = f"the line has {found} cell{'' if found == 1 else 's'}, the header has {expected}"
        return CellMistake("", cells, f'put texts that contain "{separator}" in quotes')


class BadRowError(Exception):
    """The row makes no record."""

    def __init__(self, mistakes: Sequence[CellMistake]) -> None:
        super().__init__(str(mistakes))
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class RowMapping:
    """How the rows of one source become records of one kind.

    `columns`: field to column. `constants`: field to value. `keys`: a GUID field to the columns
    whose texts name the record or its parent; equal texts give equal GUIDs in every file of the
    company. `decimal`: the sign before the fraction in numbers that are text.
    """

    entity: str
    company_guid: str
    columns: Mapping[str, str]
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    decimal: str = "."

    def wanted(self) -> tuple[str, ...]:
        """Return the columns to read, each once, in the order in which `cells` are given."""
        keyed = [column for columns in self.keys.values() for column in columns]
        return tuple(dict.fromkeys([*self.columns.values(), *keyed]))

    def salt(self) -> bytes:
        """Return what differs when the mapping would make other records of the same rows."""
        parts = [self.entity, self.company_guid, dict(self.columns), self.decimal]
        text = json.dumps([*parts, dict(self.keys), dict(self.constants)], sort_keys=True)
        return hashlib.sha256(text.encode()).digest()[:16]

    def column_of(self, name: str) -> str:
        """Return the column that a field comes from, for a person."""
        if name in self.columns:
            return self.columns[name]
        return " + ".join(self.keys.get(name, (name,)))


class RowReader:
    """Applies one mapping to many rows; the positions are looked up once."""

    def __init__(self, mapping: RowMapping) -> None:
        """Rows must come with the cells of `mapping.wanted()`."""
        self.mapping = mapping
        self._entity = ENTITIES[mapping.entity]
        at = {column: index for index, column in enumerate(mapping.wanted())}
        self._columns = {name: at[column] for name, column in mapping.columns.items()}
        self._keys = {name: tuple(at[each] for each in some) for name, some in mapping.keys.items()}
        company = UUID(mapping.company_guid)
        kinds = {name: PARENT_OF.get(name, mapping.entity) for name in mapping.keys}
        self._spaces = {name: uuid5(company, kind).bytes for name, kind in kinds.items()}
        self._kinds = {name: self._entity.kind_of(name) for name in mapping.columns}
        self._constants = {**mapping.constants, "company_guid": mapping.company_guid}
        self._cached = lru_cache(PARENTS_KEPT)(self._guid_of)

    def guid(self, cells: Cells) -> bytes:
        """Return the record's GUID. Raises BadRowError when the row has none."""
        if type(cells) is RaggedCells:
            raise BadRowError([cells.mistake()])
        if "guid" in self._keys:
            made = self._made("guid", cells)
        elif "guid" in self._columns:
            made = self._value("guid", cells[self._columns["guid"]])
        else:
            fixed = self._constants.get("guid")
            made = None if fixed is None else str(UUID(str(fixed)))
        if made is None:
            column = self.mapping.column_of("guid")
            raise BadRowError([CellMistake(column, "it is empty", "fill it in, or delete the row")])
        return bytes.fromhex(str(made).replace("-", ""))

    def record(self, cells: Cells, guid: bytes) -> dict[str, Any]:
        """Return the record with its GUID. Raises BadRowError with every mistake of the row."""
        record, mistakes = dict(self._constants), list[CellMistake]()
        record["guid"] = guid_text(guid.hex())
        for name, index in self._columns.items():
            if name == "guid":
                continue
            try:
                value = self._value(name, cells[index])
            except BadRowError as bad:
                mistakes += bad.mistakes
                continue
            if value is not None:
                record[name] = value
        for name in self._keys:
            made = self._made(name, cells) if name != "guid" else None
            if made is not None:
                record[name] = made
        if not mistakes and self._entity.required <= record.keys():
            return record
        wrong = {mistake.column for mistake in mistakes}
        for name in sorted(self._entity.required - record.keys()):
            column = self.mapping.column_of(name)
            if column not in wrong:
                mistakes.append(CellMistake(column, "it is empty", f"fill in the {name}"))
        raise BadRowError(mistakes)

    def _made(self, name: str, cells: Cells) -> str | None:
        texts = tuple([_text(cells[index]) for index in self._keys[name]])
        if not all(texts):
            return None
        # Many records have the same parents, and each has another GUID of its own.
        try:
            return self._guid_of(name, texts) if name == "guid" else self._cached(name, texts)
        except UnicodeEncodeError:
            raise self._broken(name) from None

    def _broken(self, name: str) -> BadRowError:
        fix, column = "correct the program that exports it", self.mapping.column_of(name)
        return BadRowError([CellMistake(column, "it holds a broken character", fix)])

    def _guid_of(self, name: str, texts: tuple[str, ...]) -> str:
        return guid_of_name(self._spaces[name], "\x1f".join(texts))

    def _value(self, name: str, cell: Any) -> Any:
        if cell is None or cell == "":
            return None
        kind = self._kinds[name]
        if type(cell) is float and kind is Kind.NUMBER and isfinite(cell):
            return cell
        if isinstance(cell, str) and cell in _SHEET_ERRORS:
            column = self.mapping.column_of(name)
            mistake = CellMistake(column, f"the cell shows the error {cell}", "correct its formula")
            raise BadRowError([mistake])
        if isinstance(cell, dict | list):
            fix, column = "export its parts as columns of their own", self.mapping.column_of(name)
            raise BadRowError([CellMistake(column, "it holds several values", fix)])
        try:
            return _whole(self._converted(kind, cell))
        except UnicodeEncodeError:
            raise self._broken(name) from None
        except (ValueError, TypeError, OverflowError):
            shown, column = kind or Kind.NUMBER, self.mapping.column_of(name)
            text = str(cell) if len(str(cell)) <= SHOWN_MAX else f"{str(cell)[:SHOWN_MAX]}..."
            fix = f"write it like {self._example(shown)}"
            if self.mapping.decimal == "." and _DECIMAL_COMMA.fullmatch(text):
                fix += ', or add decimal = "," below [connection.source.rows]'
            raise BadRowError([CellMistake(column, f'"{text}" is not a {shown}', fix)]) from None

    def _example(self, kind: Kind) -> str:
        text = _EXAMPLES[kind]
        return text.replace(".", self.mapping.decimal) if kind is Kind.NUMBER else text

    def _converted(self, kind: Kind | None, cell: Any) -> Any:
        match kind:
            case Kind.GUID:
                return str(UUID(_text(cell)))
            case Kind.NUMBER:
                return self._number(cell)
            case Kind.WHOLE:
                return self._whole(cell)
            case Kind.FLAG:
                text = _text(cell).lower()
                if text not in _YES | _NO:
                    raise ValueError(cell)
                return text in _YES
            case Kind.DATE:
                moment = cell if isinstance(cell, date) else datetime.fromisoformat(_text(cell))
                return moment.isoformat()
            case Kind.TEXT:
                return _text(cell)
            case _:
                return _plain(cell)

    def _number(self, cell: Any) -> float:
        if isinstance(cell, str):
            cell = self._digits(cell)
        if isinstance(cell, bool):
            raise TypeError(cell)  # Python takes it for a number
        number = float(cell)
        if not isfinite(number):  # JSON has neither infinity nor "not a number"
            raise ValueError(cell)
        return number

    def _whole(self, cell: Any) -> int:
        """Return the number exactly: a float has 15 digits only."""
        digits = self._digits(cell) if isinstance(cell, str) else cell
        if isinstance(cell, bool):
            raise TypeError(cell)
        try:
            exact = Decimal(digits)
        except InvalidOperation:
            raise ValueError(cell) from None
        if not exact.is_finite() or exact.adjusted() > DIGITS_MAX or exact % 1:
            raise ValueError(cell)
        return int(exact)

    def _digits(self, text: str) -> str:
        """Return a number's text as Python has it; refuses separators between thousands.

        With a decimal comma, 1.234 is one thousand and not one and a quarter.
        """
        text = text.strip()
        if "_" in text or (self.mapping.decimal != "." and "." in text):
            raise ValueError(text)
        return text.replace(self.mapping.decimal, ".")


def _whole(value: Any) -> Any:
    """Return the value. Raises UnicodeEncodeError for text with half a character."""
    if isinstance(value, str) and not value.isascii():
        value.encode()
    return value


def _plain(cell: Any) -> Any:
    """Return the value of a field that is not known: as it is, where JSON has such values."""
    if isinstance(cell, Decimal):
        cell = float(cell)
    if isinstance(cell, float) and not isfinite(cell):
        raise ValueError(cell)
    return cell if isinstance(cell, str | bool | int | float) else _text(cell)


def _text(cell: Any) -> str:
    """Return the cell as text; spreadsheets hold whole numbers as 7.0."""
    if type(cell) is str:
        return cell.strip()
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, Decimal):
        return _decimal_text(cell)
    return cell.isoformat() if isinstance(cell, date) else str(cell).strip()


def _decimal_text(number: Decimal) -> str:
    """Return all digits of a number, but no zeros at the end of its fraction: 7.00 is 7."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
