"""Keeps the watches alive on a thread of its own, since a hung drive may block it for minutes."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final

import structlog

from ..disk.root import is_network
from ..disk.watcher import Watcher
from .hands import Post
from .places import Places

CHECK_S: Final = 5.0  # how long a dead watch goes unnoticed; the scan finds what it missed

log = structlog.get_logger()


class Watching:
    """Watches every local source; network drives are left to the scan."""

    def __init__(self, places: Places, post: Post) -> None:
        """Nothing is watched before the context is entered."""
        self._places = places
        self._watcher = Watcher(post)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="watching", daemon=True)

    def __enter__(self) -> None:
        """Begin to watch in the background."""
        self._thread.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop watching."""
        self._stopping.set()
        self._thread.join(CHECK_S)
        self._watcher.stop()

    def _keep(self) -> None:
        for source, place in self._places.by_source.items():
            if not is_network(place.folder):  # inotify sees nothing that another host writes
                self._watcher.watch(source, place.folder, place.matcher)
        told: dict[str, str] = {}
        while not self._stopping.wait(CHECK_S):
            self._watcher.check()
            trouble = self._watcher.trouble()
            for source, reason in trouble.items():
                if told.get(source) != reason:
                    log.warning("watch.degraded", source=source, reason=reason)
            told = trouble
