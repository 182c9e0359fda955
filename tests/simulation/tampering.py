# mypy: disable-error-code="index"
# Keys, ids and digests are written as plain text here.
"""What others do to the cloud behind the daemon's back, and what comes back from a backup."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from .cloud import ModelCloud

if TYPE_CHECKING:
    from .world import World

EVERY_S = 60.0  # between two acts, as a rule
SHARE = 0.3  # of all worlds have somebody who tampers
RESTORED = 0.3
STREAM = 279  # chosen so that nobody tampers in the worlds that once showed a bug


class Tampering:
    """Acts at random times, until all is calm; drawn by itself, like the file."""

    def __init__(self, world: World, seed: int, *, scripted: bool) -> None:
        self.world = world
        self.rnd = Random(f"tampering {STREAM} {seed}")  # noqa: S311 - a world must be replayable
        self.is_on = not scripted and self.rnd.random() < SHARE

    def begin(self) -> None:
        if self.is_on:
            self.world.later(self.rnd.expovariate(1.0 / EVERY_S), self._act)

    def _act(self) -> None:
        if self.world.calm:
            return
        cloud = self.rnd.choice(list(self.world.clouds.values()))
        self.rnd.choice((self._overwrite, self._recycle, self._unmap, self._restore))(cloud)
        self.world.later(self.rnd.expovariate(1.0 / EVERY_S), self._act)

    def _overwrite(self, cloud: ModelCloud) -> None:
        """Somebody uploads another content to a file of ours."""
        complete = [id_ for id_, blob in cloud.blobs.items() if blob.complete]
        if complete:
            cloud.overwrite(self.rnd.choice(complete), f"foreign {self.rnd.random()}")

    def _recycle(self, cloud: ModelCloud) -> None:
        """Somebody deletes a file; it can be restored, which the daemon does when it needs it."""
        if cloud.blobs:
            cloud.recycle(self.rnd.choice(list(cloud.blobs)))

    def _unmap(self, cloud: ModelCloud) -> None:
        """Somebody takes a source file out of a connection."""
        filled = [connection for connection, items in cloud.connections.items() if items]
        if filled:
            connection = self.rnd.choice(filled)
            cloud.unmap(connection, self.rnd.choice(list(cloud.connections[connection])))

    def _restore(self, cloud: ModelCloud) -> None:
        """Somebody restores the service from a backup that is older than its runs."""
        if self.rnd.random() < RESTORED:
            cloud.lose_runs()
