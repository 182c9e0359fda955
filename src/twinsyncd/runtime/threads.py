"""A pool of daemon threads for work that may never end.

The pools of concurrent.futures are joined when the interpreter exits, so one call that hangs would
delay every stop. Nobody waits for these threads, and one that is busy for too long can be given up:
it keeps running, and another takes its place in the pool.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final, TypeVar

ASIDE_MAX: Final = 64  # threads that hang are cheap, but not without end
IDLE_S: Final = 10.0  # a thread without work ends after this, so idle sources cost none

T = TypeVar("T")


class GivenUpError(Exception):
    """A job was given up; raised in its thread too, at its next progress, so that it ends."""


class Job:
    """One piece of work; belongs to its pool, whose lock guards it."""

    def __init__(self, act: Callable[[], Any], patience_s: float = float("inf")) -> None:
        """Queue it; the future receives what `act` returns or raises.

        `patience_s` is how long it may go on without progress [s].
        """
        self.act = act
        self.future: Future[Any] = Future()
        self.progress_s = float("inf")  # when it last went on; inf while that is nobody's concern
        self.patience_s = patience_s
        self.given_up = False
        self.stands_aside = False  # its thread waits for something else, and does not count

    def carry_out(self, ended: Callable[[Job], None]) -> None:
        """Run it and call `ended`; then hand over the result, unless the job was given up.

        So whoever has the result finds noted what it proves: that the drive answers.
        """
        try:
            result = self.act()
        except BaseException as exc:  # noqa: BLE001 - handed to whoever waits for the future
            ended(self)
            self.fail(exc)
        else:
            ended(self)
            with suppress(InvalidStateError):
                self.future.set_result(result)

    def drop(self) -> None:
        """Let whoever waits go on without a result, as the program is stopping."""
        self.given_up = True
        self.fail(GivenUpError("the program is stopping"))

    def fail(self, error: BaseException) -> None:
        """Let whoever waits go on with this error, unless the job has ended."""
        with suppress(InvalidStateError):
            self.future.set_exception(error)


class Threads:
    """Runs jobs on at most `most` threads that count; may be used from any thread."""

    def __init__(
        self,
        name: str,
        most: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        lock: threading.RLock | None = None,
        lend: Callable[[], AbstractContextManager[None]] | None = None,
    ) -> None:
        """`clock` gives monotonic seconds. Pools that are used together share a `lock`.

        With `lend` a thread may stand aside; it is entered meanwhile, and gives back what it holds.
        """
        self.name = name
        self.clock = clock
        self.lock = lock or threading.RLock()
        self._lend = lend
        self.running: dict[int, Job] = {}  # by thread id; not those given up
        self.most = most
        self._work = threading.Condition(self.lock)
        self._jobs: deque[Job] = deque()
        self._threads = 0
        self._idle = 0
        self._stopped = False

    def submit(self, act: Callable[[], T], *, patience_s: float = float("inf")) -> Future[T]:
        """Run `act` on some thread; `patience_s` is how long it may go on without progress."""
        return self.begin(Job(act, patience_s))

    def begin(self, job: Job) -> Future[Any]:
        """Queue a job; its future is dropped once the pool was stopped."""
        with self._work:
            if self._stopped:
                job.drop()
                return job.future
            self._jobs.append(job)
            if len(self._jobs) > self._idle and self._threads < self.most:
                self._threads += 1
                threading.Thread(target=self._run, name=self.name, daemon=True).start()
            self._work.notify()
        return job.future

    def note_progress(self) -> None:
        """Note that the job of the calling thread goes on; nothing happens on other threads.

        Raises GivenUpError if the job was given up.
        """
        job = _current.job
        if job is None:
            return
        if job.given_up:
            raise GivenUpError(self.name)
        job.progress_s = self.clock()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let the calling thread wait for something else, which is not the job's fault."""
        job = _current.job
        if job is None:
            yield
            return
        self.note_progress()
        job.progress_s = float("inf")
        try:
            yield
        finally:
            job.progress_s = self.clock()

    def give_up_slow(self) -> list[Job]:
        """Give up the jobs that went on for longer than their patience; return them.

        Their threads do not count any more, so others can begin.
        """
        now_s = self.clock()
        with self._work:
            slow = {
                thread: job
                for thread, job in self.running.items()
                if now_s - job.progress_s > job.patience_s
            }
            for thread, job in slow.items():
                del self.running[thread]
                job.given_up = True
                self._threads -= not job.stands_aside
            self._start_more()
            if slow:
                self._work.notify_all()  # what waited for a place may begin on an idle thread
        return list(slow.values())

    def pass_by_slow(self, after_s: float) -> None:
        """Count what goes on for so long [s] no more, so that others can begin meanwhile."""
        with self._work:
            slow_s = self.clock() - after_s
            aside = sum(job.stands_aside for job in self.running.values())
            for job in self.running.values():
                if aside < ASIDE_MAX and not job.stands_aside and job.progress_s < slow_s:
                    job.stands_aside = True
                    self._threads -= 1
                    aside += 1
            self._start_more()

    @contextmanager
    def _aside(self, job: Job) -> Iterator[None]:
        """Let another thread take the place of the one that carries out the job."""
        with self._work:
            job.stands_aside = True
            self._threads -= not job.given_up
            self._start_more()
        try:
            yield
        finally:
            with self._work:
                job.stands_aside = False
                self._threads += not job.given_up  # one too many ends after its job

    def _start_more(self) -> None:
        waiting = min(len(self._jobs), self.most - self._threads)
        for _ in range(max(waiting - self._idle, 0)):
            self._threads += 1
            threading.Thread(target=self._run, name=self.name, daemon=True).start()

    def take_waiting(self, of: Callable[[Job], bool] = lambda _job: True) -> list[Job]:
        """Remove and return the jobs that have not begun, as far as `of` holds for them."""
        with self._work:
            taken = [job for job in self._jobs if of(job)]
            self._jobs = deque(job for job in self._jobs if not of(job))
            return taken

    def stop(self) -> None:
        """Begin nothing more; whoever waits for a job is released. Waits for nothing."""
        with self._work:
            self._stopped = True
            left = [*self._jobs, *self.running.values()]
            self._jobs.clear()
            self._work.notify_all()
        for job in left:
            job.drop()

    def ended(self, job: Job) -> None:
        """Note that a job ended, perhaps long after it was given up; called on its thread."""

    def begun(self) -> None:
        """Prepare a new thread; called on it."""

    def _run(self) -> None:
        self.begun()
        while (job := self._next()) is not None:
            job.progress_s = self.clock()
            _current.job, _current.pool = job, self
            job.carry_out(self._note_end)
            if job.given_up:
                return  # another thread took its place

    def _note_end(self, job: Job) -> None:
        _current.job = None
        with self._work:
            self.running.pop(threading.get_ident(), None)  # from now on it cannot be given up
            self._threads += job.stands_aside and not job.given_up  # if it was passed by
        self.ended(job)

    def _next(self) -> Job | None:
        """Return the next job, marked as running; None: this thread ends."""
        with self._work:
            if self._threads > self.most:
                self._threads -= 1
                return None
            self._idle += 1
            try:
                self._work.wait_for(lambda: self._stopped or self.chosen() is not None, IDLE_S)
            finally:
                self._idle -= 1
            job = self.chosen()
            if job is None:
                self._threads -= 1
                return None
            self._jobs.remove(job)
            self.running[threading.get_ident()] = job
            if self._jobs:
                self._work.notify()  # the end of one job can allow two others
            return job

    def chosen(self) -> Job | None:
        """Return the waiting job that is to begin next; None if none may begin now."""
        return self._jobs[0] if self._jobs else None


class _Current(threading.local):
    job: Job | None = None
    pool: Threads | None = None


_current: Final = _Current()


@contextmanager
def standing_aside() -> Iterator[None]:
    """Let the calling thread count in its pool no more, while it waits for what may hang.

    Nothing happens on a thread of a pool that lends nothing, or of none.
    """
    job, pool = _current.job, _current.pool
    if job is None or pool is None or pool._lend is None:
        yield
        return
    with pool._aside(job), pool._lend():
        yield
