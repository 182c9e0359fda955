"""When the next request to a host may begin, so that its rate limit is not run into.

While more than half of a budget is left, nothing waits: most work is over before it is used up.
Below that, what is left is spread evenly over the time until the count begins anew. Pure, but for
what it remembers; whoever uses it from several threads guards it.
"""

from __future__ import annotations

from typing import Final

from .rate_headers import Budget

FREE_SHARE: Final = 0.5  # of a budget, that may be used up at once
LONGEST_S: Final = 3000.0  # whatever a host says, it is asked again within the hour
FIRST_CLOSED_S: Final = 0.5  # after a refusal for the rate that names no time; doubles from here
CLOSED_MAX_S: Final = 30.0  # a host that takes requests again is noticed within half a minute
SAME_WINDOW_S: Final = 2.0  # a reset is given in whole seconds, and travels


class RequestPace:
    """The pace of one host; all times are monotonic seconds."""

    def __init__(self) -> None:
        """Begin without a budget: nothing waits until the host reports one."""
        self._left = 0
        self._limit = 0
        self._resets_s = float("-inf")
        self._closed_until_s = float("-inf")
        self._begun_s = float("-inf")
        self._under_way = 0
        self._refusals = 0  # in a row, that named no time

    def ready_s(self, now_s: float) -> float:
        """Return when the next request may begin; not later than now: at once."""
        ready_s = self._closed_until_s
        if now_s < self._resets_s:
            ready_s = max(ready_s, self._in_budget_s())
        return ready_s

    def slowed(self, now_s: float) -> Budget | None:
        """Return what is left, if requests wait for each other or for the host; None: none do."""
        if now_s < self._closed_until_s:
            return Budget(0, self._closed_until_s - now_s, self._limit)
        if now_s >= self._resets_s or self._is_free():
            return None
        return Budget(max(self._left - self._under_way, 0), self._resets_s - now_s, self._limit)

    def began(self, now_s: float) -> None:
        """Note that a request begins."""
        self._begun_s = now_s
        self._under_way += 1

    def ended(self, now_s: float, budget: Budget | None, *, closed_s: float = 0.0) -> None:
        """Note the answer to a request, or that it failed: what it reported, and how long to wait.

        Answers overtake each other, so within one window the smallest reported number counts.
        """
        self._under_way -= 1
        if closed_s > 0.0:
            closed_until_s = now_s + min(closed_s, LONGEST_S)
            self._closed_until_s = max(self._closed_until_s, closed_until_s)
        if budget is None:
            self._left -= 1  # it counts there, even if nobody said so
            return
        resets_s = now_s + min(budget.resets_in_s, LONGEST_S)
        is_same = now_s < self._resets_s and abs(resets_s - self._resets_s) <= SAME_WINDOW_S
        self._left = min(self._left, budget.left) if is_same else budget.left
        self._resets_s = max(resets_s, self._resets_s) if is_same else resets_s
        self._limit = budget.limit or (self._limit if is_same else budget.left)

    def refused(self, begun_s: float, now_s: float) -> None:
        """Note a refusal, of a request begun then, that names no time: wait longer each time.

        Those that were under way together are refused together, and counted once.
        """
        if begun_s >= self._closed_until_s:
            closed_s = min(FIRST_CLOSED_S * 2.0**self._refusals, CLOSED_MAX_S)
            self._refusals += closed_s < CLOSED_MAX_S
            self._closed_until_s = now_s + closed_s

    def served(self) -> None:
        """Note a request that the host did not refuse: a later refusal is the first again."""
        self._refusals = 0

    def _is_free(self) -> bool:
        return self._left - self._under_way > self._limit * FREE_SHARE

    def _in_budget_s(self) -> float:
        """Return when the next request fits into the budget."""
        left = self._left - self._under_way
        if left <= 0:
            return self._resets_s
        if self._is_free():
            return float("-inf")
        return self._begun_s + max(self._resets_s - self._begun_s, 0.0) / (left + 1)
