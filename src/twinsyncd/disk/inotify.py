"""Watches on Linux: one kernel queue and one thread per drive, however many sources lie on it.

Watchdog keeps the watches of a tree up to date; its threads per tree, which pair the two ends of a
move within half a second, are not used: a hint needs no pair. Losses that watchdog does not report,
the overflow of the queue and the refusal of a watch below the root, are noticed here.
Needs watchdog 7.1; before 7.0 there was no such class.
Source: watchdog, `src/watchdog/observers/inotify.py`; inotify(7).
"""

from __future__ import annotations

import errno
import math
import os
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from watchdog.observers.inotify import InotifyWatchGroup
from watchdog.observers.inotify_c import InotifyConstants, InotifyFD, Mask, WatchDescriptor
from watchdog.observers.inotify_move_event_grouper import (
    InotifyMoveEventGrouper,
    PathedInotifyEvent,
)

from .hints import HintPoster

LIMITS: Final = Path("/proc/sys/fs/inotify")
MOVES_KEPT: Final = 64  # starts of moves whose end has not come; the kernel sends both together
WRITES_S: Final = 0.1
"""A write so soon after another adds nothing: a file is looked at again a quiet time later."""
WRITTEN_KEPT: Final = 1_000  # files whose last write is remembered for that
_VANISHED: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_WATCHES_ADVISED: Final = 524_288
"""What desktop distributions set; about 1 KiB of kernel memory for each watch in use."""

_CHANGES: Final = Mask(  # reads are left out: our own hashing would cause events
    InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE
    | InotifyConstants.IN_MODIFY  # programs and file servers keep files open for hours
    | InotifyConstants.IN_CLOSE_WRITE
)

_QUEUES_ADVICE: Final = (
    "the limit of inotify instances or open files is reached; raise it with "
    "'sysctl -w fs.inotify.max_user_instances=1024' and keep it in /etc/sysctl.d"
)

AddWatch = Callable[[bytes], None]
"""Called before every watch with its folder; raises OSError to refuse it."""


class InotifyQueues:
    """The kernel's queues, one per drive in use; may be used from any thread.

    A drive that hangs while a folder of it is being watched holds up its own queue alone.
    """

    def __init__(self) -> None:
        """Open none yet."""
        self._lock = threading.Lock()
        self._queues: dict[int, InotifyFD] = {}
        self._users: Counter[InotifyFD] = Counter()

    def take(self, device: int) -> InotifyFD:
        """Return the running queue of a drive; raises OSError when the system has none left."""
        with self._lock:
            queue = self._queues.get(device)
            if queue is None or not queue.is_alive():
                queue = self._queues[device] = InotifyFD()
                queue.start()
            self._users[queue] += 1
            return queue

    def give_back(self, queue: InotifyFD) -> None:
        """End the queue with its last user."""
        with self._lock:
            self._users[queue] -= 1
            if self._users[queue]:
                return
            del self._users[queue]
            for device in [each for each, held in self._queues.items() if held is queue]:
                del self._queues[device]
        queue.stop()
        queue.join()


class InotifyObserver:
    """Watches one source's tree through the queue of its drive."""

    def __init__(
        self,
        hints: HintPoster,
        before: AddWatch = lambda _: None,
        limits: Path = LIMITS,
        queues: InotifyQueues | None = None,
    ) -> None:
        """`queues` are shared by all sources."""
        # A folder created together with its parent is watched twice; the warning is harmless.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
        self._hints = hints
        self._before = before
        self._limits = limits
        self._queues = queues or InotifyQueues()
        self._limit_at_start = _watch_limit(limits)
        self._queue: InotifyFD | None = None
        self._tree: _WatchedTree | None = None

    def start(self, folder: str, hints: HintPoster) -> None:
        """Return once every folder is watched; raises OSError, and then nothing is left running."""
        device = Path(folder).stat().st_dev
        try:
            self._queue = self._queues.take(device)
        except OSError as exc:
            raise OSError(exc.errno, _QUEUES_ADVICE) from exc
        try:
            self._tree = _WatchedTree(self._queue, os.fsencode(folder), hints, self._before)
        except OSError as exc:
            self.stop()
            if exc.errno == errno.ENOSPC:
                raise OSError(exc.errno, self._watches_advice()) from exc
            raise

    def stop(self) -> None:
        """Watch nothing more; no hint is posted after this."""
        tree, self._tree = self._tree, None
        queue, self._queue = self._queue, None
        if tree:
            tree.deactivate()
        if queue:
            self._queues.give_back(queue)

    def is_alive(self) -> bool:
        """Return whether the queue's thread runs and the tree's own folder is watched."""
        queue, tree = self._queue, self._tree
        return queue is not None and tree is not None and queue.is_alive() and tree.is_watched()

    def trouble(self) -> str:
        """Return how many folders are not watched, why, and what to do about it."""
        counts = Counter(self._refused().values())
        return "; ".join(self._explain(code, count) for code, count in counts.items())

    def can_do_better(self) -> bool:
        """Return whether folders were refused for a limit that has been raised since."""
        full = errno.ENOSPC in self._refused().values()
        return full and _watch_limit(self._limits) > self._limit_at_start

    def _refused(self) -> dict[str, int]:
        return self._tree.refused.copy() if self._tree else {}

    def _explain(self, code: int, count: int) -> str:
        reason = self._watches_advice() if code == errno.ENOSPC else os.strerror(code)
        return f"{count} folders are not watched, so changes there wait for the next scan: {reason}"

    def _watches_advice(self) -> str:
        advised = max(_WATCHES_ADVISED, 2 * _watch_limit(self._limits))
        return (
            "the limit of inotify watches is reached; raise it with "
            f"'sysctl -w fs.inotify.max_user_watches={advised}' and keep it in /etc/sysctl.d"
        )


