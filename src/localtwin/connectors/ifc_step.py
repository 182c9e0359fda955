"""Reads a STEP file (ISO 10303-21) as text: the arguments of each instance by its number.

Written here although ifcopenshell parses such files, because most of an IFC file is only compared:
an object of Python for each of its instances takes several times as long as parsing does. The
texts stay as they are in the file; ifc_values and ifc_digest say what they mean.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from localtwin.connectors.signatures import HEAD_BYTES, refuse_other_format
from localtwin.connectors.source import ConnectorError, unreadable

END = b"END-ISO-10303-21"
TAIL_BYTES = 4096  # the closing line is the last, give or take blanks and a comment
SHOWN_MAX = 60  # characters of a wrong line in an error

_TEXT_OR_COMMENT = re.compile(r"'[^']*'|/\*.*?\*/", re.DOTALL)
_DATA = re.compile(r"\bENDSEC\s*;\s*DATA\s*(?:\([^;]*\))?\s*;")
_SCHEMA = re.compile(r"\bFILE_SCHEMA\s*\(\s*\(\s*'([^']*)'")
_INSTANCE = re.compile(r"(#\d++)\s*+=\s*+([A-Z]\w*+)\s*+\(((?:[^';]++|'[^']*+')*+);")
_BETWEEN_SECTIONS = re.compile(r"\s*(?:ENDSEC|DATA\s*(?:\(.*\))?)?\s*", re.DOTALL)


@dataclass(slots=True)
class StepFile:
    """The instances of a file: keyword and arguments by number, such as "#12".

    Arguments lack the outer brackets' opening one and may have blanks between them; line ends
    are gone. `by_keyword` lists the numbers in the order of the file.
    """

    schema: str
    keywords: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    by_keyword: dict[str, list[str]] = field(default_factory=dict)


def read_step(file: Path) -> StepFile:
    """Return the instances of a file; raises ConnectorError if it is damaged or incomplete."""
    text = _without_comments(_text(file))
    data = _DATA.search(text)
    if data is None:
        raise unreadable("The file has no data section; it is not a STEP file.")
    schema = _SCHEMA.search(text, 0, data.end())
    end = text.rfind("ENDSEC")
    if schema is None or end < data.end():
        raise unreadable("The file's header or its end is damaged.")
    step = StepFile(schema[1].strip().upper())
    body = text[data.end() : end]
    if body.count("\n") > body.count(";\n") + body.count(";\r\n"):
        body = body.replace("\r", "").replace("\n", "")  # line ends mean nothing in STEP
    _fill(step, body)
    return step


def _text(file: Path) -> str:
    """Return the content; refuses a file without its end, whose missing rest would be deleted."""
    content = file.read_bytes()
    if not content:
        raise unreadable("The file is empty.", code="FileEmpty")
    refuse_other_format(content[:HEAD_BYTES], "IFC", "IFC or another STEP file")
    if not content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"ISO-10303-21"):
        raise unreadable("The file does not begin as a STEP file (ISO-10303-21) does.")
    if END not in content[-TAIL_BYTES:]:
        raise unreadable("The file ends before its last line.", code="FileIncomplete")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")  # what old programs on Windows write


def _without_comments(text: str) -> str:
    if "/*" not in text:
        return text
    return _TEXT_OR_COMMENT.sub(lambda found: found[0] if found[0][0] == "'" else " ", text)


def _fill(step: StepFile, body: str) -> None:
    found = _INSTANCE.findall(body)
    if body.count(";") != len(found):  # a semicolon inside a text, or a damaged statement
        _refuse_rest(_INSTANCE.sub("", body))
    by_keyword: defaultdict[str, list[str]] = defaultdict(list)
    once: dict[str, str] = {}  # one text for each keyword takes less memory
    for number, keyword, rest in found:
        by_keyword[keyword].append(number)
        step.keywords[number] = once.setdefault(keyword, keyword)
        step.arguments[number] = rest
        if rest[-1] != ")" and rest.rstrip()[-1:] != ")":
            raise _damaged(f"{number}={keyword}({rest}")
    if len(step.arguments) != len(found):
        _refuse_repeated(found, step)
        by_keyword = defaultdict(list)
        for number, keyword in step.keywords.items():
            by_keyword[keyword].append(number)
    step.by_keyword = dict(by_keyword)


def _refuse_rest(rest: str) -> None:
    """Raise ConnectorError if what is between the instances is more than section marks."""
    if "'" in rest:
        raise _damaged(rest[rest.index("'") :], "A text has no end")
    for statement in rest.split(";"):
        if not _BETWEEN_SECTIONS.fullmatch(statement):
            raise _damaged(statement)


def _refuse_repeated(found: list[tuple[str, str, str]], step: StepFile) -> None:
    """Raise ConnectorError if two instances of one number differ."""
    for number, keyword, rest in found:
        if (step.keywords[number], step.arguments[number]) != (keyword, rest):
            raise _damaged(f"{number}={keyword}({rest}", "Two instances have one number")


def _damaged(statement: str, reason: str = "A statement is not valid STEP") -> ConnectorError:
    shown = " ".join(statement.split())
    if len(shown) > SHOWN_MAX:
        shown = f"{shown[:SHOWN_MAX]}…"
    return unreadable(f"{reason}: {shown}")
