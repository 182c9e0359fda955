"""Keeps the watches alive on a thread of its own, since a hung drive may block it for minutes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

import structlog

from ..core.facts import Fact, HintsLost
from ..core.model import SourceKey
from ..disk.protocols import HintSource, PathFilter

BEGIN_S: Final = 2.0  # a start waits so long for the watches: the first scan must come after
CHECK_S: Final = 5.0  # how long a dead watch goes unnoticed; the scan finds what it missed

log = structlog.get_logger()


class WatchSupervisor:
    """Watches some sources while its context lasts."""

    def __init__(
        self,
        watcher: HintSource,
        watched: Mapping[SourceKey, tuple[Path, PathFilter]],
        post: Callable[[Fact], None],
        *,
        begin_s: float = BEGIN_S,
    ) -> None:
        """`watched`: the folder of each source, and what of it matters.

        A watch that began later than `begin_s` [s] after the start missed hints, which is posted.
        """
        self._watched = watched
        self._post = post
        self._begin_s = begin_s
        self._lock = threading.Lock()
        self._begun = threading.Event()
        self._late = False
        self._watcher = watcher
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="watching", daemon=True)

    def __enter__(self) -> None:
        """Begin to watch before the first scan; a drive that hangs is watched once it answers."""
        self._thread.start()
        self._begun.wait(self._begin_s)
        with self._lock:
            self._late = not self._begun.is_set()

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
        with self._lock:
            self._begun.set()
            missed = tuple(self._watched) if self._late else ()
        for source in missed:
            self._post(HintsLost(source, "watched only after the first scan"))
        logged: dict[SourceKey, str] = {}
        while not self._stopping.wait(CHECK_S):
            self._watcher.check()
            trouble = self._watcher.trouble()
            for source, reason in trouble.items():
                if logged.get(source) != reason:
                    log.warning("watch.degraded", source=source, reason=reason)
            logged = trouble
