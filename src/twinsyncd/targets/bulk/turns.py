"""Lets files of one connection be delivered one at a time, parents first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets one file go at a time, of those that wait the one with the lowest rank."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._condition = threading.Condition()
        self._waiting: list[int] = []
        self._busy = False

    @contextmanager
    def take(self, rank: int) -> Iterator[None]:
        """Hold the turn while the context lasts."""
        with self._condition:
            self._waiting.append(rank)
            self._condition.notify_all()
            if rank:
                self._condition.wait_for(lambda: rank > min(self._waiting), self._grace_s)
            self._condition.wait_for(lambda: not self._busy and rank == min(self._waiting))
            self._waiting.remove(rank)
            self._busy = True
        try:
            yield
        finally:
            with self._condition:
                self._busy = False
                self._condition.notify_all()
