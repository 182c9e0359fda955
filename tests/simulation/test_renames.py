# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""In calm worlds every file that is renamed or moved stays what it is in the cloud."""

from __future__ import annotations

import pytest

from .chances import Chances
from .people import FILES
from .world import World

SETTLED_S = 600.0


@pytest.mark.parametrize("seed", range(40))
def test_a_file_that_was_synced_keeps_its_id_under_every_name(seed: int) -> None:
    """Whatever it is called next, its elements keep their source (P8)."""
    world = World(seed, chances=Chances())
    for key in FILES:
        if not key.path.startswith("xref/"):  # outside its folder it is a reference no longer
            world.people.save(key)
    world.until(SETTLED_S)
    for number in range(2, 7):
        ids = {key: row.storage_id for key, row in world.journal.files.items() if row.synced}
        key = world.renaming.rnd.choice(sorted(ids))
        act = world.renaming.rnd.choice((world.renaming.rename, world.renaming.move))

        to = act(key)
        world.until(SETTLED_S * number)

        row = world.journal.files[to]
        assert row.storage_id == ids[key] != world.journal.files[key].storage_id
        assert row.seen == row.stored == row.synced
        assert world.cloud_of_file(to).names[to] == row.storage_id
