"""A clear-out that takes its time: files go step by step, drives are exchanged, a person agrees."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from twinsyncd.core import facts

if TYPE_CHECKING:
    from .people import People
    from .world import World

STEP = 11  # files at a time: a mass, as far as the guard is concerned
PAUSE_S = (2.0, 100.0)  # between two steps
LOOK_S = (5.0, 60.0)  # how often somebody looks at what waits for a person
THINKS_S = (0.0, 0.0, 30.0)  # until that person has said that it is meant
DRIVES = ("other", "third", "")


class Purge:
    """Clears the annex out in steps, while somebody approves whatever is shown."""

    def __init__(self, world: World, people: People) -> None:
        self.world = world
        self.people = people

    def begin(self) -> None:
        rnd = self.world.rnd
        at_s = rnd.uniform(40.0, 120.0)
        for first in range(0, len(self.people.annex), STEP):
            self.world.later(at_s, partial(self._clear, first))
            at_s += rnd.uniform(*PAUSE_S)
        if rnd.random() < 0.5:
            at_s = rnd.uniform(40.0, 300.0)
            for drive in DRIVES:
                self.world.later(at_s, partial(self.people.mount, drive))
                at_s += rnd.uniform(*PAUSE_S) / 2.0
        self.world.later(rnd.uniform(*LOOK_S), self._look)

    def _clear(self, first: int) -> None:
        for key in self.people.annex[first : first + STEP]:
            self.people.delete(key)

    def _look(self) -> None:
        world = self.world
        if world.calm:
            return
        word = facts.ApproveAsked(world.shown())
        world.later(world.rnd.choice(THINKS_S), partial(world.ask, word))
        world.later(world.rnd.uniform(*LOOK_S), self._look)
