"""Chooses the observer for the system that this runs on."""

from __future__ import annotations

import sys

from .hints import HintPoster
from .observer import WITH_MODIFIED, TreeObserver


def make_observer(hints: HintPoster) -> TreeObserver:
    """Return the best observer of this system; raises OSError if the system has none left."""
    if sys.platform == "linux":
        from .inotify import InotifyObserver  # noqa: PLC0415 - exists on Linux only

        return InotifyObserver(hints)
    if sys.platform == "win32":
        from .windows_events import windows_observer  # noqa: PLC0415 - exists on Windows only

        return TreeObserver(windows_observer(hints.report_loss), WITH_MODIFIED)
    from watchdog.observers import Observer  # noqa: PLC0415 - chooses by system when imported

    return TreeObserver(Observer(), WITH_MODIFIED)
