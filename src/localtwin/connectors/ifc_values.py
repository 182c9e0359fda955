"""Values of a STEP file: the arguments of an instance as Python values, numbers without noise."""

import math
import re
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from ifcopenshell import ifcopenshell_wrapper as wrapper

from localtwin.connectors.source import Json, unreadable

NESTING_MAX = 40  # brackets in brackets; real files have three
SHOWN_MAX = 60  # characters of a wrong value in an error
DIGITS = 10  # of a number that is no coordinate: finer differences are the noise of arithmetic
_TINY = 1e-12  # of such a number: zero, computed


class Reference(str):
    """The number of another instance, "#12"."""

    __slots__ = ()


class Enumerated(str):
    """A word of an enumeration, without its dots."""

    __slots__ = ()


class Typed(NamedTuple):
    """A value with the keyword of its type, as in IFCLABEL('x')."""

    keyword: str
    value: "Value"


Value: TypeAlias = "bool | int | float | str | Typed | list[Value] | None"

_TOKEN = re.compile(
    r"""[\s,]*+(?:
        '((?:[^']|'')*+)'            # a text
        | (\#\d+)                    # a reference
        | ([-+]?\d[\d.]*+(?:[eE][-+]?\d+)?)
        | \.(\w+)\.                  # an enumeration or a truth value
        | ([A-Z]\w*+)\s*+\(          # the type of the value that follows
        | "([0-9A-Fa-f]*+)"          # binary
        | ([()$*])
    )""",
    re.VERBOSE,
)
_TRUTH: dict[str, bool | None] = {"T": True, "F": False, "U": None}


def arguments(text: str) -> list[Value]:
    """Return the values of an instance; `text` lacks the opening bracket.

    Derived values ("*") are None. Raises ConnectorError if the text is not valid STEP.
    """
    found: list[Value] = []
    outer: list[tuple[list[Value], str]] = []  # what is open around, and the type of its value
    at = 0
    for token in _TOKEN.finditer(text):
        if token.start() != at:
            break
        at = token.end()
        kind = token.lastindex
        if kind == 2:
            found.append(Reference(token[2]))
        elif kind == 5:
            outer.append((found, token[5]))
            found = []
        elif kind != 7:
            found.append(_simple(token))
        elif (mark := token[7]) == "(":
            outer.append((found, ""))
            found = []
        elif mark == ")":
            if not outer:
                return found
            inner, (found, keyword) = found, outer.pop()
            found.append(_typed(keyword, inner) if keyword else inner)
        else:
            found.append(None)
        if len(outer) > NESTING_MAX:
            raise unreadable(f"Values are nested more than {NESTING_MAX} deep.")
    raise unreadable(f"A value is not valid STEP: {text[at : at + SHOWN_MAX]}")


def _typed(keyword: str, inner: list[Value]) -> Typed:
    return Typed(keyword, inner[0] if len(inner) == 1 else inner)


def decoded(text: str) -> str:
    """Return a text of STEP, given without its apostrophes, as Unicode.

    A part with an escape that is not valid stays as it is written.
    """
    if "\\" in text:
        text = "".join(map(_unescaped, re.split(r"([^\x00-\x7f]+)", text)))
    return text.replace("''", "'") if "''" in text else text


@lru_cache(maxsize=100_000)
def number(text: str) -> int | float:
    """Return a number without the noise of arithmetic; a real stays a float."""
    if "." not in text and "e" not in text and "E" not in text:
        return int(text)
    return tidy(float(text))


def tidy(value: float) -> float:
    """Return a real that equals those that differ by the noise of arithmetic only."""
    if abs(value) < _TINY:
        return 0.0
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else 0.0


def plain(value: Value) -> Json:
    """Return a value as JSON; types of values are left out, references stay numbers."""
    match value:
        case Typed():
            return plain(value.value)
        case list():
            return [plain(each) for each in value]
        case str():
            return str(value)
        case _:
            return value


def references(value: Value) -> list[Reference]:
    """Return the references in a value, in their order."""
    match value:
        case Reference():
            return [value]
        case Typed():
            return references(value.value)
        case list():
            return [found for each in value for found in references(each)]
        case _:
            return []


def _simple(token: re.Match[str]) -> Value:
    match token.lastindex:
        case 1:
            return decoded(token[1])
        case 3:
            return number(token[3])
        case 4:
            word = token[4]
            return _TRUTH[word] if word in _TRUTH else Enumerated(word)
        case _:
            return token[6]


def _unescaped(text: str) -> str:
    """Return a text without its escapes; as it is written if one of them is not valid."""
    if "\\" not in text:  # STEP escapes what is not ASCII, but some programs do not
        return text
    try:
        return str(wrapper.decode_spf_string(text))
    except RuntimeError:
        return text
