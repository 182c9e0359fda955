# mypy: disable-error-code="index"
# Keys, ids and digests are written as plain text here.
"""Somebody who renames and moves files in the portal; drawn apart from other troubles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .random_acts import RandomActs

if TYPE_CHECKING:
    from .world import World

EVERY_S = 40.0  # between two acts, as a rule
SHARE = 0.5  # of the worlds in which somebody tampers, and so differences are looked for


class PortalMoves(RandomActs):
    """Renames or moves one file in Storage at a time; its id stays."""

    def __init__(self, world: World, seed: int, *, tampering: bool) -> None:
        super().__init__(world, f"portal moves {seed}", may=tampering, share=SHARE, every_s=EVERY_S)

    def act(self) -> None:
        cloud = self.rnd.choice(list(self.world.clouds.values()))
        complete = [id_ for id_, blob in cloud.blobs.items() if blob.complete]
        if complete:
            cloud.misplace(self.rnd.choice(complete))
