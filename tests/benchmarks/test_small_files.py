"""Many small files over a line: three round trips each must not add up."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from . import table
from .drives import fill
from .lined_site import site_behind_a_line
from .test_first_sync import NO_RUN, bare_client_s, first_sync

pytestmark = pytest.mark.bench

FILES: Final = 1_000
SIZE_BYTES: Final = 4096
GIGABIT: Final = 125e6
ROUND_TRIP_S: Final = 0.03
TARGET_PER_S: Final = 100
LANES: Final = (4, 16)


def test_small_files_over_a_line_go_side_by_side(tmp_path: Path) -> None:
    """An office's first delivery is thousands of drawings; one after the other takes all day."""
    with site_behind_a_line(tmp_path, NO_RUN, ROUND_TRIP_S, GIGABIT) as (site, _):
        fill(site.drive, folders=20, files_each=FILES // 20, size_bytes=SIZE_BYTES)
        ours_per_s, peak_mb = first_sync(site, FILES)
        peers = {lanes: FILES / bare_client_s(site, FILES, lanes) for lanes in LANES}

    table.record(
        table.Row(
            f"{FILES:,} files of {SIZE_BYTES} bytes, {ROUND_TRIP_S * 1000:.0f} ms, localtwin",
            f"{ours_per_s:.0f} files/s, {peak_mb:.0f} MB",
            {f"bare client, {n} at a time": f"{rate:.0f} files/s" for n, rate in peers.items()},
            f"{1 / ROUND_TRIP_S / 3:.0f} files/s one by one",
            f"{ours_per_s / max(peers.values()):.2f}",
            f">= {TARGET_PER_S} files/s",
            is_met=ours_per_s >= TARGET_PER_S,
        )
    )
