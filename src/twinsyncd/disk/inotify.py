"""Watches on Linux, and notices losses that watchdog does not report.

Watchdog swallows the overflow of the kernel's queue and the refusal of a watch below the root.
Both pass through two public methods of its InotifyFD, which are extended here (watchdog 7.1;
before 7.0 there was no such class).
Source: watchdog, `src/watchdog/observers/inotify_c.py`; inotify(7).
"""

from __future__ import annotations

import errno
import os
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from watchdog.observers.api import BaseObserver
from watchdog.observers.inotify import InotifyEmitter
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
)

from .hints import HintPoster
from .observer import WITH_CLOSED, TreeObserver

LIMITS: Final = Path("/proc/sys/fs/inotify")
_VANISHED: Final = frozenset({errno.ENOENT, errno.ENOTDIR})
_WATCHES_ADVISED: Final = 524_288
"""What desktop distributions set; about 1 KiB of kernel memory for each watch in use."""

_QUEUES_ADVICE: Final = (
    "the limit of inotify instances or open files is reached; raise it with "
    "'sysctl -w fs.inotify.max_user_instances=1024' and keep it in /etc/sysctl.d"
)

AddWatch = Callable[[bytes], None]
"""Called before every watch with its folder; raises OSError to refuse it."""


class Inotify(InotifyFD):
    """The kernel's queue; skips folders that do not matter and notes those that are refused."""

    def __init__(self, hints: HintPoster, before: AddWatch = lambda _: None) -> None:
        """Open a queue for one source; raises OSError when the limit of queues is reached."""
        super().__init__()
        self.refused: dict[str, int] = {}  # folder -> errno
        self._hints = hints
        self._before = before

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor:
        """Watch a folder; raises OSError, which watchdog ignores for all but the root."""
        folder = os.fsdecode(path)
        if not self._hints.may_hold_match(folder):
            raise OSError(errno.ECANCELED, "can hold no match", folder)
        try:
            self._before(path)
            descriptor = super().add_callback(path, mask, callback, id_)
            if descriptor == -1:  # watchdog raises for every refusal but this one
                super().remove_callbacks([(descriptor, id_)])
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)
        except OSError as exc:
            if exc.errno not in _VANISHED:
                self.refused[folder] = exc.errno or 0
            raise
        self.refused.pop(folder, None)
        return descriptor

    def handle_event(self, event: InotifyEvent) -> None:
        """Pass the event on; after an overflow, post that hints were lost.

        By then watchdog has renewed its watches, so a scan that starts now misses nothing.
        """
        if not event.is_queue_overflow:
            super().handle_event(event)
            return
        self.refused.clear()
        super().handle_event(event)
        self._hints.report_loss("the kernel's event queue overflowed")


class InotifyObserver(TreeObserver):
    """Watches one source with an inotify queue of its own."""

    def __init__(
        self, hints: HintPoster, before: AddWatch = lambda _: None, limits: Path = LIMITS
    ) -> None:
        """Open the queue; raises OSError when the limit of queues is reached."""
        # A folder created together with its parent is watched twice; the warning is harmless.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
        try:
            self._queue = Inotify(hints, before)
        except OSError as exc:
            raise OSError(exc.errno, _QUEUES_ADVICE) from exc
        super().__init__(BaseObserver(InotifyEmitter, inotify_fd=self._queue), WITH_CLOSED)
        self._limits = limits
        self._limit_at_start = _watch_limit(limits)

    def start(self, folder: str, hints: HintPoster) -> None:
        """Return once every folder is watched; raises OSError, and then nothing is left running."""
        self._queue.start()
        try:
            super().start(folder, hints)
        except OSError as exc:
            self.stop()
            if exc.errno == errno.ENOSPC:
                raise OSError(exc.errno, self._watches_advice()) from exc
            raise

    def stop(self) -> None:
        """End all threads; no hint is posted after this."""
        super().stop()
        self._queue.stop()
        self._queue.join()

    def is_alive(self) -> bool:
        """Return whether every thread still runs."""
        return super().is_alive() and self._queue.is_alive()

    def trouble(self) -> str:
        """Return how many folders are not watched, why, and what to do about it."""
        counts = Counter(self._queue.refused.copy().values())
        return "; ".join(self._explain(code, count) for code, count in counts.items())

    def can_do_better(self) -> bool:
        """Return whether folders were refused for a limit that has been raised since."""
        full = errno.ENOSPC in self._queue.refused.copy().values()
        return full and _watch_limit(self._limits) > self._limit_at_start

    def _explain(self, code: int, count: int) -> str:
        reason = self._watches_advice() if code == errno.ENOSPC else os.strerror(code)
        return f"{count} folders are not watched, so changes there wait for the next scan: {reason}"

    def _watches_advice(self) -> str:
        advised = max(_WATCHES_ADVISED, 2 * _watch_limit(self._limits))
        return (
            "the limit of inotify watches is reached; raise it with "
            f"'sysctl -w fs.inotify.max_user_watches={advised}' and keep it in /etc/sysctl.d"
        )


def _watch_limit(limits: Path) -> int:
    """Return how many folders one user may watch; 0 if the system does not say."""
    try:
        return int((limits / "max_user_watches").read_text())
    except (OSError, ValueError):
        return 0
