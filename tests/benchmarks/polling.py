"""Polls a drive as one program does, in a process of its own.

`python -m benchmarks.polling POLLER CONFIG SECONDS` prints the processor seconds of so long, with
PAUSE_S between two passes, and the most memory, as JSON. CONFIG is that of a site whose journal
knows the drive. POLLER is `twinsyncd`, which scans all in each pass; `recent`, which is twinsyncd
as it is: it scans every minute, and looks into the folders with the newest changes in each pass;
`watchdog` or `watchfiles`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Final

from .figures import memory_mb

PAUSE_S: Final = 5.0
POLLERS: Final = ("twinsyncd", "recent", "watchdog", "watchfiles")
SCAN_S: Final = 60.0  # between two scans of a share


@contextmanager
def scanning(
    config_file: Path, *, every_s: float = PAUSE_S
) -> Iterator[Callable[[threading.Event], None]]:
    """Yield what scans the first source as the daemon does, until the event is set.

    In the passes between two scans it looks into the folders with the newest changes.
    """
    from twinsyncd.config import load, sources_of  # noqa: PLC0415
    from twinsyncd.core.commands import Scan  # noqa: PLC0415
    from twinsyncd.core.facts import Scanned  # noqa: PLC0415
    from twinsyncd.disk.folder import Folder  # noqa: PLC0415
    from twinsyncd.disk.recent_folders import FOLDERS_MAX, RecentFolders  # noqa: PLC0415
    from twinsyncd.disk.tree import Tree  # noqa: PLC0415
    from twinsyncd.journal.database import open_database  # noqa: PLC0415
    from twinsyncd.journal.writer import Journal  # noqa: PLC0415
    from twinsyncd.runtime.state import journal_file  # noqa: PLC0415

    config = load(config_file, {})
    connection, source = next(sources_of(config))
    journal = Journal(open_database(journal_file(config)))
    key = connection.key_of(source)
    folder = Folder(key, Tree(source.folder), source.matcher(), journal)

    def scan() -> None:
        (fact,) = folder.scan(Scan(key, ""))
        assert isinstance(fact, Scanned)

    folders = sorted(journal.folders(key))[:FOLDERS_MAX]
    recent = RecentFolders(
        lambda _: None, key, Tree(source.folder), source.matcher(), lambda _: folders
    )

    def poll(ended: threading.Event) -> None:
        due_s = time.monotonic() + every_s
        while not ended.wait(PAUSE_S):
            if time.monotonic() < due_s:
                recent.look()
            else:
                due_s += every_s
                scan()

    scan()
    yield poll
    journal.close()


@contextmanager
def comparing_snapshots(drive: Path) -> Iterator[Callable[[threading.Event], None]]:
    """Yield what watchdog's polling observer does, without its threads."""
    from watchdog.utils.dirsnapshot import (  # noqa: PLC0415
        DirectorySnapshot,
        DirectorySnapshotDiff,
    )

    before = DirectorySnapshot(str(drive))

    def poll(ended: threading.Event) -> None:
        nonlocal before
        while not ended.wait(PAUSE_S):
            now = DirectorySnapshot(str(drive))
            assert not DirectorySnapshotDiff(before, now).files_modified
            before = now

    yield poll


@contextmanager
def watching_files(drive: Path) -> Iterator[Callable[[threading.Event], None]]:
    """Yield what waits for watchfiles, which polls on a thread of its own."""
    watch = import_module("watchfiles").watch  # a peer that need not be installed

    def poll(ended: threading.Event) -> None:
        pause_ms = int(PAUSE_S * 1000)
        changes = watch(drive, force_polling=True, poll_delay_ms=pause_ms, stop_event=ended)
        assert not list(changes)

    yield poll


def main(poller: str, config_file: Path, seconds: float) -> None:
    """Poll so long, and print what that cost."""
    drive = config_file.parent / "drive"
    pollers = {
        "twinsyncd": lambda: scanning(config_file),
        "recent": lambda: scanning(config_file, every_s=SCAN_S),
        "watchdog": lambda: comparing_snapshots(drive),
        "watchfiles": lambda: watching_files(drive),
    }
    ended = threading.Event()
    with pollers[poller]() as poll:
        begun_s, used_s = time.monotonic(), time.process_time()
        threading.Timer(seconds, ended.set).start()
        poll(ended)
        cost = {
            "processor_s": time.process_time() - used_s,
            "seconds": time.monotonic() - begun_s,
            "peak_mb": memory_mb(os.getpid())[1],
        }
    print(json.dumps(cost), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
