"""Durations and shares as written in the file: a number and a unit."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

SECONDS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_S: Final = 30 * 86400.0  # a longer wait is a typing mistake

_PART: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_PER_CENT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_FIX: Final = 'write a number and a unit (ms, s, min, h, d), like "500ms", "5s", "10min", "1h30min"'


def duration(text: object) -> timedelta:
    """Return the time that `text` names, above zero; raises a PydanticCustomError with a fix."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str):
        raise mistake(f"{text!r} is not a duration", _FIX)
    seconds = _seconds(text)
    if not 0 < seconds <= LONGEST_S:
        raise mistake(f'"{text}" is out of range', "choose a time above zero and at most 30d")
    return timedelta(seconds=seconds)


def pause(text: object) -> timedelta:
    """Return the time that `text` names; zero is allowed and means: only on occasion."""
    return timedelta() if text == "0s" else duration(text)


def scan_interval(text: object) -> timedelta | None:
    """Return the time that `text` names; None for "auto"."""
    return None if text is None or text == "auto" else duration(text)


def mistake(message: str, fix: str) -> PydanticCustomError:
    """Return the error that a validator raises: what is wrong, and how to correct it."""
    return PydanticCustomError("config", "{message}", {"message": message, "fix": fix})


def share(text: object) -> float:
    """Return the part of one that `text` names in per cent; raises a PydanticCustomError."""
    number = _PER_CENT.fullmatch(text.strip()) if isinstance(text, str) else None
    if number is None or not 0 < float(number[1]) <= 100:
        raise mistake(f"{text!r} is not a share", 'write a share in quotes, like "20%"')
    return float(number[1]) / 100


def _seconds(text: str) -> float:
    parts = list(_PART.finditer(text))
    units = [part[2].lower() for part in parts]
    if not parts or "".join(part[0] for part in parts) != text:
        raise mistake(f'"{text}" is not a duration', _FIX)
    for unit in units:
        if unit not in SECONDS:
            raise mistake(f'"{text}": the unit "{unit}" is not known', _FIX)
    if len(set(units)) < len(units):
        raise mistake(f'"{text}" names a unit twice', _FIX)
    return sum(float(part[1]) * SECONDS[unit] for part, unit in zip(parts, units, strict=True))


def written(value: timedelta | None) -> str:
    """Return the time as the file has it, like "1h30min"; "auto" for None."""
    if value is None:
        return "auto"
    left_ms = round(value.total_seconds() * 1000)
    parts = []
    for unit, seconds in reversed(SECONDS.items()):
        count, left_ms = divmod(left_ms, round(seconds * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def written_share(value: float) -> str:
    """Return the share as the file has it, like "20%"."""
    return f"{value * 100:g}%"


_DURATION_TEXT: Final = r"^\s*(\d+(\.\d+)?\s*(ms|s|min|h|d)\s*)+$"

Share = Annotated[
    float,
    BeforeValidator(share),
    PlainSerializer(written_share, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$"}),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(written, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _DURATION_TEXT}),
]
Pause = Annotated[
    timedelta,
    BeforeValidator(pause),
    PlainSerializer(written, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _DURATION_TEXT}),
]
ScanInterval = Annotated[
    timedelta | None,
    BeforeValidator(scan_interval),
    PlainSerializer(written, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": rf"^auto$|{_DURATION_TEXT}"}),
]
