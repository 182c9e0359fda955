"""Reads a STEP file (ISO 10303-21) as text: the arguments of each instance by its number.

Written here although ifcopenshell parses such files, because most of an IFC file is only compared:
an object of Python for each of its instances takes several times as long as parsing does. The
texts stay as they are in the file; ifc_values and ifc_digest say what they mean.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from localtwin.connectors.ifc_scan import StrayStatement, scan
from localtwin.connectors.ifc_statements import Statements
from localtwin.connectors.ifc_step_views import Arguments, Keywords, Numbers, RowTable
from localtwin.connectors.signatures import HEAD_BYTES, refuse_other_format
from localtwin.connectors.source import ConnectorError, unreadable

END = b"END-ISO-10303-21"
TAIL_BYTES = 4096  # the closing line is the last, give or take blanks and a comment
SHOWN_MAX = 60  # characters of a wrong line in an error

_TEXT_OR_COMMENT = re.compile(rb"'[^']*'|/\*.*?\*/", re.DOTALL)
# The paragraph sign as old programs write it: this apostrophe ends no text, as a comma or a bracket
# does not follow it. Source: ISO 10303-21, "encoding of strings", directive S.
_PARAGRAPH = re.compile(rb"\\S\\'(?=(?!\s*[,)'])|'\s*[,)])")
_DATA = re.compile(rb"\bENDSEC\s*;\s*DATA\s*(?:\([^;]*\))?\s*;")
_SCHEMA = re.compile(rb"\bFILE_SCHEMA\s*\(\s*\(\s*'([^']*)'")


class StepFile:
    """The instances of a file: keyword and arguments by number, such as "#12".

    Arguments lack the outer brackets' opening one; blanks between them are gone. `by_keyword`
    lists the numbers in the order of the file. Texts are made when they are asked for.
    """

    def __init__(self, schema: str, statements: Statements) -> None:
        self.schema = schema
        self.statements = statements
        self.rows = RowTable(statements.ids)
        self.keywords = Keywords(statements, self.rows)
        self.arguments = Arguments(statements, self.rows)

    @cached_property
    def by_keyword(self) -> Mapping[str, Sequence[str]]:
        """The numbers of the instances of each keyword that the file has."""
        ids, keywords, names = (getattr(self.statements, x) for x in ("ids", "keywords", "names"))
        if not names:
            return {}
        if not self.rows.is_unique:
            kept = np.sort(np.unique(ids, return_index=True)[1])
            ids, keywords = ids[kept], keywords[kept]
        order = np.argsort(keywords, kind="stable")
        ends = np.cumsum(np.bincount(keywords, minlength=len(names)))
        parts = np.split(ids[order], ends[:-1])
        return {name: Numbers(part) for name, part in zip(names, parts, strict=True)}

    def instance(self, number: str) -> tuple[str, str] | None:
        """Return keyword and arguments of an instance; None if it is not in the file."""
        row = self.rows.of(number)
        return None if row < 0 else (self.keywords.of_row(row), self.arguments.of_row(row))


@dataclass(frozen=True, slots=True)
class StepText:
    """The name of a file's schema, and its data section as text without comments.

    `is_broken` is whether instances are broken into several lines, which means nothing in STEP.
    """

    schema: str
    data: bytes
    is_broken: bool = False


def read_step(file: Path) -> StepFile:
    """Return the instances of a file; raises ConnectorError if it is damaged or incomplete."""
    return parse_step(read_text(file))


def read_text(file: Path) -> StepText:
    """Return the text of a file; raises ConnectorError if it has no beginning or no end."""
    content = _without_comments(_content(file))
    if b"\\S\\'" in content:
        content = _PARAGRAPH.sub(rb"\\X\\A7", content)
    data = _DATA.search(content)
    if data is None:
        raise unreadable("The file has no data section; it is not a STEP file.")
    schema = _SCHEMA.search(content, 0, data.end())
    end = content.rfind(b"ENDSEC")
    if schema is None or end < data.end():
        raise unreadable("The file's header or its end is damaged.")
    body = content[data.end() : end]
    whole_lines = body.count(b";\n") + body.count(b";\r\n")
    is_broken = body.strip().count(b"\n") >= max(whole_lines, 1)
    return StepText(schema[1].decode().strip().upper(), body, is_broken)


def parse_step(text: StepText) -> StepFile:
    """Return the instances of a text; raises ConnectorError if one of them is damaged."""
    body = text.data.translate(None, b"\r\n") if text.is_broken else text.data
    try:
        step = StepFile(text.schema, scan(body))
    except StrayStatement as exc:
        raise _stray(exc.text, body) from exc
    _refuse_repeated(step)
    return step


def _content(file: Path) -> bytes:
    """Return the content; refuses a file without its end, whose missing rest would be deleted."""
    content = file.read_bytes()
    if not content:
        raise unreadable("The file is empty.", code="FileEmpty")
    refuse_other_format(content[:HEAD_BYTES], "IFC", "IFC or another STEP file")
    if not content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"ISO-10303-21"):
        raise unreadable("The file does not begin as a STEP file (ISO-10303-21) does.")
    if END not in content[-TAIL_BYTES:]:
        raise unreadable("The file ends before its last line.", code="FileIncomplete")
    if content.isascii():
        return content
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:  # what old programs on Windows write
        return content.decode("cp1252", "replace").encode("utf-8")
    return content


def _without_comments(content: bytes) -> bytes:
    if b"/*" not in content:
        return content
    return _TEXT_OR_COMMENT.sub(lambda found: found[0] if found[0][:1] == b"'" else b" ", content)


def _refuse_repeated(step: StepFile) -> None:
    """Raise ConnectorError if two instances of one number differ."""
    if step.rows.is_unique:
        return
    said: dict[int, bytes] = {}
    found = step.statements
    for row, number in enumerate(found.ids.tolist()):
        name = found.names[int(found.keywords[row])].encode()
        text = name + b"(" + found.text[int(found.begins[row]) : int(found.ends[row])]
        if said.setdefault(number, text) != text:
            raise _damaged(b"#%d=%s" % (number, text), "Two instances have one number")


def _stray(statement: bytes, body: bytes) -> ConnectorError:
    """Return what is wrong with a statement that is no instance."""
    if body.count(b"'") % 2:
        from_text = statement[statement.index(b"'") :] if b"'" in statement else statement
        return _damaged(from_text, "A text has no end")
    return _damaged(_as_written(statement, body))


def _as_written(statement: bytes, body: bytes) -> bytes:
    """Return the beginning of a statement with its blanks."""
    letters = (re.escape(bytes([each])) for each in statement[:SHOWN_MAX])
    found = re.search(rb"\s*".join(letters), body)
    rest = b"\xe2\x80\xa6" if len(statement) > SHOWN_MAX else b""
    return found[0] + rest if found else statement


def _damaged(statement: bytes, reason: str = "A statement is not valid STEP") -> ConnectorError:
    shown = " ".join(statement.decode("utf-8", "replace").split())
    if len(shown) > SHOWN_MAX:
        shown = f"{shown[:SHOWN_MAX]}…"
    return unreadable(f"{reason}: {shown}")
