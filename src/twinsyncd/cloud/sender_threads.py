"""Daemon threads that send blocks; a stop of the program waits for none of them.

The pools of concurrent.futures are joined when the interpreter exits, so a host that does not
answer would delay every stop. A thread without work ends by itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

IDLE_S: Final = 10.0


class SenderThreads:
    """Runs what it is given on at most `most` threads; may be used from any thread."""

    def __init__(self, most: int) -> None:
        """Start no thread before there is work."""
        self._most = most
        self._changed = threading.Condition()
        self._work: deque[Callable[[], None]] = deque()
        self._threads = 0
        self._idle = 0

    def begin(self, act: Callable[[], None]) -> None:
        """Run `act`, which raises nothing, on some thread, soon."""
        with self._changed:
            self._work.append(act)
            if len(self._work) > self._idle and self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._run, name="block", daemon=True).start()
            self._changed.notify()

    def _run(self) -> None:
        while (act := self._next()) is not None:
            act()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._work, IDLE_S)
            self._idle -= 1
            if self._work:
                return self._work.popleft()
            self._threads -= 1
            return None
