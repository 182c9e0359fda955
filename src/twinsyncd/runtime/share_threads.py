"""What touches one source's folder runs on threads of its drive, and silence is an answer.

A server that went away blocks a thread in the kernel for minutes or for ever. A job without any
progress for `silence_s` is given up: whoever waits gets ShareSilent, and so does everything that
was queued behind it. Until the share answers again, one job at a time tries it, with little
patience. Threads that hang are bounded: past HUNG_MAX only one more is risked every RISK_S.
A source can be silent alone on a drive that answers the others: a folder may lead elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from ..core.drive_facts import PART_SILENT, SILENT
from ..errors import ShareSilent
from .drive_threads import SLOW_S, THREADS, Drives, DriveThreads, ShareJob
from .formatting import clock_time
from .threads import GivenUpError, standing_aside

__all__ = ["CHECK_S", "HUNG_MAX", "PROBE_S", "RISK_S", "SILENCE_S", "THREADS", "ShareThreads"]

SILENCE_S: Final = 60.0  # a disk that spins up or a server that restarts takes less
PROBE_S: Final = 10.0  # patience with a share that is known to be silent
CHECK_S: Final = 1.0  # how often silence is looked for
HUNG_MAX: Final = 8
HEARD_S: Final = 20.0  # a source that answered something so lately answers: it is asked every 8 s
PART_S: Final = 1.0  # an answer so long after another question shows that only that one hangs
RISK_S: Final = 300.0
HUNG_LIMIT: Final = 64  # stacks of threads are cheap, but not without end

T = TypeVar("T")


class ShareThreads:
    """Runs what touches one source's folder; may be used from any thread."""

    def __init__(
        self,
        name: str,
        silence_s: float = SILENCE_S,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        check_s: float = CHECK_S,
        drives: Drives | None = None,
        folder: Path = Path(),
    ) -> None:
        """`clock` gives monotonic seconds, `wall` seconds since the epoch.

        `check_s` [s] is how often a caller that waits looks for silence. `drives` are shared with
        the other sources, and `folder` says on which of them this one lies; without, it is alone.
        """
        self.drives = drives or Drives(lambda _folder: name, clock=clock)
        self._folder = folder
        self._drive_now: DriveThreads | None = None  # where the last job was begun
        self._silence_s = silence_s
        self._clock = clock
        self._wall = wall
        self._check_s = check_s
        self._silent_s = 0.0  # monotonic time of the last answer; 0: it answers, as far as is known
        self.answered_s = float("-inf")  # monotonic time of the last answer
        self._hung = 0
        self._risked_s = float("-inf")
        self._left_open: list[Callable[[], None]] = []

    def submit(
        self,
        act: Callable[[], T],
        *,
        patience_s: float = float("inf"),
        in_background: bool = False,
    ) -> Future[T]:
        """Run `act` on a thread of the drive; the future raises ShareSilent if it hangs.

        `in_background`: nobody waits for it, so other jobs of the drive may go before.
        """
        drive = self._drive()
        with self.drives.lock:
            silent_s = self._silent_s or drive.silent_s
            if not silent_s:
                patience_s = min(patience_s, self._silence_s)
                return drive.begin(ShareJob(act, patience_s, self, in_background=in_background))
            if self._may_try(drive):
                self._risked_s = drive.risked_s = self._clock()
                patience_s = min(PROBE_S, self._silence_s)
                return drive.begin(ShareJob(act, patience_s, self, in_background=False))
        refused: Future[T] = Future()
        refused.set_exception(self.error_of_silence(silent_s))
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
        """Wait until a job has ended or was given up; stand aside if that takes long (P14)."""
        until_s = self._clock() + SLOW_S
        while not self._has_ended(future):
            self.check()
            if self._clock() >= until_s:
                break
        with standing_aside() if not future.done() else nullcontext():
            while not self._has_ended(future):
                self.check()

    def _has_ended(self, future: Future[T]) -> bool:
        """Return whether a job has ended, after a while; cheaper than `concurrent.futures.wait`."""
        try:
            future.exception(self._check_s)
        except TimeoutError:
            return future.done()
        return True

    def each(self, values: Iterable[T]) -> Iterator[T]:
        """Yield the values, each produced on the drive's threads."""
        iterator = iter(values)
        while taken := self.call(lambda: list(islice(iterator, 1))):
            yield taken[0]

    def close_later(self, close: Callable[[], None]) -> None:
        """Close something on the drive's threads; while it is silent, keep it open."""
        drive = self._drive()
        with self.drives.lock:
            if not (self._silent_s or drive.silent_s):
                self.submit(close)
            else:
                self._left_open.append(close)

    def note_progress(self) -> None:
        """Note that the share has answered the calling thread."""
        drive = self._drive_now or self._drive()
        drive.note_progress()
        drive.answered()
        self._silent_s, self.answered_s = 0.0, drive.answered_s

    def paused(self) -> AbstractContextManager[None]:
        """Let the calling thread wait for something else, which is not the share's fault."""
        return self._drive().paused()

    def check(self) -> None:
        """Give up what drives do not answer; call it every CHECK_S."""
        self.drives.check()

    def stop(self) -> None:
        """Begin nothing more on any of the drives; waits for nothing."""
        self.drives.stop()

    # ---- called by the drive's threads, with the lock of all drives -------------------------

    @property
    def is_silent(self) -> bool:
        """Return whether nothing of it answers, as far as is known."""
        drive = self._drive_now
        return self._silent_s > 0.0 or (drive is not None and drive.silent_s > 0.0)

    def _hangs_alone(self, job: ShareJob) -> bool:
        """Return whether the source has answered others since, so one place of it hangs."""
        is_heard = self._clock() - self.answered_s < HEARD_S
        return is_heard and self.answered_s > job.progress_s and self._hung < HUNG_MAX

    def note_hang(self, job: ShareJob) -> ShareSilent:
        """Note that a job hangs: the source is silent until one of its jobs is answered.

        If it answers others meanwhile, one file or folder hangs alone.
        """
        self._hung += 1
        if self._hangs_alone(job):
            return self.error_of_silence(job.progress_s, PART_SILENT)
        self._silent_s = self._silent_s or self._last_answer_s(job.progress_s)
        return self.error_of_silence(self._silent_s)

    def note_answer(self, job: ShareJob) -> None:
        """Note that a job ended; close what had to stay open meanwhile."""
        with self.drives.lock:
            self._silent_s, self.answered_s = 0.0, self._clock()
            if job.given_up and self._hung:
                self._hung -= 1
            left_open, self._left_open = self._left_open, []
        for close in left_open:
            self.submit(close)

    def error_of_silence(self, since_s: float, what: str = SILENT) -> ShareSilent:
        """Return the error of a job; `since_s` is monotonic."""
        wall_s = self._wall() - (self._clock() - since_s)
        return ShareSilent(
            f"{what} {clock_time(wall_s)}",
            hint="check the server and the network; work goes on when it answers",
            since_s=wall_s,
            in_part=what == PART_SILENT,
        )

    # ---- called by whoever looks for silence -------------------------------------------------

    def silence(self) -> ShareSilent | None:
        """Return since when something of it has had no answer for SLOW_S; None: it answers."""
        drive = self._drive_now
        if drive is None or not (self._silent_s or drive.silent_s or drive.running):
            return None  # asked each second about each of 1,000 sources, so without the lock
        with self.drives.lock:
            since_s = self._silent_s or drive.silent_s
            if not since_s and (slow_s := drive.slow_since_s(self)):
                if self.answered_s > slow_s + PART_S:
                    return self.error_of_silence(slow_s, PART_SILENT)
                since_s = self._last_answer_s(slow_s)
        return self.error_of_silence(since_s) if since_s else None

    def _last_answer_s(self, asked_s: float) -> float:
        """Return when it last answered before it was asked what it does not answer."""
        return min(asked_s, self.answered_s) if self.answered_s > float("-inf") else asked_s

    def _drive(self) -> DriveThreads:
        """Return the threads of the drive on which the folder lies now: shares come and go."""
        self._drive_now = self.drives.of(self._folder, self)
        return self._drive_now

    def _may_try(self, drive: DriveThreads) -> bool:
        """Return whether one more thread may be risked on a silent source, or a silent drive."""
        jobs = [job for job in drive.running.values() if isinstance(job, ShareJob)]
        if drive.hung >= HUNG_LIMIT:
            return False
        if drive.silent_s:
            is_tried, hung, risked_s = bool(jobs), drive.hung, drive.risked_s
        else:
            is_tried, hung = any(job.owner is self for job in jobs), self._hung
            risked_s = self._risked_s
        return not is_tried and (hung < HUNG_MAX or self._clock() - risked_s >= RISK_S)
