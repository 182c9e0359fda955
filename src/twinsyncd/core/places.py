"""The places for comparisons with the cloud: few at a time, of all lanes together.

One comparison lists all files of a connection, here and there. A thousand lists at once would fill
the memory, and keep the calls of runs waiting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from .model import ConnectionKey, LaneKey, Now

AT_ONCE: Final = 3
HELD_S: Final = 300.0  # a comparison that hangs keeps others waiting for so long, and goes on


@dataclass(slots=True)
class Places:
    """Who compares now, and which lanes wait. Times are monotonic seconds."""

    _taken: dict[ConnectionKey, float] = field(default_factory=dict)  # since when
    _waiting: dict[LaneKey, None] = field(default_factory=dict)  # the longest waiting first

    def is_free(self, lane: LaneKey, now: Now) -> bool:
        """Return whether another comparison may begin; if not, the lane waits in the queue."""
        if self._is_free(now):
            return True
        self._waiting.setdefault(lane)
        return False

    def take(self, connection: ConnectionKey, lane: LaneKey, now: Now) -> None:
        """Note that a comparison begins."""
        self._taken[connection] = now.at_s
        self._waiting.pop(lane, None)

    def leave(self, connection: ConnectionKey) -> None:
        """Note that a comparison has ended."""
        self._taken.pop(connection, None)

    def next_lane(self, now: Now) -> LaneKey | None:
        """Return the lane that is to be asked next, as there is a place; it leaves the queue."""
        if not self._waiting or not self._is_free(now):
            return None
        lane = next(iter(self._waiting))
        del self._waiting[lane]
        return lane

    def deadline(self, now: Now) -> float:
        """Return when a place that is held too long counts as free; inf: nobody waits for it."""
        if not self._waiting:
            return math.inf
        ends_s = (since_s + HELD_S for since_s in self._taken.values())
        return min((end_s for end_s in ends_s if end_s > now.at_s), default=math.inf)

    def _is_free(self, now: Now) -> bool:
        return sum(now.at_s < since_s + HELD_S for since_s in self._taken.values()) < AT_ONCE
