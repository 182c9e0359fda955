"""The threads of one share: everything that touches it runs here, and silence is an answer.

A server that went away blocks a thread in the kernel for minutes or for ever. A job without any
progress for `silence_s` is given up: whoever waits gets ShareSilent, and so does everything that
was queued behind it. Until the share answers again, one job at a time tries it, with little
patience. Threads that hang are bounded: past HUNG_MAX only one more is risked every RISK_S.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from itertools import islice
from typing import Final, TypeVar

from ..errors import ShareSilent
from .formatting import clock_time
from .threads import GivenUpError, Job, Threads

SILENCE_S: Final = 60.0  # a disk that spins up or a server that restarts takes less
PROBE_S: Final = 10.0  # patience with a share that is known to be silent
CHECK_S: Final = 1.0  # how often silence is looked for
THREADS: Final = 12  # per share: a scan, a few hashes, and the reads of its uploads
HUNG_MAX: Final = 8
RISK_S: Final = 300.0
HUNG_LIMIT: Final = 64  # stacks of threads are cheap, but not without end

T = TypeVar("T")


class ShareThreads(Threads):
    """Runs what touches one share; may be used from any thread."""

    def __init__(
        self,
        name: str,
        silence_s: float = SILENCE_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        check_s: float = CHECK_S,
    ) -> None:
        """`clock` gives monotonic seconds, `wall` seconds since the epoch.

        `check_s` [s] is how often a caller that waits looks for silence.
        """
        super().__init__(f"drive-{name}", THREADS, clock=clock)
        self._silence_s = silence_s
        self._wall = wall
        self._check_s = check_s
        self._silent_since_s = 0.0  # wall clock; 0: it answers, as far as is known
        self._hung = 0
        self._risked_s = float("-inf")
        self._left_open: list[Callable[[], None]] = []

    def submit(self, act: Callable[[], T], *, patience_s: float = float("inf")) -> Future[T]:
        """Run `act` on a thread of the share; the future raises ShareSilent if it hangs."""
        with self.lock:
            if not self._silent_since_s:
                return super().submit(act, patience_s=min(patience_s, self._silence_s))
            if self._may_try():
                self._risked_s = self.clock()
                return super().submit(act, patience_s=min(PROBE_S, self._silence_s))
        refused: Future[T] = Future()
        refused.set_exception(self._silence())
        return refused

    def call(self, act: Callable[[], T]) -> T:
        """Return what `act` returns, or raise what it raises; ShareSilent if it hangs."""
        future = self.submit(act)
        return self.result(future)

    def result(self, future: Future[T]) -> T:
        """Wait for a job and return its result, as `call` does."""
        self.wait_for(future)
        try:
            return future.result()
        except GivenUpError as exc:
            raise ShareSilent(str(exc)) from exc

    def wait_for(self, future: Future[T]) -> None:
        """Wait until a job has ended or was given up."""
        while not wait([future], self._check_s).done:
            self.check()

    def each(self, values: Iterable[T]) -> Iterator[T]:
        """Yield the values, each produced on the share's threads."""
        iterator = iter(values)
        while taken := self.call(lambda: list(islice(iterator, 1))):
            yield taken[0]

    def close_later(self, close: Callable[[], None]) -> None:
        """Close something on the share's threads; while it is silent, keep it open."""
        with self.lock:
            if not self._silent_since_s:
                self.submit(close)
            else:
                self._left_open.append(close)

    def note_progress(self) -> None:
        """Note that the share has answered the calling thread."""
        super().note_progress()
        self._silent_since_s = 0.0

    def check(self) -> None:
        """Give up what the share does not answer; call it every CHECK_S."""
        with self.lock:
            slow = self.give_up_slow()
            if not slow:
                return
            self._hung += len(slow)
            last_s = max(job.progress_s for job in slow)
            since_s = self._wall() - (self.clock() - last_s)
            self._silent_since_s = self._silent_since_s or since_s
            silence = self._silence()
            left = [*slow, *self.take_waiting()]
        for job in left:
            job.fail(silence)

    def ended(self, job: Job) -> None:
        """Note that the share answered; a thread that was given up counts no more."""
        with self.lock:
            self._silent_since_s = 0.0
            if job.given_up:
                self._hung -= 1
            left_open, self._left_open = self._left_open, []
        for close in left_open:
            self.submit(close)

    def _may_try(self) -> bool:
        """Return whether one more thread may be risked on a silent share."""
        if self.running or self._hung >= HUNG_LIMIT:
            return False
        return self._hung < HUNG_MAX or self.clock() - self._risked_s >= RISK_S

    def _silence(self) -> ShareSilent:
        return ShareSilent(
            f"the drive does not answer since {clock_time(self._silent_since_s)}",
            hint="check the server and the network; work goes on when it answers",
        )