class _WatchedTree(InotifyWatchGroup):
    """The watches of one source; skips folders that do not matter and notes those refused."""

    def __init__(
        self, queue: InotifyFD, folder: bytes, hints: HintPoster, before: AddWatch
    ) -> None:
        """Watch the whole tree; raises OSError if its own folder cannot be watched."""
        self.refused: dict[str, int] = {}  # folder -> errno
        self._hints = hints
        self._before = before
        super().__init__(queue, folder, event_mask=_CHANGES, is_recursive=True)

    def __post_init__(self) -> None:
        """Post hints at once instead of queueing events for a thread."""
        self._move_event_grouper = _HintsAtOnce(self._hints)
        super().__post_init__()

    def is_watched(self) -> bool:
        """Return whether the tree's own folder is watched: not when it is gone or unmounted."""
        return self.path in self._active_callbacks_by_path

    def on_queue_overflow(self) -> None:
        """Watch anew what was created unnoticed, then post the loss: a scan now misses nothing."""
        self.refused.clear()
        super().on_queue_overflow()
        self._hints.report_loss("the kernel's event queue overflowed")

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """Forget the watch of a folder that is gone."""
        if wd in self._active_callbacks_by_watch:  # else it was refused, or removed by us
            super().on_watch_deleted(wd)

    def _add_callback(self, path: bytes) -> None:
        """Watch one folder; raises OSError for the tree's own alone, as watchdog does."""
        folder = os.fsdecode(path)
        if not self._hints.may_hold_match(folder):
            return
        try:
            self._before(path)
            descriptor = self._inotify_fd.add_callback(
                path, self.event_mask, self._callback, self._id
            )
            if descriptor == -1:  # watchdog raises for every refusal but this one
                self._inotify_fd.remove_callbacks([(descriptor, self._id)])
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        except OSError as exc:
            if exc.errno not in _VANISHED:
                self.refused[folder] = exc.errno or 0
            if path == self.path:
                raise
            return
        self.refused.pop(folder, None)
        self._active_callbacks_by_path[path] = descriptor
        self._active_callbacks_by_watch[descriptor] = path


class _HintsAtOnce(InotifyMoveEventGrouper):
    """Posts a hint for every event; keeps the starts of moves, by which watches follow a folder."""

    def __init__(self, hints: HintPoster) -> None:
        """Queue nothing."""
        self._hints = hints
        self._moved: dict[int, PathedInotifyEvent] = {}
        self._written_s: dict[bytes, float] = {}
        self._closed = False

    def put_event(self, event: PathedInotifyEvent) -> None:
        """Post what the event means."""
        if self._closed:
            return
        kind = event.ev
        if kind.is_modify and self._is_repeated(event.path):
            return
        if kind.is_moved_from:
            self._moved[kind.cookie] = event
            if len(self._moved) > MOVES_KEPT:
                del self._moved[next(iter(self._moved))]
        was = "created" if kind.is_create or kind.is_moved_to else "moved or deleted"
        self._hints.post_change(os.fsdecode(event.path), is_folder=kind.is_directory, was=was)

    def _is_repeated(self, path: bytes) -> bool:
        """Return whether a write of the file was posted just now."""
        now_s = time.monotonic()
        if now_s - self._written_s.get(path, -math.inf) < WRITES_S:
            return True
        if len(self._written_s) >= WRITTEN_KEPT:
            self._written_s.clear()
        self._written_s[path] = now_s
        return False

    def get_queued_moved_from_event(self, cookie: int) -> PathedInotifyEvent | None:
        """Return the start of the move, if it was seen."""
        return self._moved.pop(cookie, None)

    def discard_pending_events(self) -> None:
        """Forget the starts of moves; their ends may have been lost."""
        self._moved.clear()

    def close(self) -> None:
        """Post nothing more."""
        self._closed = True


def _watch_limit(limits: Path) -> int:
    """Return how many folders one user may watch; 0 if the system does not say."""
    try:
        return int((limits / "max_user_watches").read_text())
    except (OSError, ValueError):
        return 0
