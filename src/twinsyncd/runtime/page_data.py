"""What the page reads and asks, from the journal alone: no share and no platform is touched.

Several browsers look at once, so what was read is shared for a second or two.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

from ..config import Config
from ..core.events import Event
from ..core.facts import PersonFact
from ..core.model import FileKey, FileRow, LaneKey, Now
from ..journal.figures import Figures, find_files, read_figures
from ..journal.history import read_events, read_file
from ..journal.requests import Request
from ..journal.views import Status
from .addressees import lane_of
from .clock import read_clock
from .person_requests import request_of
from .report import Report, make_report
from .state import journal_of, read_status, read_trouble, scope_of

FRESH_S: Final = 1.0
RUNS: Final = 50
OPEN_FILES: Final = 200
HOUR_S: Final = 3600.0

T = TypeVar("T")


class JournalPageData:
    """Reads one journal; `leave` adds a request to it. For any thread."""

    def __init__(
        self,
        config: Config,
        leave: Callable[[Request, float, LaneKey | None], None],
        clock: Callable[[], Now] = read_clock,
    ) -> None:
        """Read nothing yet. The daemon that this belongs to is running, so it is not asked."""
        self._config = config
        self._clock = clock
        self._leave = leave
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[float, Any]] = {}

    def now_s(self) -> float:
        """Return the wall clock [s]."""
        return self._clock().wall_s

    def report(self) -> Report:
        """Return how everything stands; at most a second old. Raises JournalError."""
        now_s = self.now_s()
        trouble = read_trouble(self._config)
        return make_report(self._config, self._status(), running=True, now_s=now_s, trouble=trouble)

    def figures(self, since_s: float) -> Figures:
        """Return what is measured since the hour of a moment. Raises JournalError."""
        daemon = self._status().daemon
        started_s = daemon.started_s if daemon else self.now_s()
        since_s -= since_s % HOUR_S

        def read() -> Figures:
            where, scope = journal_of(self._config), scope_of(self._config)
            return read_figures(where, scope, since_s=since_s, started_s=started_s)

        return self._fresh(("figures", since_s), read)

    def row(self, key: FileKey) -> FileRow | None:
        """Return the journal's row of a file; None if it has none. Raises JournalError."""
        return read_file(journal_of(self._config), key)

    def events(self, key: FileKey, limit: int) -> list[Event]:
        """Return the newest events of a file, oldest first. Raises JournalError."""
        return list(read_events(journal_of(self._config), key=key, limit=limit))

    def find(self, text: str) -> list[FileRow]:
        """Return some files with `text` in their path. Raises JournalError."""
        return find_files(journal_of(self._config), scope_of(self._config), text)

    def ask(self, fact: PersonFact) -> None:
        """Leave a request for the daemon. Raises JournalError."""
        self._leave(Request(*request_of(fact)), self.now_s(), lane_of(self._config, fact))

    def _status(self) -> Status:
        def read() -> Status:
            return read_status(self._config, runs=RUNS, open_files=OPEN_FILES)

        return self._fresh(("status",), read)

    def _fresh(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what was read within the last second, else read it; one thread at a time."""
        with self._lock:
            at_s, value = self._kept.get(key, (float("-inf"), None))
            if time.monotonic() - at_s > FRESH_S:
                value = read()
                self._kept = {
                    old: kept
                    for old, kept in self._kept.items()
                    if time.monotonic() - kept[0] <= FRESH_S
                }
                self._kept[key] = (time.monotonic(), value)
            result: T = value
            return result
