"""`twinsyncd forget`: a file that is gone from the drive leaves the connection and the iModel."""

from __future__ import annotations

import shutil
from pathlib import Path

from twinsyncd.config import load

from .drawings import drawing
from .site import open_site
from .test_verify import platform_of

BROKEN_EXPORT = b"ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION(('View\nEND-ISO-10303-21;\n"


def test_a_file_that_fails_in_every_run_is_forgotten(tmp_path: Path) -> None:
    """Its run stayed partial for ever, beside "all files synced"."""
    with open_site(tmp_path) as site:
        site.save("good.dxf", drawing(1))
        bad = site.save("bad.ifc", BROKEN_EXPORT)
        site.call("sync")
        on_drive = site.call("forget", "--yes", str(bad))
        text = site.config.read_text("utf-8")
        own = f'folder = "{site.drive}"'
        assert own in text
        site.config.write_text(text.replace(own, f'{own}\n  exclude = ["bad.ifc"]'), "utf-8")
        site.call("sync")
        forgotten = site.call("forget", "--yes", "--delete", str(bad))
        site.save("good.dxf", drawing(2))
        synced = site.call("sync")
        seen = site.status()
        with platform_of(site) as platform:
            imodel_id = load(site.config).connection[0].imodel_id
            (connection,) = platform.connections(imodel_id)
            held = list(platform.source_files(connection.id))

    assert on_drive.returncode == 1
    assert "is on the drive" in on_drive.stderr
    assert forgotten.returncode == 0, forgotten.stderr
    assert "taken out of its connection, and deleted in Storage" in forgotten.stdout
    assert synced.returncode == 0, synced.stdout
    assert len(held) == 1
    assert seen is not None
    assert seen.runs[0].outcome == "succeeded", seen.runs[0]


def test_what_a_lost_journal_left_in_the_cloud_is_named_and_taken_out(tmp_path: Path) -> None:
    """It said "in sync" beside a deleted file in Storage, the connection and the iModel."""
    with open_site(tmp_path) as site:
        site.save("good.dxf", drawing(1))
        deleted = site.save("sub/old.dxf", drawing(2))
        site.call("sync")
        shutil.rmtree(site.journal.parent)
        deleted.unlink()
        found = site.call("sync")
        forgotten = site.call("forget", "--yes", "--delete", str(deleted))
        mended = site.call("sync")

    assert found.returncode == 1
    assert 'twinsyncd forget --delete "My first connection/drive/sub/old.dxf"' in found.stdout
    assert "taken out of its connection, and deleted in Storage" in forgotten.stdout
    assert (mended.returncode, "in sync" in mended.stdout) == (0, True)
