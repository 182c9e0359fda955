# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The watches are kept on a thread of their own, which a hung drive may block."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import pytest
from runtime_scene import BIM, CAD, WAIT_S

from twinsyncd.core.facts import Fact, HintsLost
from twinsyncd.disk.protocols import PathFilter
from twinsyncd.runtime.watch_supervisor import WatchSupervisor


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
        self.watched: list[str] = []
        self.stopped = False

    def watch(self, source: str, folder: Path, wanted: PathFilter) -> None:
        self.entered.set()
        if self.gate is not None:
            assert self.gate.wait(WAIT_S)
        self.watched.append(source)

    def check(self) -> None:
        pass

    def trouble(self) -> dict[str, str]:
        return {}

    def stop(self) -> None:
        self.stopped = True


def no_news(fact: Fact) -> None:
    """Stand for an inbox that must hear nothing."""
    raise AssertionError(fact)


WATCHED: dict[str, tuple[Path, PathFilter]] = {
    CAD: (Path("cad"), Everything()),
    BIM: (Path("bim"), Everything()),
}


def test_every_source_is_watched_while_the_context_lasts() -> None:
    """HintPoster are what makes a local save arrive at once."""
    watcher = FakeWatcher()

    with WatchSupervisor(watcher, WATCHED, no_news, begin_s=WAIT_S):
        assert watcher.watched == [CAD, BIM], "the first scan comes after"
        assert not watcher.stopped

    assert watcher.watched == [CAD, BIM]
    assert watcher.stopped


def test_a_hung_drive_does_not_hold_the_start_up() -> None:
    """WatchSupervisor lists the whole tree, and on a dead server that takes minutes (P9)."""
    watcher = FakeWatcher(gate=threading.Event())

    with WatchSupervisor(watcher, WATCHED, queue.Queue[Fact]().put, begin_s=0.0):
        assert watcher.entered.wait(WAIT_S)
        assert watcher.watched == []
        assert watcher.gate is not None
        watcher.gate.set()

    assert watcher.stopped


def test_a_watch_that_begins_late_asks_for_another_scan() -> None:
    """What was saved between the first scan and the watch would wait for the next scan."""
    watcher = FakeWatcher(gate=threading.Event())
    heard: queue.Queue[Fact] = queue.Queue()

    with WatchSupervisor(watcher, WATCHED, heard.put, begin_s=0.0):
        assert watcher.gate is not None
        watcher.gate.set()
        lost = [heard.get(timeout=WAIT_S) for _ in WATCHED]

    assert [fact.source for fact in lost if isinstance(fact, HintsLost)] == [CAD, BIM]


def test_the_watches_end_when_the_work_ends_badly() -> None:
    """A thread that goes on posting into a closed inbox would keep the process alive."""
    watcher = FakeWatcher()

    with pytest.raises(ZeroDivisionError), WatchSupervisor(watcher, WATCHED, no_news):
        raise ZeroDivisionError

    assert watcher.stopped
