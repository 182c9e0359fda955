"""What every test of the platform's HTTP side begins with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from platform_scene import Clock, Platform, opened

from localtwin.world.world import World


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that carries out runs, shared because making one takes longer than a test."""
    with opened(tmp_path_factory.mktemp("office")) as world, Platform(world) as platform:
        world.start()
        yield platform


@pytest.fixture
def platform(office: Platform) -> Platform:
    """A signed-in client with an empty iTwin of its own."""
    office.settle_in()
    return office


@pytest.fixture
def clock(office: Platform) -> Clock:
    """The clock of `platform`; it only goes forward."""
    assert isinstance(office.world.clock, Clock)
    return office.world.clock


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A new world, not carrying out runs."""
    with opened(tmp_path / "data") as world:
        yield world
