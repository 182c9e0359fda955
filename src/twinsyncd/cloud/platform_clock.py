"""How far this machine's clock is ahead of the platform's, as its answers say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


class PlatformClock:
    """Compares this machine's clock with the time of each answer; for any thread."""

    def __init__(self, wall: Callable[[], float]) -> None:
        """`wall` gives wall clock seconds. Until an answer tells, the clocks count as equal."""
        self._wall = wall
        self.ahead_s = 0.0  # by the last answer that has a time

    def note(self, answer: httpx.Response) -> None:
        """Compare with one answer; those that were stored by a proxy say an earlier time."""
        ahead_s = ahead_of(answer, self._wall())
        if ahead_s is not None and "age" not in answer.headers:
            self.ahead_s = ahead_s


def ahead_of(answer: httpx.Response, now_s: float) -> float | None:
    """Return by how much `now_s` (wall clock [s]) is ahead [s]; None if the answer has no time.

    Source: RFC 9110, 6.6.1 (Date).
    """
    try:
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError, TypeError):
        return None
    return now_s - theirs.replace(tzinfo=theirs.tzinfo or UTC).timestamp()
