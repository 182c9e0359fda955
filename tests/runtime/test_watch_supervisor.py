# mypy: disable-error-code="arg-type,dict-item"
# Keys, ids and digests are written as plain text here.
"""The watches are kept on a thread of their own, which a hung drive may block."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import pytest
from runtime_scene import BIM, CAD, WAIT_S

from twinsyncd.core.facts import Fact, HintsDegraded, HintsLost
from twinsyncd.disk.protocols import PathFilter
from twinsyncd.runtime.watch_supervisor import WatchSupervisor


class Everything:
    """All files matter."""

    def file(self, path: str) -> bool:
        return True

    def name(self, name: str) -> bool:
        return True

    def folder(self, path: str) -> bool:
        return True


class FakeWatcher:
    """Notes what it is asked; `hung` sources wait for `gate`, as a hung drive does."""

    def __init__(self, *hung: str) -> None:
        self.hung = hung
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.watched: queue.Queue[str] = queue.Queue()
        self.checked: queue.Queue[str] = queue.Queue()
        self.stopped = False
        self.troubled: dict[str, str] = {}

    def watch(self, source: str, folder: Path, wanted: PathFilter) -> None:
        self._use(source)
        self.watched.put(source)

    def check(self, source: str) -> None:
        self._use(source)
        self.checked.put(source)

    def trouble(self) -> dict[str, str]:
        return self.troubled

    def stop(self) -> None:
        self.stopped = True

    def _use(self, source: str) -> None:
        if source in self.hung:
            self.entered.set()
            assert self.gate.wait(WAIT_S)


def no_news(fact: Fact) -> None:
    """Be an inbox that must receive nothing."""
    raise AssertionError(fact)


WATCHED: dict[str, tuple[Path, PathFilter]] = {
    CAD: (Path("cad"), Everything()),
    BIM: (Path("bim"), Everything()),
}


def test_every_source_is_watched_while_the_context_lasts() -> None:
    """Hints are what makes a local save arrive at once."""
    watcher = FakeWatcher()

    with WatchSupervisor(watcher, WATCHED, no_news, begin_s=WAIT_S):
        names = {watcher.watched.get_nowait() for _ in WATCHED}  # the first scan comes after
        assert not watcher.stopped

    assert names == {CAD, BIM}
    assert watcher.stopped


def test_a_hung_drive_delays_neither_the_start_nor_the_other_watches_nor_the_stop() -> None:
    """Watching lists the whole tree, and on a dead server that takes minutes (P14)."""
    watcher = FakeWatcher(CAD)

    with WatchSupervisor(watcher, WATCHED, no_news, begin_s=0.0, check_s=0.001):
        assert watcher.entered.wait(WAIT_S)
        assert watcher.watched.get(timeout=WAIT_S) == BIM
        assert {watcher.checked.get(timeout=WAIT_S) for _ in range(3)} == {BIM}

    assert watcher.stopped
    watcher.gate.set()


def test_a_watch_that_begins_late_asks_for_another_scan() -> None:
    """What was saved between the first scan and the watch would wait for the next scan."""
    watcher = FakeWatcher(CAD)
    posted: queue.Queue[Fact] = queue.Queue()

    with WatchSupervisor(watcher, {CAD: WATCHED[CAD]}, posted.put, begin_s=0.0):
        assert watcher.entered.wait(WAIT_S)
        watcher.gate.set()
        lost = posted.get(timeout=WAIT_S)

    assert lost == HintsLost(CAD, "watched only after the first scan")


def test_a_drive_that_hangs_later_is_left_to_a_scan() -> None:
    """Only a scan can say that it is offline, and the next one may be minutes away."""
    watcher = FakeWatcher()
    posted: queue.Queue[Fact] = queue.Queue()

    with WatchSupervisor(watcher, WATCHED, posted.put, check_s=0.001, hung_s=0.01):
        watcher.hung = (CAD,)
        lost = posted.get(timeout=WAIT_S)

        assert watcher.checked.get(timeout=WAIT_S)
        watcher.gate.set()

    assert lost == HintsLost(CAD, "the drive does not answer")


def test_sources_of_one_drive_are_checked_one_after_the_other() -> None:
    """A thread for each of a thousand checks costs more than the checks."""
    watcher = FakeWatcher()
    watched = {f"{number}": (Path("cad"), Everything()) for number in range(5)}

    with WatchSupervisor(watcher, watched, no_news, begin_s=WAIT_S, check_s=0.001):
        checked = [watcher.checked.get(timeout=WAIT_S) for _ in watched]

    assert checked == list(watched)


def test_a_folder_that_hangs_leaves_the_others_of_its_drive_to_another_thread() -> None:
    """It may lead to a share, while the drive that the others lie on is well (P14)."""
    watcher = FakeWatcher()
    posted: queue.Queue[Fact] = queue.Queue()
    same = {CAD: WATCHED[CAD], BIM: (WATCHED[CAD][0], Everything())}
    watcher.hung = (CAD,)
    watcher.gate.set()

    with WatchSupervisor(watcher, same, posted.put, begin_s=WAIT_S, check_s=0.001, hung_s=0.01):
        watcher.gate.clear()
        lost = posted.get(timeout=WAIT_S)
        while not watcher.checked.empty():
            watcher.checked.get()
        assert {watcher.checked.get(timeout=WAIT_S) for _ in range(3)} == {BIM}
        watcher.gate.set()

    assert lost == HintsLost(CAD, "the drive does not answer")


def test_trouble_of_a_watch_is_posted_once_and_its_end_too() -> None:
    """A person reads the limit that was reached and raises it; the log alone is not read."""
    watcher = FakeWatcher()
    watcher.troubled = {CAD: "the limit of inotify watches is reached"}
    posted: queue.Queue[Fact] = queue.Queue()

    with WatchSupervisor(watcher, WATCHED, posted.put, begin_s=WAIT_S, check_s=0.001):
        first = posted.get(timeout=WAIT_S)
        for _ in range(4):
            watcher.checked.get(timeout=WAIT_S)
        assert posted.empty()
        watcher.troubled = {}
        second = posted.get(timeout=WAIT_S)

    assert first == HintsDegraded(CAD, "the limit of inotify watches is reached")
    assert second == HintsDegraded(CAD, "")


def test_the_watches_end_when_the_work_ends_badly() -> None:
    """A thread that goes on posting into a closed inbox would keep the process alive."""
    watcher = FakeWatcher()

    with pytest.raises(ZeroDivisionError), WatchSupervisor(watcher, WATCHED, no_news):
        raise ZeroDivisionError

    assert watcher.stopped
