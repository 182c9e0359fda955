"""A drive of 100,000 files that are all synced: what it costs to keep watching them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Final

import pytest

from system.programs import DaemonProgram
from system.site import Site, open_site
from system.waiting import wait_until
from twinsyncd.config import load, sources_of
from twinsyncd.core.commands import Scan
from twinsyncd.core.facts import Scanned
from twinsyncd.disk.folder import Folder
from twinsyncd.disk.tree import Tree
from twinsyncd.journal.database import open_database
from twinsyncd.journal.writer import Journal

from .drives import fill, remember_synced
from .figures import Stopwatch, memory_mb, processor_s, say
from .table import Row, record

pytestmark = pytest.mark.bench

FOLDERS: Final = 1_000
FILES: Final = 100_000
MEMORY_MB: Final = 70
SCANS: Final = 5
SCAN_RATIO: Final = 1.5  # of os.scandir with stat, in the same run
IDLE_S: Final = 20.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a large drive, every file of it synced."""
    with open_site(tmp_path_factory.mktemp("large"), "") as opened:
        fill(opened.drive, FOLDERS, FILES // FOLDERS)
        remember_synced(opened)
        opened.platform.kill()  # nothing of this needs it
        yield opened


def test_a_scan_is_about_as_quick_as_listing(site: Site) -> None:
    """On a share the scan is all there is, and it runs every minute."""
    config = load(site.config, {})
    connection, source = next(sources_of(config))
    journal = Journal(open_database(site.journal))
    key = connection.key_of(source)
    folder = Folder(key, Tree(source.folder), source.matcher(), journal)
    first, ours, plain, find = Stopwatch(), Stopwatch(), Stopwatch(), Stopwatch()
    with first.timing():
        list(folder.scan(Scan(key, "")))
    for _ in range(5):
        with plain.timing():
            listed = _list(site.drive)
        with ours.timing():
            facts = list(folder.scan(Scan(key, "")))
        with find.timing():
            _find(site.drive)
    journal.close()

    assert listed == FILES
    assert [type(fact) for fact in facts] == [Scanned]
    ratio = ours.took_s / plain.took_s
    record(
        Row(
            f"scan of {FILES:,} files, nothing changed",
            f"{ours.took_s:.2f} s ({first.took_s:.2f} s after a start)",
            {"scandir and stat": f"{plain.took_s:.2f} s", "find": f"{find.took_s:.2f} s"},
            ratio=f"{ratio:.2f} of scandir and stat",
            target=f"<= {SCAN_RATIO}",
            is_met=ratio <= SCAN_RATIO,
        )
    )


def test_watching_a_large_drive_needs_little_memory(site: Site) -> None:
    """The daemon runs for months beside other programs; memory must not grow by scanning."""
    with site.daemon("watching") as daemon:
        _wait_for_rest(site, daemon)
        first_mb, _ = memory_mb(daemon.pid)
        for _ in range(SCANS):
            assert site.call("sync").returncode == 0
        last_mb, peak_mb = memory_mb(daemon.pid)
        idle_share = _idle_share(daemon)
        daemon.terminate()

    say(
        f"daemon watching {FILES:,} files in {FOLDERS:,} folders",
        f"{last_mb:.0f} MB after {SCANS} more scans, {first_mb:.0f} MB after the first",
        f"<= {MEMORY_MB} MB",
        f"peak {peak_mb:.0f} MB",
        is_met=last_mb <= MEMORY_MB,
    )
    say(
        f"the same daemon, idle for {IDLE_S:.0f} s",
        f"{idle_share:.2%} of a core",
        "none set",
        "between two scans",
    )


def _wait_for_rest(site: Site, daemon: DaemonProgram) -> None:
    def rests() -> bool:
        keeper = seen.daemon if (seen := site.status()) else None
        return keeper is not None and keeper.pid == daemon.pid and keeper.is_idle

    wait_until(rests, "the first scan is over", 120.0)


def _idle_share(daemon: DaemonProgram) -> float:
    began_s, used_s = monotonic(), processor_s(daemon.pid)
    wait_until(lambda: monotonic() - began_s >= IDLE_S, "the idle time passed", 2 * IDLE_S)
    return (processor_s(daemon.pid) - used_s) / (monotonic() - began_s)


def _list(folder: Path) -> int:
    """Look at every file below the folder; return how many there are."""
    found, below = 0, [str(folder)]
    while below:
        with os.scandir(below.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    found += 1
    return found


def _find(folder: Path) -> None:
    """Let find look at every file, as a script of an administrator would."""
    if program := shutil.which("find"):
        subprocess.run([program, str(folder), "-type", "f", "-newermt", "2100-01-01"], check=True)
