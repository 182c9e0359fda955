"""Lists several folders of a slow drive at a time, for a scan that needs one after the other.

A file server takes a few milliseconds for each list, most of which is the way there and back: a
scan of ten thousand folders that waits for each one takes minutes. On a drive that answers at once
nothing is read ahead, since handing work to a thread takes longer than the list.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from .listing import Listing

AT_ONCE: Final = 6  # lists under way; people use the server as well
KEPT_MAX: Final = 48  # lists that wait to be taken: below a folder, others may come before it
SLOW_S: Final = 0.004  # a drive that takes so long for a list is a slow one
NEXT: Final = 31  # at the head of a heap: five levels, among which those are that come next
_WEIGHT: Final = 0.2  # of the newest list in the mean

Read = Callable[[str], Listing]
"""Lists a folder; raises OSError."""

Submit = Callable[[Callable[[], None]], object]
"""Has something done on a thread of the drive, sooner or later or never."""


class ListingsAhead:
    """The lists of one scan; `take` belongs to its thread."""

    def __init__(
        self, read: Read, submit: Submit | None, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """Without `submit` nothing is read ahead. `clock` gives seconds."""
        self._read = read
        self._submit = submit
        self._clock = clock
        self._mean_s = 0.0
        self._ahead: dict[str, _Ahead] = {}

    def take(self, folder: str, following: Sequence[str]) -> Listing:
        """Return what the folder holds; `following` is a heap of those that will be asked for.

        Raises OSError.
        """
        mine = self._ahead.pop(folder, None)
        if self._submit is not None and self._mean_s > SLOW_S:
            self._begin(sorted(following[:NEXT]), self._submit)
        if mine is not None and mine.is_begun():
            return mine.result()
        begun_s = self._clock()
        listing = self._read(folder)
        self._mean_s += _WEIGHT * (self._clock() - begun_s - self._mean_s)
        return listing

    def _begin(self, following: Iterable[str], submit: Submit) -> None:
        under_way = sum(not each.is_ended() for each in self._ahead.values())
        for folder in following:
            if under_way >= AT_ONCE or len(self._ahead) >= KEPT_MAX:
                return
            if folder not in self._ahead:
                ahead = self._ahead[folder] = _Ahead(self._read, folder)
                submit(ahead.carry_out)
                under_way += 1


class _Ahead:
    """A list that another thread makes, unless whoever needs it comes first."""

    def __init__(self, read: Read, folder: str) -> None:
        self._read = read
        self._folder = folder
        self._begun = threading.Lock()  # held by who reads the folder, and never released
        self._ended = threading.Event()
        self._found: Listing | OSError | None = None

    def carry_out(self) -> None:
        """Make the list."""
        if not self._begun.acquire(blocking=False):
            return
        try:
            self._found = self._read(self._folder)
        except OSError as exc:
            self._found = exc
        finally:
            self._ended.set()

    def is_begun(self) -> bool:
        """Return whether another thread makes it; if not, none will."""
        return not self._begun.acquire(blocking=False)

    def is_ended(self) -> bool:
        """Return whether the list is made."""
        return self._ended.is_set()

    def result(self) -> Listing:
        """Wait for the list and return it. Raises OSError."""
        self._ended.wait()
        if isinstance(self._found, Listing):
            return self._found
        raise self._found or InterruptedError("the drive did not answer")
