"""A daemon that is killed in the middle of a large file goes on where it was."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from benchmarks.lined_site import site_behind_a_line
from twinsyncd.cloud.upload_budget import BLOCKS_MAX
from twinsyncd.cloud.upload_limits import BLOCK_BYTES

from .site import QUICK, Site
from .waiting import wait_until

SIZE: Final = 20 * BLOCK_BYTES
BYTES_PER_S: Final = 60e6
OTHER_REQUESTS: Final = BLOCK_BYTES // 2  # sign-in, looks, and heads of requests


def test_a_kill_at_half_of_a_file_sends_again_what_was_on_its_way(tmp_path: Path) -> None:
    """Nights are short: a large file that begins anew after each crash never arrives (P8)."""
    with site_behind_a_line(tmp_path, QUICK, 0.01, BYTES_PER_S) as (site, line):
        site.save("cloud.dxf", os.urandom(SIZE))
        with site.daemon() as daemon:
            wait_until(
                lambda: blocks_staged(site) >= SIZE // BLOCK_BYTES // 2, "half of it is there"
            )
            daemon.kill()
            daemon.restart()
            daemon.wait_for("file.stored")

    assert line.carried_bytes >= SIZE
    assert line.carried_bytes <= SIZE + BLOCKS_MAX * BLOCK_BYTES + OTHER_REQUESTS


def blocks_staged(site: Site) -> int:
    """Return how many blocks Storage holds uncommitted."""
    file = next(iter((site.folder / "localtwin").glob("*.sqlite")))
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        found: int = database.execute("select count(*) from staged_blocks").fetchone()[0]
    database.close()
    return found
