"""How many requests a host is asked to serve at a time: fewer under load, more when all goes well.

A refusal for load (429, 503) or a time-out halves the number. Every request that goes well adds one
up to half of the most, so that a single time-out is soon forgotten; above that, every round does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

LOAD: Final = frozenset({429, 503})


class AdaptiveLimit:
    """The number alone; whoever uses it from several threads guards it."""

    def __init__(self, most: int) -> None:
        """Begin with `most`."""
        self._most = most
        self._allowed = float(most)
        self._lowered_s = float("-inf")

    @property
    def allowed(self) -> int:
        """How many requests may be under way now."""
        return max(int(self._allowed), 1)

    def went_well(self) -> None:
        """Note a request that the host served."""
        step = 1.0 if self._allowed < self._most / 2 else 1.0 / self._allowed
        self._allowed = min(self._allowed + step, self._most)

    def was_too_much(self, begun_s: float, now_s: float, under_way: int) -> None:
        """Note a request, begun then, that the host refused for its load or did not answer.

        Those that were under way together halve the number once, not each of them.
        """
        if begun_s > self._lowered_s:
            self._lowered_s = now_s
            self._allowed = max(min(self._allowed, under_way) / 2.0, 1.0)


class RequestGate:
    """Lets as many requests through as the host takes; may be used from any thread."""

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives monotonic seconds."""
        self._limit = AdaptiveLimit(most)
        self._clock = clock
        self._changed = threading.Condition()
        self._under_way = 0

    @property
    def allowed(self) -> int:
        """How many requests may be under way now."""
        return self._limit.allowed

    @contextmanager
    def place(self) -> Iterator[float]:
        """Wait for a place for one request, and hold it; yields when it began [s]."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way < self._limit.allowed)
            self._under_way += 1
        try:
            yield self._clock()
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify()

    def went_well(self) -> None:
        """Note a request that the host served."""
        with self._changed:
            self._limit.went_well()
            self._changed.notify()

    def was_too_much(self, begun_s: float) -> None:
        """Note a request, begun then, that the host refused for its load or did not answer."""
        with self._changed:
            self._limit.was_too_much(begun_s, self._clock(), self._under_way)
