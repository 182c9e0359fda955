"""Snapshots: a service that deletes what a request leaves out gets whole sets, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bulk_scene import CONNECTION, Factory, factory, table

from twinsyncd.core import commands
from twinsyncd.core.facts import Difference, Differs
from twinsyncd.core.model import Fault, RunKey
from twinsyncd.errors import CloudError
from twinsyncd.journal.bulk_files import HeldSnapshot
from twinsyncd.targets.bulk.connection import BulkConnection


class Snapshots:
    """A factory whose service deletes what a request leaves out."""

    def __init__(self, plant: Factory) -> None:
        self.plant = plant
        plant.world.bulk_records.snapshot = True
        self.target = plant.connection(snapshot=True)

    def store(self, path: str, data: str) -> None:
        """Deliver a file."""
        self.plant.store(path, data, self.target)

    def approve(self) -> list[HeldSnapshot]:
        """Approve what is held, and return it."""
        held = self.plant.files.held(CONNECTION)
        for each in held:
            self.plant.files.approve(CONNECTION, each)
        return held

    def first(self, path: str, data: str) -> None:
        """Deliver a file for the first time, approved."""
        with pytest.raises(CloudError):
            self.store(path, data)
        self.approve()
        self.store(path, data)


@pytest.fixture
def snapshots(tmp_path: Path) -> Iterator[Snapshots]:
    """A factory with project P and component C."""
    with factory(tmp_path) as plant:
        made = Snapshots(plant)
        made.first("projects.csv", "project\nP\n")
        made.first("components.csv", "project,component\nP,C\n")
        plant.requests.clear()
        yield made


def _many(number: int) -> str:
    return table(**{f"p{each}": each for each in range(number)})


def test_the_first_snapshot_waits_for_a_person(snapshots: Snapshots) -> None:
    """What the service held before is not known, and all of it would be deleted."""
    with pytest.raises(CloudError) as caught:
        snapshots.store("pieces.csv", table(a=1))

    assert caught.value.failure.fault is Fault.REFUSED
    assert 'twinsyncd approve "Factory"' in caught.value.failure.message
    assert snapshots.plant.requests == []


def test_a_snapshot_deletes_what_left_the_file(snapshots: Snapshots) -> None:
    """The set in the service is that of the file, in one request."""
    snapshots.first("pieces.csv", table(a=1, b=2, c=3))
    snapshots.plant.requests.clear()

    snapshots.store("pieces.csv", table(a=1, c=4))
    snapshots.store("pieces.csv", table(c=4, a=1))

    assert snapshots.plant.lengths() == {"a": 1, "c": 4}
    assert len(snapshots.plant.requests) == 1


def test_a_set_that_does_not_fit_one_request_is_refused(snapshots: Snapshots) -> None:
    """Two requests would each delete what the other brought."""
    with pytest.raises(CloudError) as caught:
        snapshots.store("pieces.csv", _many(1001))

    assert "more than 1000 rows" in caught.value.failure.message
    assert snapshots.plant.requests == []
    snapshots.first("pieces.csv", _many(1000))
    assert len(snapshots.plant.lengths()) == 1000


def test_a_set_that_shrank_waits_for_a_person_and_is_then_sent(snapshots: Snapshots) -> None:
    """A broken export looks like a mass deletion; the approval is for this content only."""
    snapshots.first("pieces.csv", _many(100))
    snapshots.plant.requests.clear()

    with pytest.raises(CloudError) as caught:
        snapshots.store("pieces.csv", _many(60))
    assert "40 of 100 pieces" in caught.value.failure.message
    held = snapshots.approve()
    with pytest.raises(CloudError):
        snapshots.store("pieces.csv", _many(50))
    assert snapshots.plant.requests == []
    snapshots.store("pieces.csv", _many(60))

    assert [(each.rows, each.known, each.leaving) for each in held] == [(60, 100, 40)]
    assert len(snapshots.plant.lengths()) == 60


def test_a_parent_with_much_below_waits_for_a_person(snapshots: Snapshots) -> None:
    """One component of two is no mass, but a thousand pieces may go with it."""
    snapshots.store("components.csv", "project,component\nP,C\nP,D\n")
    snapshots.first("pieces.csv", _many(100))

    with pytest.raises(CloudError) as caught:
        snapshots.store("components.csv", "project,component\nP,D\n")

    assert "1 of 2 components" in caught.value.failure.message
    assert "what lies below them goes with them" in caught.value.failure.message
    assert len(snapshots.plant.lengths()) == 100


def test_an_empty_set_waits_for_a_person(snapshots: Snapshots) -> None:
    """The commonest broken export has a header and no rows."""
    snapshots.first("pieces.csv", table(a=1, b=2))
    snapshots.plant.requests.clear()

    with pytest.raises(CloudError) as caught:
        snapshots.store("pieces.csv", table())

    assert "2 of 2 pieces" in caught.value.failure.message
    assert snapshots.plant.requests == []


@pytest.mark.parametrize("data", [table(a=1, b="long"), table(a=1, b=2) + "P,C,b,3\n"])
def test_a_wrong_row_holds_up_the_whole_snapshot(snapshots: Snapshots, data: str) -> None:
    """Without the row the service would delete its record."""
    snapshots.first("pieces.csv", table(a=1, b=2))
    snapshots.plant.requests.clear()

    with pytest.raises(CloudError) as caught:
        snapshots.store("pieces.csv", data)

    assert "none is sent" in caught.value.failure.message
    assert snapshots.plant.requests == []
    assert snapshots.plant.lengths() == {"a": 1, "b": 2}


def test_a_lost_answer_is_made_good(snapshots: Snapshots) -> None:
    """The file may go back to the content before, which is then no longer in the service."""
    snapshots.first("pieces.csv", table(a=1, b=2))

    snapshots.plant.fault("lost-answer@/api x9")
    with pytest.raises(CloudError):
        snapshots.store("pieces.csv", table(a=1, b=3))
    snapshots.plant.world.faults.clear()
    snapshots.store("pieces.csv", table(a=1, b=2))

    assert snapshots.plant.lengths() == {"a": 1, "b": 2}


def test_what_lies_below_a_deleted_record_is_sent_again(snapshots: Snapshots) -> None:
    """The service deletes the pieces of a project with it, and does not bring them back alone."""
    snapshots.store("projects.csv", "project\nP\nQ\n")
    snapshots.store("components.csv", "project,component\nP,C\n")
    snapshots.first("pieces.csv", table(a=1))

    snapshots.store("projects.csv", "project\nQ\n")
    snapshots.store("projects.csv", "project\nP\nQ\n")

    assert snapshots.plant.lengths() == {}
    found = {each.key.path for each in _compared(snapshots.target)}
    assert found == {"components.csv", "pieces.csv"}
    snapshots.store("components.csv", "project,component\nP,C\n")
    snapshots.store("pieces.csv", table(a=1))
    assert snapshots.plant.lengths() == {"a": 1}
    assert _compared(snapshots.target) == ()


def _compared(target: BulkConnection) -> tuple[Difference, ...]:
    found = target.compare(commands.Compare(CONNECTION, "", (), RunKey("")))
    prepared = target.prepare(commands.Prepare(CONNECTION, "", (), RunKey("")))
    assert prepared.storage_as_expected == (not found.differences)
    assert {each.differs for each in found.differences} <= {Differs.MISSING}
    return found.differences
