"""Waiting for what other processes do: always for a condition, never longer than a bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

PATIENCE_S: Final = 60.0  # a loaded machine may take its time, a broken program must fail
LOOK_S: Final = 0.02

T = TypeVar("T")


def wait_until(
    look: Callable[[], T], what: str, patience_s: float = PATIENCE_S, *, every_s: float = LOOK_S
) -> T:
    """Return the first true answer of `look`; fails with `what` when there is none in time."""
    end_s = time.monotonic() + patience_s
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < end_s, f"{what} did not happen within {patience_s:.0f} s"
        time.sleep(every_s)
