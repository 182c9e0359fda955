"""Limits of bandwidth as written in the file: one rate, or a rate for each time of the week."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from .timetable import ALWAYS, Window, window
from .units import mistake

UNLIMITED: Final = "unlimited"
LEAST_BYTES_PER_S: Final = 16_000  # below, requests run into the time-outs of servers and proxies
_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMG](?:i?B|bit)/s)")  # "Mb/s" could mean both
_LOOSE: Final = re.compile(
    r"(?P<number>\d+(?:[.,]\d+)?)\s*(?P<prefix>[kmg])(?P<binary>i?)"
    r"(?P<unit>bytes?|bits?|b)(?:ps|\s*/\s*s(?:ec)?)?",
    re.IGNORECASE,
)
"""A rate in other letters than ours, whose meaning is clear but for bits and bytes."""

_UNITS: Final = {
    "kB/s": 1e3,
    "KB/s": 1e3,
    "MB/s": 1e6,
    "GB/s": 1e9,
    "KiB/s": 1024.0,
    "MiB/s": 1024.0**2,
    "GiB/s": 1024.0**3,
    "kbit/s": 1e3 / 8,
    "Mbit/s": 1e6 / 8,
    "Gbit/s": 1e9 / 8,
}
_FIX: Final = 'write a number and a unit, like "20 MB/s" or "100 Mbit/s", or "unlimited"'
_TABLE_FIX: Final = f'{_FIX}; or a table, like {{ "Mon-Fri 08:00-18:00" = "2 MB/s" }}'


_ALWAYS: Final = window(ALWAYS)


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Rates by time of the week; the first window that a moment lies in counts."""

    rates: tuple[tuple[Window, float | None], ...] = ()
    written: str | Mapping[str, str] = UNLIMITED

    def at(self, moment: datetime) -> float | None:
        """Return the bytes per second allowed at a moment of this machine's time; None: all."""
        for each, rate in self.rates:
            if each.contains(moment):
                return rate
        return None


def bandwidth(value: object) -> Bandwidth:
    """Return the limits that `value` names; raises a PydanticCustomError with a fix."""
    if isinstance(value, Bandwidth):
        return value
    if isinstance(value, str):
        limit = rate(value)
        return Bandwidth() if limit is None else Bandwidth(((_ALWAYS, limit),), value)
    if not isinstance(value, Mapping) or not value:
        raise mistake(f"{value!r} is not a bandwidth", _TABLE_FIX)
    rates = tuple((window(when), rate(text)) for when, text in value.items())
    return Bandwidth(rates, dict(value))


def rate(text: object) -> float | None:
    """Return the bytes per second that `text` names; None for "unlimited"."""
    if not isinstance(text, str):
        raise mistake(f"{text!r} is not a bandwidth", _FIX)
    if text.strip().lower() == UNLIMITED:
        return None
    found = _RATE.fullmatch(text.strip())
    factor = _UNITS.get(found[2]) if found else None
    if found is None or factor is None:
        raise mistake(f'"{text}" is not a bandwidth', _nearest(text.strip()))
    bytes_per_s = float(found[1]) * factor
    if bytes_per_s < LEAST_BYTES_PER_S:
        raise mistake(f'"{text}" is too little', 'choose at least "16 kB/s"')
    return bytes_per_s


def _nearest(text: str) -> str:
    """Return the rate that was probably meant, in our letters."""
    found = _LOOSE.fullmatch(text)
    if found is None:
        return _FIX
    number = found["number"].replace(",", ".")
    prefix = "k" if found["prefix"] in "kK" else found["prefix"].upper()
    in_bytes, in_bits = f'"{number} {prefix}{found["binary"]}B/s"', f'"{number} {prefix}bit/s"'
    unit = found["unit"]
    if found["binary"] or unit == "B" or unit.lower().startswith("byte"):
        return f"write {in_bytes}"
    if unit == "b":
        return f"write {in_bytes} for bytes, or {in_bits} for bits"
    return f"write {in_bits}"


Limits = Annotated[
    Bandwidth,
    BeforeValidator(bandwidth),
    PlainSerializer(lambda value: value.written, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]
