"""The threads of every drive, shared by all sources that lie on it, and bounded for the machine.

A thousand connections lie on a few shares, so threads are counted per drive. A drive that hangs
keeps its own threads alone. On a drive, one source leaves some threads to the others, and scans
leave some to looks and reads, for which people wait.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from .threads import Job, Threads

THREADS: Final = 12  # per drive: some scans, a few hashes, and the reads of its uploads
THREADS_IN_ALL: Final = 48  # of all drives, as long as each has its FEWEST
FEWEST: Final = 2  # a scan, and a read
SLOW_S: Final = 10.0  # a job without an answer for so long may hang


class Owner(Protocol):
    """What asks for jobs: the threads of one source."""

    @property
    def is_silent(self) -> bool:
        """Return whether nothing of it answers, as far as is known."""

    def note_hang(self, job: ShareJob) -> Exception:
        """Note that a job of it hangs; return what it ends with."""

    def note_answer(self, job: ShareJob) -> None:
        """Note that a job of it ended, perhaps long after it was given up."""

    def error_of_silence(self, since_s: float) -> Exception:
        """Return what a job ends with that waited when the whole drive fell silent."""


class ShareJob(Job):
    """A job about one source; `in_background`: nobody waits for it."""

    def __init__(
        self, act: Callable[[], Any], patience_s: float, owner: Owner, *, in_background: bool
    ) -> None:
        """Queue it for its owner."""
        super().__init__(act, patience_s)
        self.owner = owner
        self.in_background = in_background


class DriveThreads(Threads):
    """The threads of one drive; knows whether it answers at all."""

    def __init__(
        self,
        name: str,
        clock: Callable[[], float],
        lock: threading.RLock,
        prepare: Callable[[], object],
    ) -> None:
        """`clock` gives monotonic seconds; `lock` is that of all drives.

        `prepare` is called first on each thread.
        """
        self._prepare = prepare
        super().__init__(name, THREADS, clock=clock, lock=lock)
        self.owners: set[Owner] = set()
        self.hung = 0  # threads that were given up and have not come back
        self.risked_s = float("-inf")  # when a thread was last risked although it was silent
        self.silent_s = 0.0  # monotonic time of its last answer; 0: it answers, as far as is known
        self.answered_s = float("-inf")

    def chosen(self) -> Job | None:
        """Return the first waiting job whose source and kind have a thread left."""
        if not self._jobs:
            return None
        most = self.most - max(self.most // 3, 1) if len(self.owners) > 1 else self.most
        if len(self.running) < most:
            return self._jobs[0]  # no source and no kind has used up its threads
        running = [job for job in self.running.values() if isinstance(job, ShareJob)]
        owned = Counter(id(job.owner) for job in running)
        may_scan = sum(job.in_background for job in running) < most
        for job in self._jobs:
            if not isinstance(job, ShareJob):
                return job
            if owned[id(job.owner)] < most and (may_scan or not job.in_background):
                return job
        return None

    def begun(self) -> None:
        """Prepare a new thread; called on it."""
        self._prepare()

    def answered(self) -> None:
        """Note that the drive has answered some thread."""
        self.answered_s, self.silent_s = self.clock(), 0.0

    def check(self) -> None:
        """Give up what the drive does not answer, and all that waits for it if nothing is."""
        with self.lock:
            slow = [job for job in self.give_up_slow() if isinstance(job, ShareJob)]
            if not slow:
                return
            self.hung += len(slow)
            errors: list[tuple[Job, Exception]] = [(job, job.owner.note_hang(job)) for job in slow]
            last_s = max(job.progress_s for job in slow)
            if self.answered_s <= last_s:
                self.silent_s = self.silent_s or last_s
            given_up = {id(job.owner) for job in slow if job.owner.is_silent}
            for job in self.take_waiting(
                lambda job: (
                    isinstance(job, ShareJob) and (self.silent_s > 0 or id(job.owner) in given_up)
                )
            ):
                assert isinstance(job, ShareJob), "nobody else waits here"
                errors.append((job, job.owner.error_of_silence(self.silent_s or last_s)))
        for job, error in errors:
            job.fail(error)

    def slow_since_s(self, owner: Owner) -> float:
        """Return since when some job of the owner has had no answer, if for SLOW_S; else 0.

        A drive that answers nobody for so long is slow for all of them, whether they ask or not.
        """
        with self.lock:
            before_s = self.clock() - SLOW_S
            slow = [job for job in self.running.values() if job.progress_s < before_s]
            owned = [j.progress_s for j in slow if isinstance(j, ShareJob) and j.owner is owner]
            if owned:
                return min(owned)
            if not slow or self.answered_s >= before_s:
                return 0.0
            return max(self.answered_s, min(job.progress_s for job in slow) - SLOW_S)

    def ended(self, job: Job) -> None:
        """Note that the drive answered; a thread that was given up counts no more."""
        with self.lock:
            self.answered()
            if job.given_up and self.hung:
                self.hung -= 1
        if isinstance(job, ShareJob):
            job.owner.note_answer(job)


class Drives:
    """The threads of all drives in use; may be used from any thread."""

    def __init__(
        self,
        drive_of: Callable[[Path], str],
        *,
        clock: Callable[[], float] = time.monotonic,
        prepare: Callable[[], object] = lambda: None,
    ) -> None:
        """`drive_of` names the drive of a folder and never touches it: it may hang.

        `clock` gives monotonic seconds. `prepare` is called first on each thread.
        """
        self._prepare = prepare
        self.lock = threading.RLock()
        self._drive_of = drive_of
        self._clock = clock
        self._drives: dict[str, DriveThreads] = {}
        self._stopped = False

    def of(self, folder: Path, owner: Owner) -> DriveThreads:
        """Return the threads of the drive that the folder lies on now, for this owner."""
        name = self._drive_of(folder)
        with self.lock:
            drive = self._drives.get(name)
            if drive is None:
                drive = DriveThreads(f"drive-{name}", self._clock, self.lock, self._prepare)
                self._drives[name] = drive
                if self._stopped:
                    drive.stop()
                most = max(min(THREADS, THREADS_IN_ALL // len(self._drives)), FEWEST)
                for each in self._drives.values():
                    each.most = most
            drive.owners.add(owner)
            return drive

    def check(self) -> None:
        """Give up what drives do not answer; call it every second."""
        for drive in self._all():
            drive.check()

    def stop(self) -> None:
        """Begin nothing more; waits for nothing."""
        with self.lock:
            self._stopped = True
        for drive in self._all():
            drive.stop()

    def _all(self) -> list[DriveThreads]:
        with self.lock:
            return list(self._drives.values())
