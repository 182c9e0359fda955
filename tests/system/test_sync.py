"""`twinsyncd sync`: exit codes and words that a script and a person can rely on."""

from __future__ import annotations

import re
from pathlib import Path

from twinsyncd.runtime.open_files import open_file

from .drawings import drawing
from .site import QUICK, open_site

HALF_AN_EXPORT = b"ISO-10303-21;\nHEADER;\nFILE_DESCRIPTION(('ViewDefinition"
BROKEN_EXPORT = HALF_AN_EXPORT + b"\nEND-ISO-10303-21;\n"


def test_a_fresh_drive_is_synced_and_stays_so(tmp_path: Path) -> None:
    """The pasted configuration of `twinsyncd local` must work as it is."""
    with open_site(tmp_path) as site:
        for number in range(3):
            site.save(f"area {number}/plan {number}.dxf", drawing(number))

        first = site.call("sync")
        status = site.call("status")
        rehearsal = site.call("sync", "--dry-run")

    assert first.returncode == 0, first.stdout + first.stderr
    assert "agree on 3 files" in first.stdout
    assert status.returncode == 1, "nobody looks for changes now"
    assert "3 of 3 files synced as of" in status.stdout
    assert "are not known: start the daemon, or run: twinsyncd sync" in status.stdout
    assert "nothing to do" in rehearsal.stdout


def test_a_file_that_was_deleted_is_not_in_sync_before_it_is_decided(tmp_path: Path) -> None:
    """Who syncs by hand or by cron never waits the minute after which it counts as gone (P12)."""
    with open_site(tmp_path) as site:
        site.save("kept.dxf", drawing(1))
        site.save("deleted.dxf", drawing(2))
        site.call("sync")
        (site.drive / "deleted.dxf").unlink()

        again = site.call("sync")

    assert again.returncode == 1, again.stdout + again.stderr
    assert "1 file not on the drive any more: deleted.dxf" in again.stdout
    assert "looked for by the next sync after " in again.stdout
    assert "kept in the iModel" not in again.stdout


def test_names_that_change_in_case_alone_keep_their_files_in_storage(tmp_path: Path) -> None:
    """Windows renames plan.dxf to PLAN.dxf in place; a second file would double its elements."""
    with open_site(tmp_path) as site:
        site.save("plan.dxf", drawing(1))
        site.save("plan/sheet.dxf", drawing(2))
        site.call("sync")
        before = site.row("plan.dxf"), site.row("plan/sheet.dxf")
        (site.drive / "plan.dxf").rename(site.drive / "PLAN.dxf")
        (site.drive / "plan").rename(site.drive / "Plan")

        again = site.call("sync")

        after = site.row("PLAN.dxf"), site.row("Plan/sheet.dxf")
        status = site.status()

    assert again.returncode == 0, again.stdout + again.stderr
    assert "agree on 2 files" in again.stdout
    assert [row.storage_id for row in after] == [row.storage_id for row in before]
    assert [row.synced for row in after] == [row.synced for row in before]
    assert "" not in {row.synced for row in after}
    assert status is not None
    assert len(status.runs) == 1, "the iModel holds the content already"


def test_a_sync_that_ends_in_an_outage_names_its_reason(tmp_path: Path) -> None:
    """A limit, a full Storage and a dead line are mended in different ways."""
    with open_site(tmp_path, QUICK, "--fault", "throttle=90@/storage") as site:
        site.save("plan.dxf", drawing(1))

        ended = site.call("sync", "--timeout", "5")

    assert ended.returncode == 1
    assert "not in sync: not finished after 5 s: the service limits the request" in ended.stdout
    assert "waits: the service limits the request rate (HTTP 429)" in ended.stdout


def test_a_broken_file_is_named_and_holds_up_nobody(tmp_path: Path) -> None:
    """One bad export must not keep an office's other files out of the iModel."""
    with open_site(tmp_path) as site:
        site.save("good 1.dxf", drawing(1))
        site.save("good 2.dxf", drawing(2))
        site.save("broken.ifc", BROKEN_EXPORT)

        synced = site.call("sync")
        counts = site.counts()
        seen = site.status()

    assert synced.returncode == 1
    assert (counts.known, counts.synced, counts.aside) == (3, 2, 1)
    assert seen is not None
    open_files = [open_file(row) for row in seen.open_files]
    assert [(each.path, each.state) for each in open_files] == [("broken.ifc", "set aside")]
    assert open_files[0].reason in synced.stdout
    assert len(open_files[0].reason) > len("failed"), "the connector's reason is told"


def test_a_save_that_broke_off_never_takes_the_place_of_a_good_one(tmp_path: Path) -> None:
    """A full disk leaves half a drawing; what is in Storage stays until it was saved again."""
    with open_site(tmp_path) as site:
        whole = drawing(1)
        site.save("plan.dxf", whole)
        site.save("other.dxf", drawing(2))
        site.call("sync")
        site.save("plan.dxf", whole[: len(whole) // 2])

        broken = site.call("sync")
        rehearsal = site.call("sync", "--dry-run")
        status = site.call("status")
        site.save("plan.dxf", drawing(3))
        mended = site.call("sync")

    assert broken.returncode == status.returncode == 1
    for said in (broken.stdout, rehearsal.stdout, status.stdout):
        assert re.search(r"plan\.dxf(: .*)? is incomplete", " ".join(said.split()))
    assert mended.returncode == 0
    assert "agree on 2 files" in mended.stdout


def test_a_folder_that_nobody_may_read_is_named_and_nothing_is_in_sync(tmp_path: Path) -> None:
    """What lies in it may be new, and what it held may be gone: nobody knows."""
    with open_site(tmp_path) as site:
        site.save("open/plan.dxf", drawing(1))
        closed = site.save("closed/plan.dxf", drawing(2)).parent
        site.call("sync")
        closed.chmod(0)
        try:
            synced = site.call_without_rights("sync")
            status = site.call_without_rights("status")
            checked = site.call_without_rights("check")
        finally:
            closed.chmod(0o755)
        mended = site.call_without_rights("sync")

    assert (synced.returncode, status.returncode, checked.returncode) == (1, 1, 1)
    for said in (synced.stdout, status.stdout, checked.stdout + checked.stderr):
        assert "closed" in said
    assert "Permission denied" in synced.stdout
    assert mended.returncode == 0


def test_a_running_daemon_is_asked_to_sync(tmp_path: Path) -> None:
    """Two programs on one journal would undo each other; the second one asks the first."""
    with open_site(tmp_path) as site, site.daemon() as daemon:
        site.save("plan.dxf", drawing(1))

        asked = site.call("sync")
        seen = site.status()
        stored = daemon.events("file.stored")
        alive = not daemon.ended

    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "agree on 1 file" in asked.stdout
    assert seen is not None
    assert seen.daemon is not None
    assert seen.daemon.pid == daemon.pid
    assert [event["path"] for event in stored] == ["plan.dxf"]
    assert alive
