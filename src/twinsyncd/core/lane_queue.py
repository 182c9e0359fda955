"""Which lanes to ask what to do: those that a fact is about, and those whose time has come.

With a thousand iModels, asking each of them after every fact would take most of a processor.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final

from .commands import CloudCommand
from .lane import Lane
from .model import LaneKey, Now
from .places import Places

ALL_S: Final = 60.0  # every lane is asked so often, whatever woke the machine

ENTRIES_EACH: Final = 4  # entries of the heap per lane before those that are outdated are dropped


@dataclass(slots=True)
class LaneQueue:
    """Remembers when each lane has something new to plan. Times are monotonic seconds."""

    lanes: Mapping[LaneKey, Lane]
    places: Places
    asked: Collection[LaneKey] = ()  # by the last `plan`; no other lane can have changed
    _woken: set[LaneKey] = field(default_factory=set)
    _busy: set[LaneKey] = field(default_factory=set)  # those that were not idle when asked
    _due_s: dict[LaneKey, float] = field(default_factory=dict)
    _heap: list[tuple[float, LaneKey]] = field(default_factory=list)  # some are outdated
    _all_s: float = -math.inf

    def __post_init__(self) -> None:
        """Let every lane be asked first."""
        self.wake_all()

    def wake(self, lane: LaneKey) -> None:
        """Let the lane be asked by the next `plan`."""
        self._woken.add(lane)

    def wake_all(self) -> None:
        """Let every lane be asked by the next `plan`."""
        self._woken.update(self.lanes)

    def plan(self, now: Now) -> list[CloudCommand]:
        """Return what the lanes that are due want done now, in their order."""
        todo: list[CloudCommand] = []
        self.asked = asked = self._take_due(now)
        for key in asked:
            todo += self.lanes[key].plan(now)
        while (waiting := self.places.next_lane(now)) is not None:
            todo += self.lanes[waiting].plan(now)
            asked[waiting] = None
        for key in asked:
            self._note(key, now)
        return todo

    def deadline(self, now: Now) -> float | None:
        """Return when `plan` has something new, or None."""
        while self._heap and self._due_s.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        due_s = self._heap[0][0] if self._heap else math.inf
        due_s = min(due_s, self.places.deadline(now))
        return due_s if due_s < math.inf else None

    def is_idle(self) -> bool:
        """Return whether no lane has anything left to do now."""
        return all(lane.is_idle() for lane in self._perhaps_busy())

    def storing(self) -> int:
        """Return how many files are on their way to Storage."""
        return sum(len(e.stores.busy) + len(e.stages.busy) for e in self._perhaps_busy())

    def _perhaps_busy(self) -> Iterator[Lane]:
        return map(self.lanes.__getitem__, self._woken | self._busy)

    def _take_due(self, now: Now) -> dict[LaneKey, None]:
        """Return the lanes to ask, in the order of the configuration."""
        if now.at_s >= self._all_s:
            self._all_s = now.at_s + ALL_S
            self._woken.clear()
            return dict.fromkeys(self.lanes)
        while self._heap and self._heap[0][0] <= now.at_s:
            due_s, key = heappop(self._heap)
            if self._due_s.get(key) == due_s:
                del self._due_s[key]
                self._woken.add(key)
        woken, self._woken = self._woken, set()
        return dict.fromkeys(woken) if len(woken) < 2 else dict.fromkeys(self._in_order(woken))

    def _in_order(self, some: Collection[LaneKey]) -> Iterable[LaneKey]:
        return (key for key in self.lanes if key in some)

    def _note(self, key: LaneKey, now: Now) -> None:
        """Note when the lane that was just asked is due again, and whether it is idle."""
        lane = self.lanes[key]
        due_s = lane.deadline(now)
        if due_s is None:
            self._due_s.pop(key, None)
        elif self._due_s.get(key) != due_s:
            self._due_s[key] = due_s
            heappush(self._heap, (due_s, key))
            self._forget_outdated()
        if lane.is_idle():
            self._busy.discard(key)
        else:
            self._busy.add(key)

    def _forget_outdated(self) -> None:
        """Keep the heap small: after each change a lane is due next for tomorrow's comparison."""
        if len(self._heap) > ENTRIES_EACH * len(self.lanes):
            self._heap = [(due_s, key) for key, due_s in self._due_s.items()]
            heapify(self._heap)
