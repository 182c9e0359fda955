"""The watches are kept on a thread of their own, which a hung drive may block."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from runtime_scene import BIM, CAD, WAIT_S

from twinsyncd.disk.protocols import Wanted
from twinsyncd.runtime.watching import Watching


class Everything:
    """All files matter."""

    def file(self, path: str) -> bool:
        return True

    def folder(self, path: str) -> bool:
        return True


class FakeWatcher:
    """Notes what it is asked; `gate` holds the first watch up as a hung drive does."""

    def __init__(self, gate: threading.Event | None = None) -> None:
        self.gate = gate
        self.entered = threading.Event()
        self.all_watched = threading.Event()
        self.watched: list[str] = []
        self.stopped = False

    def watch(self, source: str, folder: Path, wanted: Wanted) -> None:
        self.entered.set()
        if self.gate is not None:
            assert self.gate.wait(WAIT_S)
        self.watched.append(source)
        if len(self.watched) == 2:
            self.all_watched.set()

    def check(self) -> None:
        pass

    def trouble(self) -> dict[str, str]:
        return {}

    def stop(self) -> None:
        self.stopped = True


WATCHED: dict[str, tuple[Path, Wanted]] = {
    CAD: (Path("cad"), Everything()),
    BIM: (Path("bim"), Everything()),
}


def test_every_source_is_watched_while_the_context_lasts() -> None:
    """Hints are what makes a local save arrive at once."""
    watcher = FakeWatcher()

    with Watching(watcher, WATCHED):
        assert watcher.all_watched.wait(WAIT_S)
        assert not watcher.stopped

    assert watcher.watched == [CAD, BIM]
    assert watcher.stopped


def test_a_hung_drive_does_not_hold_the_start_up() -> None:
    """Watching lists the whole tree, and on a dead server that takes minutes (P9)."""
    watcher = FakeWatcher(gate=threading.Event())

    with Watching(watcher, WATCHED):
        assert watcher.entered.wait(WAIT_S)
        assert watcher.watched == []
        assert watcher.gate is not None
        watcher.gate.set()

    assert watcher.stopped


def test_the_watches_end_when_the_work_ends_badly() -> None:
    """A thread that goes on posting into a closed inbox would keep the process alive."""
    watcher = FakeWatcher()

    with pytest.raises(ZeroDivisionError), Watching(watcher, WATCHED):
        raise ZeroDivisionError

    assert watcher.stopped
