"""`twinsyncd connections` with real programs: before the first sync, and after a failed file."""

from __future__ import annotations

import json
from pathlib import Path

from .drawings import drawing
from .site import QUICK, open_site


def test_connections_and_the_report_of_a_failed_file_are_shown(tmp_path: Path) -> None:
    """Both are what a person asks for when a run of theirs is partial."""
    with open_site(tmp_path, f"{QUICK}run_settings = {{ ignoreDgnAttachments = true }}") as site:
        before = site.call("connections")
        site.save("good.dxf", drawing(1))
        site.save("bad.dxf", b"this is no drawing")
        site.call("sync")
        after = site.call("connections")
        listed = json.loads(site.call("connections", "--json").stdout)
        history = site.call("history").stdout
        (report,) = (tmp_path / "state" / "reports").iterdir()

    assert "no connection yet" in before.stdout, before.stderr
    assert "storage, 2 source files; used by this configuration" in after.stdout
    (only,) = listed[0]["connections"]
    assert (only["id"] in after.stdout, only["extra"]) == (True, [])
    assert str(report) in history


def test_the_platform_is_probed_and_the_profile_kept(tmp_path: Path) -> None:
    """What was found out is shown in words, and a later start follows it."""
    with open_site(tmp_path) as site:
        site.save("good.dxf", drawing(1))
        probed = site.call("check", "--probe")
        synced = site.call("sync")
        profile = json.loads((tmp_path / "state" / "platform_profile.json").read_text("utf-8"))

    assert probed.returncode == 0, probed.stdout + probed.stderr
    assert "an upload URL may list the blocks it received: yes" in probed.stdout
    assert (profile["lists_blocks"], profile["lists_unfinished"]) == (True, False)
    assert synced.returncode == 0, synced.stdout
