"""Keeps the watches alive on a thread of its own, since a hung drive may block it for minutes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

import structlog

from ..disk.protocols import Hinting, Wanted

CHECK_S: Final = 5.0  # how long a dead watch goes unnoticed; the scan finds what it missed

log = structlog.get_logger()


class Watching:
    """Watches some sources while its context lasts."""

    def __init__(self, watcher: Hinting, watched: Mapping[str, tuple[Path, Wanted]]) -> None:
        """`watched`: the folder of each source, and what of it matters."""
        self._watched = watched
        self._watcher = watcher
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
        for source, (folder, wanted) in self._watched.items():
            self._watcher.watch(source, folder, wanted)
        told: dict[str, str] = {}
        while not self._stopping.wait(CHECK_S):
            self._watcher.check()
            trouble = self._watcher.trouble()
            for source, reason in trouble.items():
                if told.get(source) != reason:
                    log.warning("watch.degraded", source=source, reason=reason)
            told = trouble
