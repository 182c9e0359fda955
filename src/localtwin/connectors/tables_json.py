"""The connector for JSON: each list of objects is a table, wherever in the file it stands.

The file is read twice and never held whole, so its size is not limited by memory.
"""

import codecs
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from localtwin.connectors.record_keys import Record
from localtwin.connectors.signatures import HEAD_BYTES, refuse_other_format
from localtwin.connectors.source import Json, unreadable
from localtwin.connectors.tables import Table, TablesConnector

BOM = b"\xef\xbb\xbf"
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, which programs on Windows write
NESTING_MAX = 200  # levels; each has a path as long as its depth
OTHERS_MAX = 1000  # values outside of tables; a file with more is no table
ROOT_NAME = "Rows"
CHUNK_BYTES = 1 << 20
PARSED_BYTES = 1 << 12  # at a time; so many levels may be open before their number is looked at

_WHOLE_MAX = 2**53  # up to which a float tells whole numbers apart
_LONG_DIGITS = 19  # from which on a whole number may not fit into 64 bits
_LONG_NUMBER = re.compile(rb"(?<![\d.])\d{19}")


@dataclass(slots=True)
class _Layout:
    """Where the tables of a file are: names of columns by the path of the rows, and the rest."""

    columns: dict[str, dict[str, None]] = field(default_factory=dict)
    others: dict[str, list[Json]] = field(default_factory=dict)
    is_cut: bool = False


class JsonConnector(TablesConnector):
    """Reads lists of objects as tables, and a file without one as a table of one row."""

    def tables(self, file: Path) -> Iterator[Table]:
        """Yield the tables by their order; raises ConnectorError on a file that is not JSON."""
        layout = _layout(file)
        others: dict[str, Json] = {
            path: values[0] if len(values) == 1 else values
            for path, values in layout.others.items()
        }
        if layout.is_cut:
            self.remark(f"Only the first {OTHERS_MAX:,} values outside of tables were kept.")
        if not layout.columns:
            yield Table(ROOT_NAME, list(others), lambda: [others] if others else [])
            return
        for path, columns in layout.columns.items():
            name = path.removesuffix("item").removesuffix(".") or ROOT_NAME
            yield Table(name, list(columns), partial(_records, file, path), others)
            others = {}  # belong to the file; they are kept once, with the first table


def _layout(file: Path) -> _Layout:
    layout = _Layout()
    rows = ""  # the path of the rows that are being read
    arrays: set[str] = set()
    depth = 0
    with _opened(file) as data:
        events = _parser(file).parse(data, use_float=True, buf_size=PARSED_BYTES)
        for path, event, value in events:
            depth += event.startswith("start_") - event.startswith("end_")
            if depth > NESTING_MAX:
                raise unreadable(f"The JSON is nested more than {NESTING_MAX} levels deep.")
            if rows and path != rows and not path.startswith(f"{rows}."):
                rows = ""
            if event == "map_key":
                if path == rows and rows:
                    layout.columns[rows][value] = None
            elif event == "start_array" and not rows:
                arrays.add(f"{path}.item" if path else "item")
            elif event == "start_map" and path in arrays and not rows:
                rows = path
                layout.columns.setdefault(path, {})
            elif event in {"string", "number", "boolean"} and not rows:
                _keep(layout, path, value)
    return layout


def _keep(layout: _Layout, path: str, value: Json) -> None:
    if sum(map(len, layout.others.values())) >= OTHERS_MAX:
        layout.is_cut = True
    else:
        name = path.removesuffix(".item") or "value"
        layout.others.setdefault(name, []).append(_number_as_such(value))


def _records(file: Path, path: str) -> Iterator[Record]:
    with _opened(file) as data:
        for item in _parser(file).items(data, path, use_float=True):
            if isinstance(item, dict):
                yield _without_nulls(item)


def _without_nulls(item: dict[str, Any]) -> Record:
    return {name: _number_as_such(value) for name, value in item.items() if value is not None}


def _number_as_such(value: Any) -> Json:
    """Return a value with 2.0 as 2, which some writers write as the other."""
    match value:
        case float() if value.is_integer() and abs(value) < _WHOLE_MAX:
            return int(value)
        case dict():
            return {name: _number_as_such(each) for name, each in value.items()}
        case list():
            return [_number_as_such(each) for each in value]
    plain: Json = value
    return plain


def _parser(file: Path) -> Any:
    """Return the quick parser, or the one without bounds if a whole number may need that."""
    rest = b""
    with _opened(file) as data:
        while chunk := data.read(CHUNK_BYTES):
            text = rest + chunk
            if _LONG_NUMBER.search(text):
                return ijson.get_backend("python")
            rest = text[-_LONG_DIGITS - 1 :]
    return ijson


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    with file.open("rb") as data:
        head = data.read(HEAD_BYTES)
        refuse_other_format(head, "JSON")
        if not head.removeprefix(BOM).strip():
            raise unreadable("The file is empty.", code="FileEmpty")
        data.seek(len(BOM) if head.startswith(BOM) else 0)
        try:
            is_wide = head.startswith(WIDE_BOMS)
            yield codecs.EncodedFile(data, "utf-8", "utf-16") if is_wide else data
        except UnicodeError as exc:
            raise unreadable("The file is not valid UTF-16.") from exc
        except ijson.JSONError as exc:
            first = exc.args[0] if exc.args else ""
            text = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(exc)
            reason = next(iter(text.splitlines()), "").rstrip(" .")
            is_cut = "premature" in reason or "incomplete" in reason.lower()
            code = "FileIncomplete" if is_cut else "FileUnreadable"
            raise unreadable(f"The file is not valid JSON: {reason}.", code=code) from exc
