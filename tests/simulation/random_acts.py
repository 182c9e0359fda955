"""Something that somebody does at random times; drawn apart from all other troubles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import World


class RandomActs(ABC):
    """Acts again and again until all is calm, in a share of the worlds in which it `may`."""

    def __init__(
        self, world: World, stream: str, *, may: bool, share: float, every_s: float
    ) -> None:
        """`stream` names the random numbers; `every_s`: between two acts, as a rule."""
        self.world = world
        self.rnd = Random(stream)  # noqa: S311 - a world must be replayable
        self.is_on = may and self.rnd.random() < share
        self._every_s = every_s

    def begin(self) -> None:
        """Act for the first time after a while."""
        if self.is_on:
            self.world.later(self.rnd.expovariate(1.0 / self._every_s), self._go_on)

    @abstractmethod
    def act(self) -> None:
        """Do it once."""

    def _go_on(self) -> None:
        if not self.world.calm:
            self.act()
            self.begin()
