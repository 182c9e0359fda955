# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The command line after the file was edited: what is not in it any more is nobody's concern."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from cli_scene import CAD, Office

from twinsyncd.core.decision import Decision
from twinsyncd.core.model import (
    IN_DOUBT,
    FileKey,
    FileRow,
    Fingerprint,
    LaneRow,
    SourceRow,
)
from twinsyncd.core.results import Outcome, RunRecord

LOOK = Fingerprint(7, 1_700_000_000_000_000_000, 1)
SYNCED = FileRow(FileKey(CAD, "a.dgn"), LOOK, "v1", "v1", "v1", storage_id="i", in_connection=True)
OTHER = "Old bridge/cad"
LEFT_BEHIND = Decision(
    files=(FileRow(FileKey(OTHER, "b.dgn"), LOOK, "v1", aside="no right"),),
    lanes=(LaneRow("another iModel", halt="no right"),),
    sources=(
        SourceRow(OTHER, "drive", "it is empty", needs_person=True, drive="drive", missing_count=1),
    ),
    history=(RunRecord("another iModel", "Old bridge", "r", Outcome.FAILED, 1.0, 2.0, 1, "no"),),
)


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """An office that had a second connection, and left a file of it behind."""
    office = Office(tmp_path, monkeypatch, capsys)
    office.remember(Decision(files=(SYNCED,)), LEFT_BEHIND, beat_s=time.time())
    return office


def test_a_connection_that_was_taken_out_holds_no_status_up(office: Office) -> None:
    """Else the office is not in sync for ever, for a reason that nobody can mend."""
    with office.daemon_runs():
        printed = office.types("status")

    assert printed.code == 0
    assert "1 of 1 file synced" in printed.out
    assert "Old bridge" not in printed.out
    assert "on their way" not in printed.out


def test_programs_are_told_of_what_is_in_the_file_only(office: Office) -> None:
    """An alarm on open_total would never end."""
    told = json.loads(office.types("status", "--json").out)

    assert told["files_not_synced"] == 0
    sources = [s["source"] for each in told["connections"] for s in each["sources"]]
    assert sources == [CAD]
    assert (told["needs"], told["open_files"], told["last_runs"]) == ([], [], [])


def test_a_rehearsal_plans_nothing_for_a_file_that_is_gone_in_doubt(office: Office) -> None:
    """Its row is kept for the sake of a late store; there is nothing to upload any more."""
    gone = FileRow(
        FileKey(CAD, "gone.dgn"), None, "", IN_DOUBT, "v1", storage_id="j", in_connection=True
    )
    office.remember(Decision(files=(gone,)))

    assert "gone.dgn" not in office.types("sync", "--dry-run").out
