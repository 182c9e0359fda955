"""How many requests a host is asked to serve at a time: fewer under load, more when all goes well.

A refusal for load (429, 503) or a time-out halves the number. Every request that goes well adds one
up to half of the most, so that a single time-out is soon forgotten; above that, every round does.
The rate limit that the host reports is kept, too: requests wait before it has to refuse them. Where
it refuses them and names no time, the next one waits longer after each refusal in a row.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from .rate_headers import Budget
from .request_pace import RequestPace
from .turns import Turns, asker

LOAD: Final = frozenset({429, 503})
PATIENCE_S: Final = 5.0  # a longer wait for the budget is the machine's, so that it is visible


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


class BudgetSpent(Exception):
    """The host takes no further request for longer than a call may wait."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"no request is taken for {wait_s:.0f} s")
        self.wait_s = wait_s


@dataclass(slots=True)
class Asked:
    """One request that is under way, and what its answer reported of the host's rate limit.

    `closed_s`: for how long the host wants none.
    """

    begun_s: float
    budget: Budget | None = None
    closed_s: float = 0.0


class RequestGate:
    """Lets as many requests through as the host takes, in turn; may be used from any thread."""

    def __init__(
        self,
        most: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`clock` gives monotonic seconds, and moves on while `sleep` waits."""
        self._limit = AdaptiveLimit(most)
        self._clock = clock
        self._sleep = sleep
        self._changed = threading.Condition()
        self._under_way = 0
        self._pace = RequestPace()
        self._turns = Turns()

    @property
    def allowed(self) -> int:
        """How many requests may be under way now."""
        return self._limit.allowed

    def slowed(self) -> Budget | None:
        """Return what is left of the host's budget while requests wait for it; None: none does."""
        with self._changed:
            return self._pace.slowed(self._clock())

    @contextmanager
    def place(self) -> Iterator[Asked]:
        """Wait for a place for one request, and hold it. Raises BudgetSpent."""
        asked = self._enter(asker())
        try:
            yield asked
        finally:
            with self._changed:
                self._under_way -= 1
                self._pace.ended(self._clock(), asked.budget, closed_s=asked.closed_s)
                self._changed.notify_all()

    def went_well(self) -> None:
        """Note a request that the host served."""
        with self._changed:
            self._limit.went_well()
            self._pace.served()
            self._changed.notify_all()

    def was_too_much(self, begun_s: float) -> None:
        """Note a request, begun then, that the host refused for its load or did not answer."""
        with self._changed:
            self._limit.was_too_much(begun_s, self._clock(), self._under_way)

    def was_refused(self, begun_s: float) -> None:
        """Note a request, begun then, that the host refused for its rate without naming a time."""
        with self._changed:
            self._pace.refused(begun_s, self._clock())

    def _enter(self, name: str) -> Asked:
        """Wait for the turn of that name, for a place, and for the host's budget."""
        with self._changed:
            ticket = self._turns.join(name)
        try:
            while (wait_s := self._begin_or_wait(ticket)) > 0.0:
                if wait_s > PATIENCE_S:
                    raise BudgetSpent(wait_s)
                self._sleep(wait_s)
            return Asked(self._clock())
        finally:
            with self._changed:
                self._turns.leave(name, ticket)
                self._changed.notify_all()

    def _begin_or_wait(self, ticket: object) -> float:
        """Begin once it is the ticket's turn, and return 0; or return how long to wait [s]."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._turns.first() is ticket and self._under_way < self._limit.allowed
            )
            now_s = self._clock()
            wait_s = self._pace.ready_s(now_s) - now_s
            if wait_s <= 0.0:
                self._under_way += 1
                self._pace.began(now_s)
            return wait_s
