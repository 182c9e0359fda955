"""A drive of 100,000 files that is polled every few seconds, as a share without hints is."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from system.site import open_site
from twinsyncd.disk.recent_folders import FOLDERS_MAX

from .drives import fill, remember_synced
from .polling import PAUSE_S, POLLERS, SCAN_S
from .steps import measured
from .table import Row, record

pytestmark = pytest.mark.bench

FOLDERS: Final = 1_000
FILES: Final = 100_000
SECONDS: Final = 25
OURS: Final = "twinsyncd"
RECENT: Final = "recent"


def test_polling_costs_no_more_than_the_peers(tmp_path: Path) -> None:
    """A file server has other work, and nobody reports what changed on most shares."""
    with open_site(tmp_path, "") as site:
        fill(site.drive, FOLDERS, FILES // FOLDERS)
        remember_synced(site)
        site.platform.kill()  # nothing of this needs it
        costs = {
            poller: measured("polling", poller, site.config, _seconds(poller))
            for poller in POLLERS
            if poller in (OURS, RECENT) or find_spec(poller)
        }

    shares = {poller: cost["processor_s"] / cost["seconds"] for poller, cost in costs.items()}
    ours, recent, peer = shares[OURS], shares[RECENT], shares.get("watchfiles")
    shown = {
        poller: f"{shares[poller]:.1%}, {costs[poller]['peak_mb']:.0f} MB"
        if poller in costs
        else "absent"
        for poller in POLLERS
    }
    all_of_it, lately = shown.pop(OURS), shown.pop(RECENT)
    record(
        Row(
            f"polling {FILES:,} files, {PAUSE_S:.0f} s between two passes, of a processor",
            all_of_it,
            shown,
            ratio="" if peer is None else f"{ours / peer:.2f} of watchfiles",
            target="<= watchfiles",
            is_met=None if peer is None else ours <= peer,
        )
    )
    record(
        Row(
            f"the same, all files every {SCAN_S:.0f} s and {FOLDERS_MAX} folders in each pass",
            lately,
            shown,
            ratio="" if peer is None else f"{recent / peer:.2f} of watchfiles",
            target="<= 1/3 of watchfiles",
            is_met=None if peer is None else recent <= peer / 3,
        )
    )


def _seconds(poller: str) -> int:
    """Return how long a poller is measured [s]: with one scan at least."""
    return int(SCAN_S + PAUSE_S) if poller == RECENT else SECONDS
