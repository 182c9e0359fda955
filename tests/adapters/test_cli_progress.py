# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What `sync` shows while it works: all that moves on a terminal, one line per change elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cli_scene import CAD, IMODEL, Office

from twinsyncd.cli.progress import progress_of
from twinsyncd.config import load
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import FileKey, FileRow, Fingerprint, LaneRow, Phase
from twinsyncd.core.progress import UploadsUnderWay
from twinsyncd.core.results import Outcome, RunRecord
from twinsyncd.journal.views import Status
from twinsyncd.runtime.state import read_status

NOW_S = 1_700_000_600.0
LOOK = Fingerprint(100, 10**9, 7)
MIB = 1024**2


def row(name: str, stored: str = "", synced: str = "") -> FileRow:
    """Return a file on its way."""
    return FileRow(FileKey(CAD, name), LOOK, "v1", stored, synced)


@pytest.fixture
def seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Status:
    """A sync in its middle: one file each at every station, a run, and runs before it."""
    office = Office(tmp_path, monkeypatch, capsys)
    lane = LaneRow(IMODEL, Phase.RUNNING, "Bridge 12", "run-9", since_s=NOW_S - 95.0)
    ended = tuple(
        RunRecord(IMODEL, "Bridge 12", f"run-{n}", Outcome.SUCCEEDED, 0.0, 120.0 + n, 1)
        for n in range(5)
    )
    files = (row("a.dgn"), row("b.dgn", "v1"), row("c.dgn", "v1", "v1"))
    office.remember(Decision(files=files, lanes=(lane,), history=ended), unsettled=2)
    found = read_status(load(office.config), runs=50)
    assert found.daemon is not None
    uploads = UploadsUnderWay(1, 30 * MIB, 90 * MIB, 2.0 * MIB)
    return replace(found, daemon=replace(found.daemon, uploads=uploads))


def test_a_terminal_shows_settling_bytes_rate_and_the_run_against_its_usual_length(
    seen: Status,
) -> None:
    """Whoever waits wants to know whether there is time for a coffee."""
    assert progress_of(seen, NOW_S, live=True) == [
        "1 of 3 files synced · 2 still settling · 2 uploaded · 1 waiting for the run's end",
        "uploading 1 file: 30.0 MiB of 90.0 MiB at 2.0 MiB/s, 30 s left",
        "Bridge 12: a run of ours is active, for 1 min 35 s; usually 2 min 2 s",
    ]


def test_a_log_gets_nothing_that_changes_all_the_time(seen: Status) -> None:
    """Four lines a second would bury what happened."""
    later = progress_of(seen, NOW_S + 60.0, live=False)

    assert progress_of(seen, NOW_S, live=False) == later
    assert later == [
        "1 of 3 files synced · 2 uploaded · 1 waiting for the run's end",
        "a run of ours is active",
    ]


def test_a_first_run_says_no_usual_length(seen: Status) -> None:
    """Two runs say nothing about a third."""
    shown = progress_of(replace(seen, runs=seen.runs[:2]), NOW_S, live=True)

    assert shown[-1] == "Bridge 12: a run of ours is active, for 1 min 35 s"
