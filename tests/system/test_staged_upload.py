"""A large file that is saved while a run is active goes up meanwhile, also through a crash."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from benchmarks.lined_site import site_behind_a_line
from twinsyncd.cloud.platform_profile import PROFILE
from twinsyncd.cloud.upload_budget import BLOCKS_MAX
from twinsyncd.cloud.upload_limits import BLOCK_BYTES

from .drawings import drawing
from .site import QUICK
from .waiting import wait_until

SIZE: Final = 3 * BLOCK_BYTES
BYTES_PER_S: Final = 60e6
SLOW_RUNS: Final = ("--fault", "slow-run=6")
OTHER_REQUESTS: Final = 2 * BLOCK_BYTES  # sign-in, looks, and heads of requests
REMARK: Final = b"999\n" + b"x" * 99 + b"\n"  # a comment in DXF


def test_a_save_during_a_run_is_there_when_it_ends_also_after_a_kill(tmp_path: Path) -> None:
    """The next run starts at once, and nothing is sent twice (P4, P8)."""
    with site_behind_a_line(tmp_path, QUICK, 0.01, BYTES_PER_S, *SLOW_RUNS) as (site, line):
        site.call("check", "--probe")
        assert (site.journal.parent / PROFILE).is_file()
        with site.daemon() as daemon:
            site.save("cloud.dxf", _large(1))
            daemon.wait_for("run.started")
            site.save("cloud.dxf", _large(2))
            daemon.wait_for("file.staged")
            meanwhile = site.row("cloud.dxf")
            daemon.kill()
            daemon.restart()
            daemon.wait_for("run.ended", 2)
            wait_until(lambda: site.is_synced(1), "both saves are through")
            stored = daemon.events("file.stored")

    assert meanwhile.stored not in ("", meanwhile.seen), "it was committed while the run was active"
    assert len(stored) == 2
    sent_once = 2 * SIZE + OTHER_REQUESTS
    assert 2 * SIZE <= line.carried_bytes <= sent_once + BLOCKS_MAX * BLOCK_BYTES


def _large(number: int) -> bytes:
    """Return a large drawing; another `number` changes all of it."""
    remark = REMARK.replace(b"x", str(number).encode())
    head, begins, rest = drawing(number).partition(b"ENTITIES\n")
    return head + begins + remark * (SIZE // len(remark)) + rest
