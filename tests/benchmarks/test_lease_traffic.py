"""Three machines share ten thousand iModels: what it costs each of them that nothing changes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import psutil
import pytest

from postgres_host import PostgresHost
from system.waiting import wait_until
from twinsyncd.journal.database import open_database
from twinsyncd.journal.leases import shares

from .figures import say

pytestmark = pytest.mark.bench

MACHINES: Final = 3
LANES: Final = 10_000
MEASURED_S: Final = 30.0
SHARE: Final = 0.01  # of a core, for each machine
EVEN: Final = 0.98  # the least share that a machine has, of a third


def test_ten_thousand_leases_over_three_machines(postgres: PostgresHost, tmp_path: Path) -> None:
    """Renewing is for a machine, so it may not cost more with each iModel."""
    server, balanced = postgres.new_server(), tmp_path / "balanced"
    engine = open_database(server)
    member = [sys.executable, "-m", "benchmarks.lease_member", server.url, server.schema]
    measured = [str(LANES), str(MEASURED_S), str(balanced)]
    machines = [
        subprocess.Popen(
            [*member, f"machine-{each}", *measured],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        )
        for each in range(MACHINES)
    ]
    try:

        def is_even() -> bool:
            held = [each.lanes for each in shares(engine)]
            return len(held) == MACHINES and min(held) > EVEN * LANES / MACHINES

        wait_until(is_even, "each machine has a third", 120.0)
        balanced.touch()
        server_s = _server_s(postgres)
        time.sleep(MEASURED_S)
        server_s = _server_s(postgres) - server_s  # now, before the sessions end
        costs_s = [_cost_s(each.communicate(timeout=120)[0]) for each in machines]
    finally:
        for each in machines:
            each.kill()
        engine.dispose()

    most = max(costs_s) / MEASURED_S
    say(
        f"leases of {LANES:,} iModels on {MACHINES} machines, idle",
        f"{most:.2%} of a core",
        f"<= {SHARE:.0%} each",
        f"the server: {server_s / MEASURED_S:.2%}",
        is_met=most <= SHARE,
    )


def _cost_s(printed: str) -> float:
    """Return the processor time that a machine used, from all that it printed."""
    return next(float(line.split()[1]) for line in printed.splitlines() if line.startswith("cost"))


def _server_s(postgres: PostgresHost) -> float:
    """Return the processor time that the server has used until now."""
    processes = [psutil.Process(postgres.pid)]
    processes += processes[0].children(recursive=True)
    return sum(sum(each.cpu_times()[:2]) for each in processes)
