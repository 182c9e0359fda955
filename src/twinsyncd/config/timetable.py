"""Times of the week as written in the file, like "Mon-Fri 18:00-06:00" or "always".

A window that ends before it begins goes on into the next day: "Fri 22:00-06:00" ends on Saturday.
Times are those of this machine's clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from .units import mistake

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ALWAYS: Final = "always"
_DAY: Final = 24 * 60  # minutes
_WEEK: Final = 7 * _DAY
_WINDOW: Final = re.compile(
    r"(?P<days>[a-z]{3}(?:-[a-z]{3})?(?:\s*,\s*[a-z]{3}(?:-[a-z]{3})?)*)?\s*"
    r"(?:(?P<begin>\d{1,2}:\d\d)\s*-\s*(?P<end>\d{1,2}:\d\d))?",
    re.IGNORECASE,
)
_FIX: Final = (
    'write days and times, like "Mon-Fri 08:00-18:00", "Sat,Sun", "22:00-06:00", or "always"'
)


@dataclass(frozen=True, slots=True)
class Window:
    """Parts of the week: pairs of minutes since Monday 00:00, the end not included."""

    text: str
    spans: tuple[tuple[int, int], ...]

    @property
    def is_always(self) -> bool:
        """Return whether it never closes."""
        return self.spans == ((0, _WEEK),)

    def contains(self, moment: datetime) -> bool:
        """Return whether the moment, in this machine's time, lies in the window."""
        minute = moment.weekday() * _DAY + moment.hour * 60 + moment.minute
        return any(begin <= minute < end for begin, end in self.spans)

    def opens_s(self, wall_s: float) -> float:
        """Return from when on it is open, as wall clock [s]: `wall_s` itself, or a later moment."""
        moment = datetime.fromtimestamp(wall_s)  # noqa: DTZ006 - this machine's time is meant
        if self.contains(moment):
            return wall_s
        minute = moment.weekday() * _DAY + moment.hour * 60 + moment.minute
        ahead = min((begin - minute) % _WEEK for begin, _ in self.spans)
        opening = moment.replace(second=0, microsecond=0) + timedelta(minutes=ahead)
        moments = (opening.replace(fold=fold).timestamp() for fold in (0, 1))
        return next((each for each in moments if each > wall_s), wall_s)


def window(text: object) -> Window:
    """Return the window that `text` names; raises a PydanticCustomError with a fix."""
    if isinstance(text, Window):
        return text
    if not isinstance(text, str):
        raise mistake(f"{text!r} is not a time of the week", _FIX)
    if text.strip().lower() == ALWAYS:
        return Window(ALWAYS, ((0, _WEEK),))
    found = _WINDOW.fullmatch(text.strip())
    if found is None or not text.strip():
        raise mistake(f'"{text}" is not a time of the week', _FIX)
    begin = _minute(text, found["begin"] or "00:00")
    end = _minute(text, found["end"] or "24:00")
    if begin == end:
        raise mistake(f'"{text}" begins and ends at once', "leave the times out for a whole day")
    length = (end - begin) % _DAY or _DAY
    starts = sorted(day * _DAY + begin for day in _days(text, found["days"]))
    spans = [span for start in starts for span in _within_the_week(start, start + length)]
    return Window(text.strip(), tuple(sorted(spans)))


def _within_the_week(begin: int, end: int) -> list[tuple[int, int]]:
    """Return the span; what goes beyond Sunday is Monday's."""
    if end <= _WEEK:
        return [(begin, end)]
    return [(begin, _WEEK), (0, end - _WEEK)]


def _days(text: str, named: str | None) -> set[int]:
    if named is None:
        return set(range(7))
    days: set[int] = set()
    for part in named.split(","):
        first, _, last = part.strip().partition("-")
        begin, end = _day(text, first), _day(text, last or first)
        days |= {(begin + ahead) % 7 for ahead in range((end - begin) % 7 + 1)}
    return days


def _day(text: str, name: str) -> int:
    if name.capitalize() not in DAYS:
        raise mistake(f'"{text}": the day "{name}" is not known', f"write {', '.join(DAYS)}")
    return DAYS.index(name.capitalize())


def _minute(text: str, time: str) -> int:
    hours, minutes = map(int, time.split(":"))
    if minutes > 59 or hours * 60 + minutes > _DAY:
        raise mistake(f'"{text}": there is no time {time}', "write times from 00:00 to 24:00")
    return hours * 60 + minutes


def always() -> Window:
    """Return the window that never closes."""
    return window(ALWAYS)


TimeOfWeek = Annotated[
    Window,
    BeforeValidator(window),
    PlainSerializer(lambda value: value.text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string"}),
]
