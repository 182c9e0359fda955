# mypy: disable-error-code="index"
# Keys, ids and digests are written as plain text here.
"""Somebody who renames and moves files in the portal; drawn apart from other troubles."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import World

EVERY_S = 40.0  # between two acts, as a rule
SHARE = 0.5  # of the worlds in which somebody tampers, and so differences are looked for


class PortalMoves:
    """Acts at random times, until all is calm."""

    def __init__(self, world: World, seed: int, *, tampering: bool) -> None:
        self.world = world
        self.rnd = Random(f"portal moves {seed}")  # noqa: S311 - a world must be replayable
        self.is_on = tampering and self.rnd.random() < SHARE

    def begin(self) -> None:
        if self.is_on:
            self.world.later(self.rnd.expovariate(1.0 / EVERY_S), self._act)

    def _act(self) -> None:
        """Rename or move one file in Storage; its id stays."""
        if self.world.calm:
            return
        cloud = self.rnd.choice(list(self.world.clouds.values()))
        complete = [id_ for id_, blob in cloud.blobs.items() if blob.complete]
        if complete:
            cloud.misplace(self.rnd.choice(complete))
        self.world.later(self.rnd.expovariate(1.0 / EVERY_S), self._act)
