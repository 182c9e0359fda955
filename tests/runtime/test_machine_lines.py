# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Who serves what, in words."""

from __future__ import annotations

import pytest

from twinsyncd.journal.daemon_rows import MachineRow
from twinsyncd.runtime.machine_lines import MOVING_S, Unserved, machine_reports, unserved_by

NAMES = {"i1": ["Bridge"], "i2": ["Station", "Station DWG"]}


def machine(name: str, *lanes: str, silent_s: float = -10.0, standby: bool = False) -> MachineRow:
    """Return a machine that has served these iModels since a moment."""
    served = dict.fromkeys(lanes, 200.0)
    return MachineRow(name, "1.0", silent_s <= 0.0, standby, 100.0, 300.0, silent_s, served)


def test_a_machine_is_shown_with_what_it_serves() -> None:
    """An iModel may have several connections, and may be configured no more."""
    berlin, oslo = machine_reports([machine("berlin", "i2", "i9"), machine("oslo")], NAMES)

    assert (berlin.line.state, berlin.connections) == (
        "serves 2 connections",
        ("Station", "Station DWG"),
    )
    assert berlin.line.detail.endswith(": Station, Station DWG")
    assert (oslo.line.state, oslo.since_s) == ("serves nothing", 100.0)


def test_a_standby_that_waits_is_named_as_one() -> None:
    """Else its idleness looks like a fault."""
    (standby,) = machine_reports([machine("berlin", standby=True)], NAMES)

    assert standby.line.detail.endswith("as a standby")


def test_a_machine_with_much_work_names_only_some() -> None:
    """Ten thousand names are no line."""
    names = {f"i{number}": [f"Job {number}"] for number in range(9)}
    (busy,) = machine_reports([machine("berlin", *names)], names)

    assert busy.line.detail.endswith("Job 4, and 4 more")
    assert len(busy.connections) == 9


@pytest.mark.parametrize(
    ("machines", "unserved"),
    [
        ([], None),
        ([machine("berlin", "i1", "i2")], None),
        ([machine("berlin", "i1")], Unserved(("Station", "Station DWG"), moves=False)),
        (
            [machine("berlin", "i1"), machine("oslo", "i2", silent_s=5.0)],
            Unserved(("Station", "Station DWG"), moves=True),
        ),
        (
            [machine("oslo", "i1", "i2", silent_s=MOVING_S + 1.0), machine("berlin", "i1")],
            Unserved(("Station", "Station DWG"), moves=False),
        ),
    ],
)
def test_what_no_machine_serves_is_named(
    machines: list[MachineRow], unserved: Unserved | None
) -> None:
    """Its changes go nowhere while everything else is in sync (P12)."""
    assert unserved_by(machines, NAMES) == unserved
