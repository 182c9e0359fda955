"""The promises hold in seeded worlds full of faults and crashes."""

from __future__ import annotations

import pytest

from .world import World

SEEDS = 400
EACH = 50  # seeds per test, so that the tests spread over the cores


@pytest.mark.parametrize("first", range(0, SEEDS, EACH))
def test_every_seeded_world_comes_to_rest_with_its_promises_kept(first: int) -> None:
    """A machine tries to break P1 to P10; whatever it finds is a bug with a replay command."""
    for seed in range(first, first + EACH):
        world = World(seed)

        try:
            world.run()
        except AssertionError as broken:
            tail = "\n".join([*world.transcript()][-40:])
            pytest.fail(f"seed {seed}: {broken}\n{tail}\nreplay: python -m simulation {seed}")
