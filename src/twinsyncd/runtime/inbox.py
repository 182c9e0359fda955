"""Queues facts for the engine: hints are bounded, answers never dropped."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import Final

from ..core.facts import Fact, FilesFound, HintsLost, Reserved, Touched
from ..core.model import SourceKey

HINTS_MAX: Final = 10_000  # hints waiting; for more of them one scan costs less
BATCH_MAX: Final = 1_000  # facts per decision, which is one commit
RESERVED_S: Final = 0.2  # a reserved id waits so long for the end of its store
GATHER_S: Final = 0.1  # two more stores for each upload thread are decided by then: none waits
PARTS_MAX: Final = 8  # parts of scans waiting; a scan waits, so that memory stays bounded


class Inbox:
    """Any thread may post; only the engine drains.

    Equal hints are kept once, and so are equal HintsLost. Too many hints at once become one
    HintsLost per source.
    A Reserved fact is delivered together with the next fact, which saves one commit per new file:
    the end of a small file usually follows within milliseconds. A large file takes long, and after
    a crash only this fact finds its blocks, so it waits for `reserved_s` at most. As with it, the
    ends of many running stores are delivered together.
    """

    def __init__(self, *, gather_s: float = GATHER_S, reserved_s: float = RESERVED_S) -> None:
        """Start empty; `gather_s` is how long an answer waits for others [s]."""
        self._gather_s = gather_s
        self._reserved_s = reserved_s
        self._reserved_due_s = math.inf  # monotonic [s]: when the first of them must be delivered
        self._changed = threading.Condition()
        self._facts: deque[Fact] = deque()
        self._hints: dict[Touched | HintsLost, None] = {}
        self._reserved: list[Fact] = []
        self._parts = 0
        self._woken = False

    def post(self, fact: Fact) -> None:
        """Queue a fact for the engine; a part of a scan waits here while too many are queued."""
        with self._changed:
            if isinstance(fact, Reserved):
                if not self._reserved:
                    self._reserved_due_s = time.monotonic() + self._reserved_s
                self._reserved.append(fact)
            elif isinstance(fact, Touched | HintsLost):
                self._post_hint(fact)
            else:
                self._post_other(fact)
            self._changed.notify_all()

    def wake(self) -> None:
        """Let `drain` return now, even without facts."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def drain(self, timeout_s: float, together: int = 1) -> list[Fact]:
        """Return the facts received, waiting at most `timeout_s` [s] for the first one.

        Then waits up to `gather_s` for more, until there are `together` of them.
        """
        with self._changed:
            self._wait_for_one(timeout_s)
            if self._facts:
                self._changed.wait_for(lambda: self._has(together), self._gather_s)
            self._woken = False
            taken: list[Fact] = [*self._hints, *self._reserved]
            self._hints.clear()
            self._reserved.clear()
            self._reserved_due_s = math.inf
            while self._facts and len(taken) < BATCH_MAX:
                taken.append(self._facts.popleft())
            self._parts -= sum(isinstance(fact, FilesFound) for fact in taken)
            self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Release every thread that waits in `post`."""
        with self._changed:
            self._parts = -(10**9)
            self._changed.notify_all()

    def _wait_for_one(self, timeout_s: float) -> None:
        end_s = time.monotonic() + timeout_s
        while not self._has(1):
            left_s = min(end_s, self._reserved_due_s) - time.monotonic()
            if left_s <= 0.0:
                return
            self._changed.wait(left_s)

    def _has(self, facts: int) -> bool:
        return len(self._facts) >= facts or bool(self._hints) or self._woken

    def _post_hint(self, hint: Touched | HintsLost) -> None:
        self._hints.setdefault(hint)
        if len(self._hints) > HINTS_MAX:
            sources = dict.fromkeys(map(_source_of, self._hints))
            self._hints = {HintsLost(source, "too many at once"): None for source in sources}

    def _post_other(self, fact: Fact) -> None:
        if isinstance(fact, FilesFound):
            self._changed.wait_for(lambda: self._parts < PARTS_MAX)
            self._parts += 1
        self._facts.append(fact)


def _source_of(hint: Touched | HintsLost) -> SourceKey:
    return hint.source if isinstance(hint, HintsLost) else hint.key.source
