"""A share that goes away and comes back, with the daemon restarted in between."""

from __future__ import annotations

from pathlib import Path

from .drawings import drawing
from .site import Site, open_site
from .waiting import wait_until


def test_a_share_that_was_away_goes_on_where_it_was(tmp_path: Path) -> None:
    """Nothing on it may count as deleted, and all else must be told and go on by itself (P7)."""
    with open_site(tmp_path) as site:
        with site.daemon():
            site.save("plan.dxf", drawing(1))
            wait_until(lambda: site.is_synced(1), "the first file is synced")
            site.drive.rename(tmp_path / "away")
            wait_until(lambda: "is the share connected?" in _status(site), "it is told")

        with site.daemon():
            wait_until(lambda: "running since" in _status(site), "the daemon is up all the same")
            kept = site.counts()
            (tmp_path / "away").rename(site.drive)
            site.save("later.dxf", drawing(2))
            wait_until(lambda: site.is_synced(2), "both files are synced")
            status = site.call("status")

    assert (kept.known, kept.synced, kept.gone) == (1, 1, 0)
    assert status.returncode == 0, status.stdout


def _status(site: Site) -> str:
    return site.call("status").stdout
