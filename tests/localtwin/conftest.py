"""What every test of the platform's HTTP side begins with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from platform_scene import Clock, Platform, opened

from localtwin.world.world import World


@pytest.fixture
def clock() -> Clock:
    """The world's clock."""
    return Clock()


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Iterator[World]:
    """A new world, not carrying out runs."""
    with opened(tmp_path / "data", clock) as world:
        yield world


@pytest.fixture
def platform(world: World) -> Iterator[Platform]:
    """A signed-in client of that world, which carries out runs."""
    world.start()
    with Platform(world) as platform:
        yield platform
