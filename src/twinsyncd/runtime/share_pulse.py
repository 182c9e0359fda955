"""Notices within some twenty seconds that a drive hangs, also when nothing is read from it.

Between two scans nobody asks a drive anything, so one that hangs would be "in sync" until the next
scan. A source of which nothing was heard for a while is asked a trifle, on the drive's own threads,
and whoever does not answer for SLOW_S is reported, once, until it answers again.
"""

from __future__ import annotations

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
        self._asked_s = dict.fromkeys(shares, clock())
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
            if not share.threads.is_silent and self._is_due(source, share):
                self._ask(source, share)

    def _is_due(self, source: SourceKey, share: Share) -> bool:
        asked = self._open.get(source)
        if asked is not None and not asked.done():
            return False
        last_s = max(self._asked_s[source], share.threads.answered_s)
        return self._clock() - last_s >= self._every_s

    def _ask(self, source: SourceKey, share: Share) -> None:
        """Ask; whatever it answers, also an error, shows that it answers."""
        self._asked_s[source] = self._clock()

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
