"""The files and folders of one source that do not answer, while the rest of it does.

A folder can lead to a server that is gone: a drive mounted inside, a link of a DFS. Whoever lists
it waits, perhaps for ever. The thread that waits is given up and keeps waiting; as long as it
does, nobody else tries the same place, so one thread per place is lost and the rest goes on.
"""

from __future__ import annotations

import errno
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, TypeVar

STUCK_S: Final = 10.0  # without an answer for so long; a slow server takes a few seconds

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Use:
    path: str
    begun_s: float


class StuckPlaces:
    """Those of one source; may be used from any thread."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`clock` gives monotonic seconds, `wall` seconds since the epoch."""
        self._clock = clock
        self._wall = wall
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._uses: dict[int, _Use] = {}

    def noting(self, act: Callable[[str], T]) -> Callable[[str], T]:
        """Return what does the same with a path, and notes how long that takes."""

        def noted(path: str) -> T:
            with self.using(path):
                return act(path)

        return noted

    @contextmanager
    def using(self, path: str) -> Iterator[None]:
        """Note that the drive is asked about a path; raise OSError if that is of no use."""
        if reason := self.reason(path):
            raise OSError(errno.ETIMEDOUT, reason)
        with self._lock:
            number = next(self._numbers)
            self._uses[number] = _Use(path, self._clock())
        try:
            yield
        finally:
            with self._lock:
                del self._uses[number]

    def reason(self, path: str) -> str:
        """Return why neither the path nor a folder that it is in can be asked about now; or ""."""
        with self._lock:
            uses = list(self._uses.values())
        before_s = self._clock() - STUCK_S
        stuck = {use.path: use.begun_s for use in uses if use.path and use.begun_s < before_s}
        if not stuck:
            return ""
        places = (path, *map(str, PurePosixPath(path).parents))
        found = next((place for place in places if place in stuck), None)
        if found is None:
            return ""
        since_s = self._wall() - (self._clock() - stuck[found])
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since_s))
        what = "it" if found == path else f"its folder {found}"
        return (
            f"{what} does not answer since {since}; see whether the server that it lies on runs,"
            " and whether this machine reaches it"
        )
