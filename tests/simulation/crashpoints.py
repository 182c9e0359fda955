# mypy: disable-error-code="arg-type,index"
# Keys, ids and digests are written as plain text here.
"""One scripted day, lived once per boundary with the process dying exactly there.

A boundary lies between a decision and its commit, between the commit and the first command, and
after each command.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from twinsyncd.core import commands
from twinsyncd.core.model import FileKey

from .chances import Chances
from .cloud import Fate
from .workers import VirtualWorkers
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
        self.workers = ScriptedHands(self)

    def begin(self) -> None:
        people = self.people
        for key in (A, B, C, REFERENCE, REFUSED, E):
            people.save(key)
        self._at(60.0, lambda: people.save(A))
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

    def lose_answers(self, for_s: float) -> None:
        """Let everything happen and nobody hear of it, for a while."""
        self.chances = replace(self.chances, lost_after=1.0)
        self.later(for_s, lambda: setattr(self, "chances", replace(self.chances, lost_after=0.0)))

    def somebody_runs(self) -> None:
        """Let somebody else start a run of another connection."""
        fate = Fate(length_s=15.0)
        self.clouds["imodel"].start(
            "portal", self.now_s, fate, ours=False, wanted=True, posted=False
        )


class ScriptedHands(VirtualWorkers):
    """Bring about, at certain commands, what must happen just then."""

    def __init__(self, world: ScriptedWorld) -> None:
        super().__init__(world)
        self.scripted = world
        self.begun: Counter[type[commands.Command]] = Counter()

    def begin(self, command: commands.Command) -> None:
        self.begun[type(command)] += 1
        match command, self.begun[type(command)]:
            case commands.Prepare(), 1:
                self.scripted.somebody_runs()
            case commands.Store(), 2:
                self.scripted.lose_answers(5.0)
            case commands.StartRun(), 3:
                self.scripted.lose_answers(0.5)
            case _:
                pass
        super().begin(command)


@cache
def points() -> int:
    """Return how many boundaries the day has when nothing dies."""
    world = ScriptedWorld()
    world.live()
    return world.day
