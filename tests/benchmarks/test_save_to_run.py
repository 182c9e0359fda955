"""From a save to the start of its run: what the program adds to the quiet times."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

import pytest

from system.drawings import drawing
from system.programs import DaemonProgram
from system.site import Site, open_site
from system.waiting import wait_until

from .figures import percentile, say

pytestmark = pytest.mark.bench

SAVES: Final = 40
QUIET_S: Final = 0.3  # settling and the quiet of the batch pass side by side
TARGET_S: Final = 0.040
TIMES: Final = f"""
settle = "{QUIET_S}s"
batch_quiet = "{QUIET_S}s"
poll = "250ms"
"""


def test_a_save_starts_its_run_at_once(tmp_path: Path) -> None:
    """Whoever saves should see the iModel follow; waiting is for finished saves alone."""
    with open_site(tmp_path, TIMES) as site, site.daemon() as daemon:
        _save(site, daemon, 0)  # finds folders, makes the connection
        moments = [_save(site, daemon, number) for number in range(1, SAVES + 1)]

    stored = [stored_s - saved_s - QUIET_S for saved_s, stored_s, _ in moments]
    begun = [begun_s - stored_s for _, stored_s, begun_s in moments]
    whole = [begun_s - saved_s - QUIET_S for saved_s, _, begun_s in moments]
    p95_s = percentile(whole, 0.95)
    say(
        f"save -> run started, less the quiet time, {SAVES} saves",
        f"p50 {_ms(median(whole))}, p95 {_ms(p95_s)}, most {_ms(max(whole))}",
        f"p95 <= {_ms(TARGET_S)}",
        f"save -> stored p50 {_ms(median(stored))} p95 {_ms(percentile(stored, 0.95))}; "
        f"stored -> run p50 {_ms(median(begun))} p95 {_ms(percentile(begun, 0.95))}",
        is_met=p95_s <= TARGET_S,
    )


def _save(site: Site, daemon: DaemonProgram, number: int) -> tuple[float, float, float]:
    """Save once, wait for the run's end; return when it was saved, stored and run."""
    content = drawing(number)
    saved_s = time.time()
    site.save("plan.dxf", content)
    stored = daemon.wait_for("file.stored", number + 1)
    begun = daemon.wait_for("run.started", number + 1)
    daemon.wait_for("run.ended", number + 1)
    wait_until(_was_idle(site), "rest after a run")
    return saved_s, _moment(stored), _moment(begun)


def _was_idle(site: Site) -> Callable[[], bool]:
    return lambda: site.is_synced(1)


def _moment(event: dict[str, Any]) -> float:
    return datetime.fromisoformat(event["timestamp"]).timestamp()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
