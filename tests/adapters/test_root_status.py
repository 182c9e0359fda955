"""What `status` says while a spatial root goes in before other files."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from cli_scene import CAD, CONFIG, IMODEL, Office

from twinsyncd.core.decision import Decision
from twinsyncd.core.model import ConnectionKey, ConnectionRow, LaneKey, LaneRow, Phase
from twinsyncd.runtime.formatting import clock_time

SURVEY = CONFIG[CONFIG.index("[[connection]]") :]
SURVEY = SURVEY.replace('"Bridge 12"', '"Survey"').replace('"cad"', '"survey"')
ROOT = "Survey/survey/site.dgn"


@pytest.fixture
def office(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Office:
    """Two connections of one iModel; the second one's file is to place it."""
    office = Office(tmp_path, monkeypatch, capsys)
    (tmp_path / "survey").mkdir()
    office.configure(f"{CONFIG}\n{SURVEY}  spatial_root = true\n")
    return office


def remember(office: Office, waiting: str, root: str, *, phase: Phase = Phase.QUIET) -> float:
    """Let Bridge 12 wait for that connection's root; return since when."""
    since_s = time.time() - 120.0
    bridge, survey = ConnectionKey("Bridge 12"), ConnectionKey("Survey")
    lane = LaneRow(LaneKey(IMODEL), phase, connection=bridge)
    own = ROOT.replace("Survey/survey", CAD) if waiting == bridge else ""
    rows = (
        ConnectionRow(bridge, spatial_root=own, root_wait=waiting, root_wait_s=since_s),
        ConnectionRow(survey, spatial_root=root),
    )
    office.remember(Decision(connections=rows, lanes=(lane,)), beat_s=time.time())
    return since_s


@pytest.mark.parametrize(
    ("waiting", "root", "words"),
    [
        ("Survey", ROOT, f'waits for the spatial root {ROOT} of "Survey" since '),
        ("Survey", "", 'waits for the spatial root of "Survey" since '),
        ("Bridge 12", "", f"waits for the spatial root {CAD}/site.dgn since "),
    ],
)
def test_status_names_the_root_that_goes_first_and_how_not_to_wait(
    office: Office, waiting: str, root: str, words: str
) -> None:
    """Files that are uploaded and not taken look like a fault otherwise."""
    since_s = remember(office, waiting, root)

    with office.daemon_runs():
        printed = " ".join(office.types("status").out.split())

    assert f"{words}{clock_time(since_s)}: it decides where the iModel is" in printed
    other = 'to go on without it: twinsyncd pause "Survey"'
    advice = other if waiting == "Survey" else "if it is not meant to: delete spatial_root"
    assert advice in printed


def test_programs_read_what_is_waited_for(office: Office) -> None:
    """A dashboard shows it beside the connection."""
    since_s = remember(office, "Survey", ROOT)

    with office.daemon_runs():
        bridge, survey = json.loads(office.types("status", "--json").out)["connections"]

    expected = {"connection": "Survey", "file": ROOT, "since_s": since_s}
    assert (bridge["waits_for_root"], survey["waits_for_root"]) == (expected, None)


def test_a_run_of_its_own_says_more_than_the_wait(office: Office) -> None:
    """What happens now comes first."""
    remember(office, "Survey", ROOT, phase=Phase.RUNNING)

    with office.daemon_runs():
        printed = office.types("status").out

    assert "a run of ours is active" in printed
    assert "waits for the spatial root" not in printed.partition("Survey")[0]
