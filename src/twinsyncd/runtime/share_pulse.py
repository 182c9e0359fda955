"""Notices within some twenty seconds that a drive hangs, also when nothing is read from it.

Between two scans nobody asks a drive anything, so one that hangs would be "in sync" until the next
scan. A source of which nothing was heard for a while is asked a trifle, on the drive's own threads,
and whoever does not answer for SLOW_S is reported, once, until it answers again.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from ..core import facts
from ..core.model import SourceKey
from ..errors import DiskError
from .share_folder import Share

PULSE_S: Final = 8.0  # with SLOW_S, after which it counts as silent, less than 20 s
LOOK_S: Final = 1.0  # between looks whether one that does not answer does so again
PULSES_PER_S: Final = 25.0  # a thousand sources are asked less often; they lie on a few drives


class SharePulse:
    """Asks the shares whether they answer; `check` belongs to one thread."""

    def __init__(
        self,
        shares: Mapping[SourceKey, Share],
        post: Callable[[facts.Fact], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives monotonic seconds."""
        self._shares = shares
        self._post = post
        self._clock = clock
        self._every_s = max(PULSE_S, len(shares) / PULSES_PER_S)
        due_s = clock() + self._every_s
        self._due = [(due_s, source) for source in sorted(shares)]  # a heap
        self._open: dict[SourceKey, Future[None]] = {}
        self._slow: set[SourceKey] = set()

    def check(self) -> None:
        """Ask what is due, and report what has become silent or answers again."""
        for source, share in self._shares.items():
            silence = share.threads.silence()
            if silence is not None and source not in self._slow:
                self._slow.add(source)
                self._post(facts.ShareSlow(source, str(silence), silence.since_s))
            elif silence is None and source in self._slow:
                self._slow.discard(source)
                self._post(facts.ShareAnswers(source))
        now_s = self._clock()
        while self._due and self._due[0][0] <= now_s:
            source = heapq.heappop(self._due)[1]
            heapq.heappush(self._due, (self._next_s(source, now_s), source))

    def _next_s(self, source: SourceKey, now_s: float) -> float:
        """Ask if nothing was heard of it for long enough; return when to look at it next."""
        share, asked = self._shares[source], self._open.get(source)
        if share.threads.is_silent or (asked is not None and not asked.done()):
            return now_s + LOOK_S
        if (due_s := share.threads.answered_s + self._every_s) > now_s:
            return due_s
        self._ask(source, share)
        return now_s + self._every_s

    def _ask(self, source: SourceKey, share: Share) -> None:
        """Ask; whatever it answers, also an error, shows that it answers."""

        def ask() -> None:
            with suppress(OSError, DiskError):
                share.folder.ask()

        asked = self._open[source] = share.threads.submit(ask)
        asked.add_done_callback(lambda done: self._answered(source, done))

    def _answered(self, source: SourceKey, done: Future[None]) -> None:
        """Let a scan find out whether the whole share is silent, if this was given up."""
        error = done.exception()
        if isinstance(error, DiskError):
            self._post(facts.HintsLost(source, str(error)))
