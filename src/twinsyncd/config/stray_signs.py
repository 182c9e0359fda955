"""Names the sign of a word processor that stands where TOML has a quotation mark or a blank."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

QUOTES: Final = frozenset(
    "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2018\u2019\u201a\u201b\u2039\u203a"
    "\u0060\u00b4\u2032\u2033\uff02\uff07"
)
BLANKS: Final = frozenset("\u00a0\u2007\u202f\u3000\u200b\ufeff")

_PLACE: Final = re.compile(r"\(at line (\d+), column (\d+)\)")


def stray_sign(text: str, error: str) -> tuple[int, str, str, str] | None:
    """Return line, key, message and fix for the sign that TOML cannot read; None if it is no such.

    `error` is the text of the parser's error, with the place where it stopped. A string that
    begins with a straight quotation mark and ends with a curly one stops at the end of its line.
    """
    found = _PLACE.search(error)
    if found is None:
        return None
    number, column = int(found[1]), int(found[2])
    line = text.split("\n")[number - 1]
    key = line.partition("=")[0].strip() if "=" in line else ""
    sign = line[column - 1 : column]
    if column > len(line.rstrip("\r")):  # a string is not closed
        sign = line.rstrip(" \t\r,]}")[-1:]
    if sign in QUOTES and sign:
        message = f"{_shown(sign)} is a quotation mark of word processors, which TOML does not read"
        return number, key, message, 'write the straight quotation mark " on both sides'
    if sign in BLANKS and sign:
        message = f"{_shown(sign)} in column {column} looks like a blank and is none"
        return number, key, message, "delete it, and type a blank"
    return None


def _shown(sign: str) -> str:
    code = f"U+{ord(sign):04X}"
    name = unicodedata.name(sign, code).lower()
    return f"{sign} ({name}, {code})" if sign in QUOTES else f"the sign {code} ({name})"
