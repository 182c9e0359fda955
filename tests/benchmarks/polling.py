"""Polls a drive as one program does, in a process of its own.

`python -m benchmarks.polling POLLER CONFIG SECONDS` prints the processor seconds of so long, with
PAUSE_S between two passes, and the most memory, as JSON. CONFIG is that of a site whose journal
knows the drive. POLLER is `twinsyncd`, `watchdog` or `watchfiles`.
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
POLLERS: Final = ("twinsyncd", "watchdog", "watchfiles")


@contextmanager
def scanning(config_file: Path) -> Iterator[Callable[[threading.Event], None]]:
    """Yield what scans the first source as the daemon does, until the event is set."""
    from twinsyncd.config import load, sources_of  # noqa: PLC0415
    from twinsyncd.core.commands import Scan  # noqa: PLC0415
    from twinsyncd.core.facts import Scanned  # noqa: PLC0415
    from twinsyncd.disk.folder import Folder  # noqa: PLC0415
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

    def poll(ended: threading.Event) -> None:
        while not ended.wait(PAUSE_S):
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
