"""What watches one folder tree, and the observer for systems without a queue of their own here.

That one has two or three threads of watchdog's per source: one source can be stopped and started
again without loss for the others.
"""

from __future__ import annotations

from typing import Final, Protocol

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
)
from watchdog.observers.api import BaseObserver

from .hints import HintPoster

CHANGES: Final[list[type[FileSystemEvent]]] = [
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
]
"""Watchdog's default includes reads: our own hashing would cause events and overflow the queue."""

WITH_MODIFIED: Final = [*CHANGES, FileModifiedEvent]
"""Where the system does not report that a writer has finished: one event per write."""


class SourceObserver(Protocol):
    """Passes the changes below one folder to a HintPoster."""

    def start(self, folder: str, hints: HintPoster) -> None:
        """Return once changes are noticed; raises OSError, and then nothing is left running."""

    def stop(self) -> None:
        """End it; no hint is posted after this."""

    def is_alive(self) -> bool:
        """Return whether changes are still noticed."""

    def trouble(self) -> str:
        """Return which changes are missed although it is alive; "" if none are known."""

    def can_do_better(self) -> bool:
        """Return whether starting anew would end the trouble."""


class TreeObserver:
    """An observer that passes the events below one folder to `hints`."""

    def __init__(self, observer: BaseObserver, events: list[type[FileSystemEvent]]) -> None:
        """Take an observer that was not started yet."""
        self._observer = observer
        self._events = events

    def start(self, folder: str, hints: HintPoster) -> None:
        """Return once changes are noticed; raises OSError, and then nothing is left running."""
        self._observer.schedule(hints, folder, recursive=True, event_filter=self._events)
        self._observer.start()

    def stop(self) -> None:
        """End all threads; no hint is posted after this."""
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()

    def is_alive(self) -> bool:
        """Return whether every thread still runs; watchdog itself does not notice a dead one."""
        emitters = self._observer.emitters
        return self._observer.is_alive() and bool(emitters) and all(e.is_alive() for e in emitters)

    def trouble(self) -> str:
        """Return which changes are missed although all threads run; "" if none are known."""
        return ""

    def can_do_better(self) -> bool:
        """Return whether starting anew would end the trouble."""
        return False
