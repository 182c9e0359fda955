"""A crash at any single boundary of a scripted day loses nothing and doubles nothing."""

from __future__ import annotations

import pytest

from .crashpoints import ScriptedWorld, points

GROUPS = 8  # tests, so that the replays spread over the cores


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_crash_at_any_boundary_keeps_every_promise(group: int) -> None:
    """P8 is about every instant, so every instant at which something was decided is tried."""
    count = points()

    for point in range(1 + group, count + 1, GROUPS):
        world = ScriptedWorld(crash_at=point)
        try:
            world.live()
        except AssertionError as broken:
            tail = "\n".join([*world.transcript()][-40:])
            pytest.fail(f"crash at boundary {point} of {count}: {broken}\n{tail}")
        assert world.crashes == 1


def test_the_scripted_day_meets_what_it_is_about() -> None:
    """A script whose surprises miss their moment would prove nothing."""
    world = ScriptedWorld()
    world.live()

    said = "\n".join(world.transcript())

    for moment in ("RunRefused", "StartFailed", "FindRun", "StoreFailed", "seen=''", "aside='ref"):
        assert moment in said, moment
    assert points() > 150
