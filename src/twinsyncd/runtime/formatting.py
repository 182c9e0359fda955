"""Formats moments, durations, counts and sizes for people."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

_ABSOLUTE: Final = re.compile(r"(?<!\S)(?:[A-Za-z]:)?[/\\]")
_HIDDEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of characters that are invisible, or change how others are shown."""


def clock_time(wall_s: float) -> str:
    """Return the local date and time of a wall-clock moment."""
    return datetime.fromtimestamp(wall_s, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """Return a duration in the two largest units that matter; the second only if there is any."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    first = next(place for place, (number, _) in enumerate(parts) if number)
    shown = parts[first : first + 2]
    return " ".join(f"{number} {unit}" for number, unit in shown if number)


def count(number: int, noun: str) -> str:
    """Return the number with its noun: "1 file", "2 files"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def some_of(names: Sequence[str], total: int) -> str:
    """Return the names, and how many more there are in all: "a, b and 3 more"."""
    more = f" and {total - len(names):,} more" if total > len(names) else ""
    return f"{', '.join(names)}{more}"


def with_it(text: str, path: str) -> str:
    """Return what is said of the file `path`, for readers who see its name beside it.

    The absolute name that an error begins with, or is about, becomes "it"; others stay.
    """
    for name in dict.fromkeys((path, path.replace("/", "\\"))):
        at = text.find(name)
        end = at + len(name)
        begin = _ABSOLUTE.search(text, 0, max(at, 0))
        if begin and text[end : end + 1] in ("", " ", ":", ";", ","):
            head, rest = text[: begin.start()], text[end:]
            return f"{head[:-2]}{rest}" if head.endswith(": ") else f"{head}it{rest}"
    return text


def size(size_bytes: float) -> str:
    """Return a size in the largest binary unit that keeps it at or above 1."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size_bytes < 1024:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1024
    return f"{size_bytes:.1f} TiB"


def visible(text: str) -> str:
    """Return the text with control and bidirectional characters shown as their code points."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:  # a byte of a name that is not UTF-8: PEP 383
        return f"\\x{number - 0xDC00:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
