"""One scripted day, lived once per boundary with the process dying exactly there.

A boundary lies between a decision and its commit, between the commit and the first command, and
after each command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from twinsyncd.core.model import FileKey

from .chances import Chances
from .cloud import Fate
from .world import Crash, World

SEED = 7
DAY_S = 200.0
A, B, C = (FileKey("one/cad", path) for path in ("a.dgn", "b.dwg", "deep/c.dwg"))
REFERENCE, REFUSED = (FileKey("one/cad", path) for path in ("xref/r.dgn", "refused.dwg"))
E = FileKey("two/bim", "e.ifc")


class ScriptedWorld(World):
    """Edits, a run of somebody else, lost answers, a deletion and a rename, each at its time."""

    def __init__(self, crash_at: int = 0) -> None:
        """Die at the boundary with this number; 0: never."""
        self.crash_at = crash_at
        self.day = 0  # boundaries before the calm
        super().__init__(SEED, chances=Chances(run_most_s=8.0))

    def begin(self) -> None:
        people = self.people
        for key in (A, B, C, REFERENCE, REFUSED, E):
            people.save(key)
        self._at(2.0, self._somebody_runs)
        self._at(4.0, lambda: self._lose_answers(1.0))
        self._at(6.0, lambda: self._lose_answers(0.0))
        self._at(60.0, lambda: people.save(A))
        self._at(68.5, lambda: self._lose_answers(1.0))
        self._at(71.0, lambda: self._lose_answers(0.0))
        self._at(83.2, lambda: self._lose_answers(1.0))
        self._at(86.0, lambda: self._lose_answers(0.0))
        self._at(90.0, lambda: people.touch(B))
        self._at(92.0, lambda: people.save(E))
        self._at(94.0, lambda: people.save(A))
        self._at(100.0, lambda: people.delete(C))
        self._at(120.0, lambda: people.rename(B, C))
        self._at(125.0, lambda: people.save(REFERENCE))

    def boundary(self) -> None:
        super().boundary()
        if self.boundaries == self.crash_at:
            raise Crash

    def live(self) -> None:
        """Live through the day, then rest with every promise kept."""
        self.begin()
        self.until(DAY_S)
        self.day = self.boundaries
        self.rest()

    def _at(self, at_s: float, act: Callable[[], None]) -> None:
        self.later(at_s, act)

    def _lose_answers(self, probability: float) -> None:
        self.chances = replace(self.chances, lost_after=probability)

    def _somebody_runs(self) -> None:
        fate = Fate(length_s=15.0)
        self.clouds["imodel"].start(
            "portal", self.now_s, fate, ours=False, wanted=True, posted=False
        )


@cache
def points() -> int:
    """Return how many boundaries the day has when nothing dies."""
    world = ScriptedWorld()
    world.live()
    return world.day
