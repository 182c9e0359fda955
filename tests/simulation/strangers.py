# mypy: disable-error-code="index"
# Keys, ids and digests are written as plain text here.
"""Everybody else: those who start runs, tidy up in the portal, and press buttons."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from twinsyncd.core import facts
from twinsyncd.core.model import LaneRow, Phase

from .cloud import Fate, ModelCloud

if TYPE_CHECKING:
    from .world import World

THINKS_S = 20.0  # how long a person may look at what was shown before saying that it is meant
JUMPS_S = (-86_400.0, -45.0, 45.0, 86_400.0)


class Strangers:
    """Act at random times, until all is calm."""

    def __init__(self, world: World) -> None:
        self.world = world

    def begin(self) -> None:
        self.world.later(self.world.rnd.expovariate(0.05), self._meddle)

    def jump_clock(self) -> None:
        """Let the wall clock jump, as a clock that is set does."""
        if self.world.chance(self.world.chances.clock_jump):
            self.world.wall_shift_s += self.world.rnd.choice(JUMPS_S)

    def _meddle(self) -> None:
        world = self.world
        if world.calm:
            return
        acts = (self._run, self._run, self._delete_stored, self._portal, self._ask, self.jump_clock)
        world.rnd.choice(acts)()
        world.later(world.rnd.expovariate(0.08), self._meddle)

    def _cloud(self) -> ModelCloud:
        return self.world.rnd.choice(list(self.world.clouds.values()))

    def _run(self) -> None:
        """Start a run of some connection of the iModel."""
        world, cloud = self.world, self._cloud()
        if world.chance(world.chances.foreign):
            connection = world.rnd.choice(["portal", *cloud.connections])
            fate = Fate(length_s=world.rnd.uniform(1, 120))
            ours = self._is_asked_for(connection)
            cloud.start(connection, world.now_s, fate, ours=ours, wanted=True, posted=False)

    def _is_asked_for(self, connection: str) -> bool:
        """Return whether a run of this connection that begins now is as good as ours.

        Between our look at the connection's newest run and the answer to our start request, all
        that ours would cover is in Storage. If that answer is lost, a run that somebody else
        begins right then cannot be told from ours, and counting it is true all the same.
        """
        asking = (Phase.PREPARING, Phase.STARTING)
        return any(
            lane.phase in asking and self.world.clouds[key].made.get(connection) == lane.connection
            for key, lane in self.world.journal.lanes.items()
        )

    def _delete_stored(self) -> None:
        world, cloud = self.world, self._cloud()
        source_files = [key for key in cloud.names if not key.path.startswith("xref/")]
        if source_files and world.chance(world.chances.storage_deleted):
            cloud.delete(world.rnd.choice(source_files))

    def _portal(self) -> None:
        """Delete a connection, or give it a name of one's own once it is remembered."""
        world, cloud = self.world, self._cloud()
        if not cloud.connections:
            return
        connection = world.rnd.choice(list(cloud.connections))
        if world.chance(world.chances.disconnected):
            cloud.disconnect(connection)
        elif world.chance(world.chances.renamed):
            remembered = {row.remote_id for row in world.journal.connections.values()}
            if connection in remembered:
                cloud.rename(connection)

    def _ask(self) -> None:
        world = self.world
        if not world.chance(world.chances.asked):
            return
        asides = [row.key for row in world.journal.files.values() if row.aside]
        retry = facts.RetryAsked(world.rnd.choice([None, *asides]))
        shown = facts.ApproveAsked(world.shown())
        now = facts.PublishAsked() if world.seed % 2 else facts.SyncAsked()  # no draw of its own
        fact = world.rnd.choice((now, retry, shown))
        world.later(world.rnd.choice((0.0, THINKS_S)), partial(world.ask, fact))
        if int(world.now_s) % 3 == 0:  # no draw of its own: known seeds keep their course
            world.ask(facts.SignedIn(authorised=int(world.now_s) % 2 == 0))
        known = sorted(world.journal.files)
        if known and world.seed % 5 == 2 and int(world.now_s) % 4 == 1:  # no draw either
            world.ask(facts.RetryAsked(known[int(world.now_s) % len(known)]))


def phase_of(row: LaneRow | None) -> Phase:
    """Return the phase of a lane, QUIET before its first row."""
    return Phase.QUIET if row is None else row.phase
