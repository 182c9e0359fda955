"""Keeps the watches alive; each drive is used on a thread of its own, since it may hang.

The watches begin in parallel. One that hangs delays no other, no start and no stop. Sources of one
drive are checked one after the other, since a check takes less time than handing it to a thread.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final

from ..core.facts import Fact, HintsDegraded, HintsLost
from ..core.model import SourceKey
from ..disk.protocols import HintSource, PathFilter
from .threads import Threads

BEGIN_S: Final = 2.0  # a start waits so long for the watches: the first scan must come after
CHECK_S: Final = 5.0  # how long a dead watch goes unnoticed; the scan finds what it missed
HUNG_S: Final = 60.0  # a check that takes longer means that the drive does not answer
THREADS: Final = 16  # drives at once
HUNG_MAX: Final = 3  # folders of one drive that may hang before the others are left alone, too
CHECKS_S: Final = 50.0  # sources checked per second: of thousands, each less often


class WatchSupervisor:
    """Watches some sources while its context lasts."""

    def __init__(
        self,
        watcher: HintSource,
        watched: Mapping[SourceKey, tuple[Path, PathFilter]],
        post: Callable[[Fact], None],
        *,
        begin_s: float = BEGIN_S,
        check_s: float = CHECK_S,
        hung_s: float = HUNG_S,
        drive_of: Callable[[Path], str] = str,
    ) -> None:
        """`watched`: the folder of each source, and what of it matters.

        A watch that began later than `begin_s` [s] after the start missed hints, which is posted.
        `check_s` [s] lies between two checks. A drive that does not answer one within `hung_s` [s]
        is left to a scan, which is posted as lost hints. `drive_of` names the drive of a folder
        without touching it; without, each folder counts as a drive of its own.
        """
        self._watched = watched
        self._post = post
        self._begin_s = begin_s
        self._check_s = max(check_s, len(watched) / CHECKS_S)
        self._drive_of = drive_of
        self._hung_s = hung_s
        self._jobs: dict[Future[None], deque[SourceKey]] = {}  # and what each has still to do
        self._hung: set[SourceKey] = set()
        self._changed = threading.Condition()
        self._pending = set(watched)  # sources whose drive is being used
        self._late: set[SourceKey] = set()
        self._watcher = watcher
        self._stopping = threading.Event()
        self._threads = Threads("watch", THREADS)
        self._thread = threading.Thread(target=self._keep, name="watching", daemon=True)

    def __enter__(self) -> None:
        """Begin to watch before the first scan; a drive that hangs is watched once it answers."""
        for source, (folder, path_filter) in self._watched.items():
            self._use(deque([source]), partial(self._begin, source, folder, path_filter))
        with self._changed:
            self._changed.wait_for(lambda: not self._pending, self._begin_s)
            self._late = set(self._pending)
        self._thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop watching; a drive that hangs is not waited for."""
        self._stopping.set()
        self._threads.stop()
        self._watcher.stop()

    def _begin(self, source: SourceKey, folder: Path, path_filter: PathFilter) -> None:
        try:
            self._watcher.watch(source, folder, path_filter)
        finally:
            with self._changed:
                self._pending.discard(source)
                is_late = source in self._late
                self._changed.notify_all()
        if is_late and not self._stopping.is_set():
            self._post(HintsLost(source, "watched only after the first scan"))

    def _check(self, left: deque[SourceKey]) -> None:
        """Check them one after the other; the first one left is the one being checked."""
        while left and not self._stopping.is_set():
            self._threads.note_progress()
            try:
                self._watcher.check(left[0])
            finally:
                with self._changed:
                    self._pending.discard(left.popleft())

    def _keep(self) -> None:
        logged: dict[SourceKey, str] = {}
        while not self._stopping.wait(self._check_s):
            self._give_up_hung()
            for sources in self._due():
                left = deque(sources)
                self._use(left, partial(self._check, left))
            logged = self._report_trouble(logged)

    def _due(self) -> list[list[SourceKey]]:
        """Return the sources to be checked now by drive, and note that they are."""
        drives: dict[str, list[SourceKey]] = {}
        with self._changed:
            hung = Counter(self._drive(source) for source in self._hung)
            for source in self._watched:
                if source not in self._pending and hung[self._drive(source)] < HUNG_MAX:
                    drives.setdefault(self._drive(source), []).append(source)
                    self._pending.add(source)
        return list(drives.values())

    def _drive(self, source: SourceKey) -> str:
        return self._drive_of(self._watched[source][0])

    def _use(self, left: deque[SourceKey], act: Callable[[], None]) -> None:
        job = self._threads.submit(act, patience_s=self._hung_s)
        self._jobs[job] = left
        job.add_done_callback(lambda done: self._jobs.pop(done, None))

    def _give_up_hung(self) -> None:
        """Leave the folders that do not answer to scans, which find out and report it."""
        with self._changed:
            self._hung &= self._pending
        for job in self._threads.give_up_slow():
            left = self._jobs.get(job.future)
            if left is None:
                continue  # it ended just now
            with self._changed:
                others = [left.pop() for _ in range(len(left) - 1)]
                self._pending.difference_update(others)  # another thread goes on with them
                source = next(iter(left), None)
            if source is not None:
                self._hung.add(source)
                self._post(HintsLost(source, "the drive does not answer"))

    def _report_trouble(self, logged: Mapping[SourceKey, str]) -> dict[SourceKey, str]:
        silent = dict.fromkeys(self._hung, "the drive does not answer")
        trouble = {**self._watcher.trouble(), **silent}
        for source in self._watched:
            reason = trouble.get(source, "")
            if logged.get(source, "") != reason:
                self._post(HintsDegraded(source, reason))
        return trouble
