"""Chooses the observer for the system that this runs on."""

from __future__ import annotations

import sys
from collections.abc import Callable

from .hints import HintPoster
from .observer import WITH_MODIFIED, SourceObserver, TreeObserver

MakeObserver = Callable[[HintPoster], SourceObserver]
"""Makes the observer of one source; raises OSError if the system has no means left."""


def observers() -> MakeObserver:
    """Return what makes the observers of this system; they share what can be shared."""
    if sys.platform == "linux":
        from .inotify import InotifyObserver, InotifyQueues  # noqa: PLC0415 - exists on Linux only

        queues = InotifyQueues()
        return lambda hints: InotifyObserver(hints, queues=queues)
    return _make


def _make(hints: HintPoster) -> SourceObserver:
    if sys.platform == "win32":
        from .windows_events import windows_observer  # noqa: PLC0415 - exists on Windows only

        return TreeObserver(windows_observer(hints.report_loss), WITH_MODIFIED)
    from watchdog.observers import Observer  # noqa: PLC0415 - chooses by system when imported

    return TreeObserver(Observer(), WITH_MODIFIED)
