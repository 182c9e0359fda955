"""`twinsyncd connections` and `check --probe` with real programs, and a failed file's report."""

from __future__ import annotations

import json
from pathlib import Path

from .drawings import drawing
from .site import QUICK, open_site


def test_connections_reports_and_the_platforms_profile_are_shown(tmp_path: Path) -> None:
    """The first two are asked for when a run is partial; the third is followed from then on."""
    with open_site(tmp_path, f"{QUICK}run_settings = {{ ignoreDgnAttachments = true }}") as site:
        site.save("good.dxf", drawing(1))
        site.save("bad.dxf", b"this is no drawing")
        probed = site.call("check", "--probe")
        before = site.call("connections")
        site.call("sync")
        after = site.call("connections")
        listed = json.loads(site.call("connections", "--json").stdout)
        history = site.call("history").stdout
        (report,) = (tmp_path / "state" / "reports").iterdir()
        profile = json.loads((tmp_path / "state" / "platform_profile.json").read_text("utf-8"))

    assert probed.returncode == 0, probed.stdout + probed.stderr
    assert "an upload URL may list the blocks it received: yes" in probed.stdout
    assert (profile["lists_blocks"], profile["lists_unfinished"]) == (True, False)
    assert "no connection yet" in before.stdout, before.stderr
    assert "storage, 2 source files; used by this configuration" in after.stdout
    (only,) = listed[0]["connections"]
    assert (only["id"] in after.stdout, only["extra"]) == (True, [])
    assert str(report) in history
