"""The counts that the journal keeps of a delivery: acknowledged, rejected, batches sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from bulk_scene import CONNECTION, Factory, factory, table

from twinsyncd.core.deliveries import LastDelivery
from twinsyncd.errors import CloudError


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Factory]:
    """A factory with project P and component C."""
    with factory(tmp_path) as made:
        yield made.with_parents()


def after(plant: Factory, data: str, *, snapshot: bool = False) -> LastDelivery:
    """Deliver pieces, whatever comes of it; return what the journal has of it then."""
    with suppress(CloudError):
        plant.store("pieces.csv", data, plant.connection(snapshot=snapshot))
    return next(
        each for each in plant.files.deliveries(CONNECTION) if each.key.path == "pieces.csv"
    )


def counts(found: LastDelivery) -> tuple[int, int, int, int, int]:
    """Return rows, acknowledged, rejected, batches and those that are done."""
    return found.rows, found.acknowledged, found.rejected, found.batches, found.done


def test_an_outage_leaves_the_counts_of_what_was_sent(plant: Factory) -> None:
    """Whoever looks during an outage sees how much of an export the service has."""
    plant.http.event_hooks["request"].append(
        lambda _request: plant.fault("error=503@/api") if len(plant.requests) == 3 else None
    )

    found = after(plant, table(**{f"p{number}": number for number in range(3500)}))

    assert counts(found) == (3500, 2000, 0, 4, 2)


def test_rejected_rows_are_kept_with_their_place(plant: Factory) -> None:
    """The message names three of them; the journal has more."""
    data = table(a=1, b="long", c=3) + "P,C,d,4\nP,X,e,5\nP,C,d,6\n"

    found = after(plant, data)

    assert counts(found) == (6, 2, 4, 1, 1)
    places = {(row.row, row.column) for row in found.rejected_rows}
    assert places == {
        (3, "length"),
        (5, "project + part"),
        (6, "project + component"),
        (7, "project + part"),
    }


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (table(a=1, b=2) + "P,C,b,3\n", (3, 1, 2, 0, 0)),
        (table(a=1, b=2) + "P,C,b,2\n", (3, 1, 2, 0, 0)),
        (table(a=1, b=2, c="long"), (3, 2, 1, 0, 0)),
        (table(a=1, b=3, c=3), (3, 3, 0, 1, 1)),
        (table(b=2), (1, 1, 0, 0, 0)),
    ],
)
def test_what_was_acknowledged_before_counts(
    plant: Factory, second: str, expected: tuple[int, ...]
) -> None:
    """A second delivery sends little; it is the drive that is counted, not what was sent."""
    after(plant, table(a=1, b=2))

    assert counts(after(plant, second)) == expected


def test_a_snapshot_that_waits_for_a_person_is_not_acknowledged(plant: Factory) -> None:
    """Until then the service has what it had."""
    held = after(plant, table(b=1, c=2, d=3, e=4), snapshot=True)

    assert counts(held) == (4, 0, 0, 1, 0)


def test_a_snapshot_with_a_wrong_row_counts_those_that_the_service_has(plant: Factory) -> None:
    """Nothing of it is sent, but its unchanged rows are there all the same."""
    plant.store("pieces.csv", table(a=1, b=2))

    found = after(plant, table(a=1, b=3, c="long"), snapshot=True)

    assert counts(found) == (3, 1, 1, 0, 0)
