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
