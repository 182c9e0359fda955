"""The part of an IFC file that says all of a few objects, as a small file of its own.

It holds the objects, the relationships that name them, what these lead to and what is laid on it,
and what places and scales the model. Other objects in it are there by name only.
"""

import re
from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from localtwin.connectors.ifc_model import OBJECTS
from localtwin.connectors.ifc_schema import Schema
from localtwin.connectors.source import unreadable

_ID_DIGITS_MAX = 18
_LINE = re.compile(rb"#(\d++)\s*+=\s*+(\w++)\s*+\(")
_TEXT = re.compile(rb"'[^']*'")
_REFERENCE = re.compile(rb"#(\d+)")
_WHOLE = "IFCFEATUREELEMENT"  # openings count as part of what they are cut out of


def extract(
    content: bytes,
    schema: Schema,
    objects: Collection[int],
    always: Collection[int],
    notes: Collection[str],
) -> bytes:
    """Return the lines that say all of `objects`, which have `always` in common.

    `content` is the data section of a file with one instance a line; `notes` are the keywords of
    what it lays on other instances. Raises ConnectorError if one of the lines ends in a text.
    """
    lines = _Lines(content, schema)
    found: dict[int, bytes] = {}
    lines.collect([*objects, *always, *lines.relationships_of(objects)], objects, found)
    laid_on = list(lines.of_keywords(notes))
    size = -1
    while size != len(found):
        size = len(found)
        wanted = [number for number, about in laid_on if not found.keys().isdisjoint(about)]
        lines.collect(wanted, objects, found)
    if any(line.count(b"'") % 2 for line in found.values()):
        raise unreadable("A text goes on in the next line.")
    return b"".join(found[number] for number in sorted(found))


class _Lines:
    """The lines of a file by their numbers."""

    def __init__(self, content: bytes, schema: Schema) -> None:
        self._content = content
        self._schema = schema
        letters = np.frombuffer(content, np.uint8)
        ends = np.flatnonzero(letters == ord("\n"))
        begins = np.append(0, ends + 1)
        begins = begins[begins < len(letters)]
        begins = begins[letters[begins] == ord("#")]
        numbers, ends = _numbers(letters, begins + 1)
        is_instance = np.isin(letters[np.minimum(ends, len(letters) - 1)], list(b"= "))
        numbers, begins = numbers[is_instance], begins[is_instance]
        order = np.argsort(numbers, kind="stable")
        self._numbers, self._begins = numbers[order], begins[order]

    def collect(
        self, wanted: Collection[int], whole: Collection[int], found: dict[int, bytes]
    ) -> None:
        """Add lines to `found` with those that they lead to; objects not in `whole` end it."""
        left = [*wanted]
        chosen = set(whole)
        while left:
            number = left.pop()
            line = b"" if number in found else self._line(number)
            if not line:
                continue
            found[number] = line
            keyword = self._keyword(line)
            is_other = self._schema.is_a(keyword, *OBJECTS) and number not in chosen
            if not is_other or self._schema.is_a(keyword, _WHOLE):
                left += _references(line)

    def relationships_of(self, objects: Collection[int]) -> Iterator[int]:
        """Yield the relationships that name one of these objects."""
        numbers = b"|".join(b"%d" % each for each in objects)
        for hit in re.finditer(rb"#(?:%s)(?!\d)" % numbers, self._content):
            line = self._line_around(hit.start())
            head = _LINE.match(line)
            if head and self._schema.is_a(head[2].decode("ascii", "replace"), "IFCRELATIONSHIP"):
                yield int(head[1])

    def of_keywords(self, keywords: Collection[str]) -> Iterator[tuple[int, list[int]]]:
        """Yield the numbers of instances of these classes, and all that they name."""
        names = b"|".join(re.escape(each.encode()) for each in keywords)
        pattern = rb"\n#\d++ *= *(?:%s) *\(" % names
        for hit in re.finditer(pattern, self._content) if keywords else ():
            line = self._line_around(hit.end())
            if head := _LINE.match(line):
                yield int(head[1]), _references(line)

    def _line(self, number: int) -> bytes:
        place = int(np.searchsorted(self._numbers, number))
        if place == len(self._numbers) or self._numbers[place] != number:
            return b""
        begin = int(self._begins[place])
        end = self._content.find(b"\n", begin)
        return self._content[begin:] if end < 0 else self._content[begin : end + 1]

    def _line_around(self, place: int) -> bytes:
        begin = self._content.rfind(b"\n", 0, place) + 1
        end = self._content.find(b"\n", place)
        return self._content[begin:] if end < 0 else self._content[begin : end + 1]

    def _keyword(self, line: bytes) -> str:
        head = _LINE.match(line)
        return "" if head is None else head[2].decode("ascii", "replace")


def _references(line: bytes) -> list[int]:
    _, _, said = line.partition(b"=")
    return [int(each) for each in _REFERENCE.findall(_TEXT.sub(b"", said))]


def _numbers(
    letters: NDArray[np.uint8], places: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number that begins at each place, and where it ends."""
    numbers: NDArray[np.int64] = np.zeros(len(places), np.int64)
    going, at = np.arange(len(places)), places.copy()
    for _ in range(_ID_DIGITS_MAX):
        digits = letters[np.minimum(at[going], len(letters) - 1)] - np.uint8(ord("0"))
        is_digit = digits < 10  # what is below "0" wraps around
        going, digits = going[is_digit], digits[is_digit]
        numbers[going] = numbers[going] * 10 + digits
        at[going] += 1
    return numbers, at
