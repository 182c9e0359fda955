# mypy: disable-error-code="arg-type"
# Keys are written as plain text here.
"""Why a run that is due does not begin: an upload that broke off may still change Storage."""

from __future__ import annotations

import pytest

from twinsyncd.core.model import LaneRow, Phase
from twinsyncd.journal.late_stores import LateStore
from twinsyncd.runtime.formatting import clock_time
from twinsyncd.runtime.report_lines import Line, lane_line, late_line

LATE = LateStore("one/cad/a.dgn", 1_700_000_180.0)


def line(lane: LaneRow | None, now_s: float) -> Line:
    """Return the line of a connection whose runs wait for an upload."""
    return late_line(lane_line(lane, now_s), lane, LATE, now_s)


@pytest.mark.parametrize("lane", [None, LaneRow("imodel")])
def test_a_run_that_waits_for_a_lost_answer_says_so(lane: LaneRow | None) -> None:
    """It was "no run yet" for three minutes after a kill, and nobody knew what it waited for."""
    said = str(line(lane, 1_700_000_000.0))

    assert said == (
        f"waits until {clock_time(LATE.until_s)}: the upload of one/cad/a.dgn broke off and may "
        "still change Storage, so no run begins before"
    )


@pytest.mark.parametrize(
    ("lane", "now_s"),
    [
        (None, LATE.until_s),
        (LaneRow("imodel", Phase.RUNNING), 1_700_000_000.0),
        (LaneRow("imodel", wait_reason="the service is down"), 1_700_000_000.0),
    ],
    ids=["it is over", "a run is active", "there is a nearer reason"],
)
def test_it_is_not_said_beside_what_matters_more(lane: LaneRow | None, now_s: float) -> None:
    """The line of a connection has room for one reason."""
    assert line(lane, now_s) == lane_line(lane, now_s)
