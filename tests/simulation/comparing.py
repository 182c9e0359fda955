# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Comparisons in virtual time: what the platform would show, late, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinsyncd.core import commands, facts
from twinsyncd.core.model import Failure, Fault, StorageId

from .cloud import ModelCloud

if TYPE_CHECKING:
    from .world import World

FAILS = 0.1
SLOWEST_S = 2.0


class Comparing:
    """Begins comparisons; delays and faults are drawn by themselves, like the tampering."""

    def __init__(self, world: World) -> None:
        self.world = world

    def begin(self, command: commands.Compare) -> None:
        world, rnd = self.world, self.world.tampering.rnd
        delay_s = rnd.uniform(0.05, SLOWEST_S)
        if not world.calm and rnd.random() < FAILS:
            lost = Failure(Fault.TRANSIENT, "lost")
            world.answer(delay_s, facts.CompareFailed(command.connection, lost))
            return
        epoch = world.epoch

        def look() -> None:
            if world.epoch == epoch:
                cloud = world.cloud_of(command.connection)
                cloud.advance(world.now_s)
                world.answer(delay_s, compare(cloud, command))

        world.later(delay_s, look)


def compare(cloud: ModelCloud, command: commands.Compare) -> facts.Compared | facts.CompareFailed:
    """Compare what is remembered with what is there; a mark is the number of commits."""
    name = command.connection
    if command.remote_id and command.remote_id not in cloud.connections:
        return facts.CompareFailed(name, Failure(Fault.GONE, "no such connection"))
    items = cloud.connections.get(command.remote_id, {})
    found, versions = [], []
    for file in command.files:
        blob = cloud.blobs.get(file.storage_id)
        if blob is None:
            found.append(facts.Difference(file.key, facts.Differs.MISSING, "deleted"))
        elif str(blob.etag) != file.version and blob.content != file.digest:
            found.append(facts.Difference(file.key, facts.Differs.OVERWRITTEN, "another"))
        elif str(blob.etag) != file.version:
            versions.append((file.key, str(blob.etag)))
        astray = file.storage_id in cloud.misplaced or cloud.keys.get(file.storage_id) != file.key
        if blob is not None and astray:
            found.append(facts.Difference(file.key, facts.Differs.MISPLACED, "renamed"))
        if file.in_connection and file.storage_id not in items:
            found.append(facts.Difference(file.key, facts.Differs.UNMAPPED, "unmapped"))
    ours = {file.storage_id for file in command.files}
    return facts.Compared(
        name,
        tuple(found),
        tuple(versions),
        last_run_known=not command.last_run or command.last_run in cloud.runs,
        others=tuple((StorageId(id_), id_) for id_ in items if id_ not in ours),
    )
