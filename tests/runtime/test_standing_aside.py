# mypy: disable-error-code="arg-type,dict-item"
# Keys and digests are written as plain text here.
"""Uploads of a share that hangs take no thread and no memory from those of other shares (P14)."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from runtime_scene import BIM, CAD, STORE, WAIT_S, Clock, FakeFolder, FakeTarget, Letterbox

from twinsyncd.core import facts
from twinsyncd.core.model import FileKey
from twinsyncd.runtime.drive_threads import SLOW_S
from twinsyncd.runtime.share_folder import Share
from twinsyncd.runtime.share_threads import ShareThreads
from twinsyncd.runtime.threads import Threads, standing_aside
from twinsyncd.runtime.workers import Workers

THREADS = 2
OTHER = replace(STORE, key=FileKey(BIM, "a.dgn"))


class Lender:
    """Counts who gives back, for a while, what it holds."""

    def __init__(self) -> None:
        self.lent = 0
        self._lock = threading.Lock()

    @contextmanager
    def lend(self) -> Iterator[None]:
        """Lend it until the end of the context."""
        with self._lock:
            self.lent += 1
        yield
        with self._lock:
            self.lent -= 1


def share(folder: FakeFolder, name: str, clock: Clock) -> Share:
    """Return a share that is never given up, and looks at the clock all the time."""
    return Share(folder, ShareThreads(name, math.inf, clock=clock, wall=clock, check_s=0.001))


def test_uploads_that_hang_leave_their_threads_to_other_shares() -> None:
    """Each waits for a minute, until its share is given up, and there are two dozen in all."""
    clock, letters, lender = Clock(), Letterbox(), Lender()
    gate = threading.Event()
    hung = FakeFolder(gate=gate)
    shares = {CAD: share(hung, "cad", clock), BIM: share(FakeFolder(), "bim", clock)}
    targets = {"one": FakeTarget()}

    def post(fact: facts.Fact) -> None:
        if isinstance(fact, facts.Stored):
            letters.put(fact)

    workers = Workers(shares, targets, post, THREADS, clock=clock, lend=lender.lend)
    for number in range(THREADS):
        workers.begin(replace(STORE, key=FileKey(CAD, f"{number}.dgn")))
    workers.begin(OTHER)

    while letters.empty():
        clock.now_s += SLOW_S
        gate.wait(0.001)
    first, is_lent = letters.next(), lender.lent > 0
    gate.set()
    others = [letters.next() for _ in range(THREADS)]

    assert first == facts.Stored(OTHER.key, OTHER.digest, "item-1")
    assert len(others) == THREADS
    assert (is_lent, lender.lent) == (True, 0)
    workers.stop()


@pytest.fixture
def pool() -> Iterator[Threads]:
    """Two threads that may stand aside."""
    made = Threads("upload", THREADS, lend=Lender().lend)
    yield made
    made.stop()


def test_a_pool_is_no_larger_after_some_stood_aside(pool: Threads) -> None:
    """Those that came in their places and those that came back would be twice as many."""
    back, go_on = threading.Event(), threading.Event()
    lock, counts = threading.Lock(), {"running": 0, "most": 0}

    def hang() -> None:
        with standing_aside():
            assert back.wait(WAIT_S)

    def work() -> None:
        with lock:
            counts["running"] += 1
            counts["most"] = max(counts["most"], counts["running"])
        assert go_on.wait(WAIT_S)
        with lock:
            counts["running"] -= 1

    hung = [pool.submit(hang) for _ in range(THREADS)]
    pool.submit(lambda: None).result(WAIT_S)
    back.set()
    for each in hung:
        each.result(WAIT_S)
    busy = [pool.submit(work) for _ in range(3 * THREADS)]
    go_on.set()
    for each in busy:
        each.result(WAIT_S)

    assert counts["most"] <= THREADS


def test_whoever_belongs_to_no_pool_stands_aside_without_effect() -> None:
    """Commands ask shares on their own thread."""
    plain = Threads("plain", 1)

    with standing_aside():
        pass

    def work() -> str:
        with standing_aside():
            return "done"

    assert plain.submit(work).result(WAIT_S) == "done"
    plain.stop()
