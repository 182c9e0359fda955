"""The table tells the truth about what was missed, and so does the exit code."""

from __future__ import annotations

import pytest

from . import conftest, table

GREEN = table.Row("scan", "1 s", target="<= 2 s", is_met=True)
RED = table.Row("upload", "50 MiB/s", {"azure-4": "100 MiB/s"}, ratio="0.50", is_met=False)
PLAIN = table.Row("idle", "0.1 %")


def test_a_missed_target_is_red_and_named() -> None:
    """A figure that is hidden among others is a figure nobody mends."""
    shown = table.drawn([GREEN, RED, PLAIN])

    assert shown.count("green") == 1
    assert shown.count("RED") == 1
    assert shown.splitlines()[-2:] == ["1 of 2 targets are missed:", "  upload"]


def test_nothing_missed_is_said() -> None:
    """Whoever reads the last line alone must learn that all is well."""
    assert table.drawn([GREEN, PLAIN]).splitlines()[-1] == "All 1 targets are reached."


@pytest.mark.parametrize(("row", "expected"), [(GREEN, 0), (PLAIN, 0), (RED, 1)])
def test_a_red_row_ends_the_run_with_1(
    row: table.Row, expected: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make bench` is only a gate if it fails."""
    session = request.session
    monkeypatch.setattr(table, "_ROWS", [row])
    monkeypatch.setattr(session, "exitstatus", pytest.ExitCode.OK)

    conftest.pytest_sessionfinish(session, pytest.ExitCode.OK)

    assert session.exitstatus == expected
