"""Sources of one drive share its threads, and none of them can keep the others from working."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from runtime_scene import WAIT_S, Clock

from twinsyncd.errors import ShareSilent
from twinsyncd.runtime.drive_threads import FEWEST, SLOW_S, THREADS, THREADS_IN_ALL, Drives
from twinsyncd.runtime.share_threads import HUNG_MAX, RISK_S, SILENCE_S, ShareThreads
from twinsyncd.runtime.threads import IDLE_S

MANY = 100


class Site:
    """Sources on drives that are named by the first part of their folders."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.drives = Drives(lambda folder: folder.parts[0], clock=self.clock)
        self.gate = threading.Event()
        self.lock = threading.Lock()
        self.begun = threading.Semaphore(0)
        self.running = 0
        self.most = 0

    def source(self, folder: str) -> ShareThreads:
        """Return the threads of a source."""
        return ShareThreads(
            folder,
            clock=self.clock,
            wall=self.clock,
            check_s=0.001,
            drives=self.drives,
            folder=Path(folder),
        )

    def hang(self) -> None:
        """Hang until the end of the test."""
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.begun.release()
        self.gate.wait(WAIT_S)
        with self.lock:
            self.running -= 1

    def await_begun(self, jobs: int) -> None:
        """Wait until so many more jobs hang."""
        for _ in range(jobs):
            assert self.begun.acquire(timeout=WAIT_S)

    def give_up(self, after_s: float = SILENCE_S + 1) -> None:
        """Let time pass, and look for silence."""
        self.clock.now_s += after_s
        self.drives.check()


@pytest.fixture
def site() -> Iterator[Site]:
    """Drives of which every thread ends with the test."""
    before = set(threading.enumerate())
    opened = Site()
    yield opened
    opened.drives.stop()
    opened.gate.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(WAIT_S)
        assert not thread.is_alive()


def is_silent(future: Future[Any]) -> bool:
    """Return whether the job ended as one of a silent share."""
    return isinstance(future.exception(WAIT_S), ShareSilent)


def threads_of(drive: str) -> int:
    """Return how many threads a drive has."""
    return sum(thread.name == f"drive-{drive}" for thread in threading.enumerate())


def test_many_sources_need_no_more_threads_than_one(site: Site) -> None:
    """A thousand connections on one share had a dozen threads each."""
    sources = [site.source(f"cad/{number}") for number in range(MANY)]

    futures = [each.submit(site.hang) for each in sources for _ in range(3)]
    site.await_begun(THREADS)
    site.gate.set()

    assert [future.result(WAIT_S) for future in futures] == [None] * 3 * MANY
    assert site.most == THREADS


def test_many_drives_share_the_threads_of_the_machine(site: Site) -> None:
    """Each keeps the few that it needs to go on by itself."""
    for number in range(THREADS_IN_ALL):
        site.source(f"{number}/cad").call(lambda: None)

    busy = [site.source("0/cad").submit(site.hang) for _ in range(THREADS)]
    site.await_begun(FEWEST)
    site.gate.set()

    assert [future.result(WAIT_S) for future in busy] == [None] * THREADS
    assert site.most == FEWEST


def test_scans_leave_threads_to_what_people_wait_for(site: Site) -> None:
    """After a start a thousand scans wait; an upload must not wait behind them."""
    sources = [site.source(f"cad/{number}") for number in range(MANY)]
    for each in sources:
        each.submit(site.hang, in_background=True)

    assert sources[-1].call(lambda: "read") == "read"
    assert site.most < THREADS


def test_one_source_leaves_threads_to_the_others_of_its_drive(site: Site) -> None:
    """Its folder may lead to a share that hangs, while the drive itself is well (P14)."""
    linked, other = site.source("cad/link"), site.source("cad/one")
    other.call(lambda: None)
    for _ in range(2 * THREADS):
        linked.submit(site.hang)

    assert other.call(lambda: "read") == "read"


def test_a_source_that_hangs_alone_silences_no_other(site: Site) -> None:
    """What waits for a drive that answers must not end as if it were offline."""
    linked, other = site.source("cad/link"), site.source("cad/one")
    hung = linked.submit(site.hang)
    site.await_begun(1)
    site.clock.now_s += 1
    other.call(lambda: None)

    site.give_up()

    assert is_silent(hung)
    assert other.submit(lambda: "read").result(WAIT_S) == "read"


def test_a_drive_has_answered_before_anybody_has_the_answer(site: Site) -> None:
    """A look for silence in between would end what waits, although the drive just answered."""
    source = site.source("cad/one")
    drive = site.drives.of(Path("cad/one"), source)
    answered: Queue[float] = Queue()

    future = source.submit(site.hang)
    future.add_done_callback(lambda _: answered.put(drive.answered_s))
    site.gate.set()

    assert answered.get(timeout=WAIT_S) == site.clock.now_s


def test_a_scan_that_waited_for_a_place_begins_once_hung_ones_are_given_up(site: Site) -> None:
    """A thread may be idle meanwhile, since it is kept for reads; it must notice at once."""
    sources = [site.source(f"cad/{number}") for number in range(THREADS)]
    for each in sources[: THREADS - THREADS // 3]:
        each.submit(site.hang, in_background=True)
    site.await_begun(THREADS - THREADS // 3)
    waiting = sources[-1].submit(lambda: "scanned", in_background=True)
    site.clock.now_s += 1
    sources[-2].call(lambda: None)
    began_too_early = waiting.done()

    site.give_up()

    assert not began_too_early
    assert waiting.result(IDLE_S / 2) == "scanned"


def test_a_drive_that_hangs_ends_what_waits_of_all_its_sources(site: Site) -> None:
    """Else each would wait its own minute, one dozen after the other."""
    sources = [site.source(f"cad/{number}") for number in range(MANY)]
    futures = [each.submit(site.hang) for each in sources]
    site.await_begun(THREADS)

    site.give_up()

    assert all(map(is_silent, futures))


def test_what_waits_behind_jobs_that_hang_is_slow_too(site: Site) -> None:
    """Its sources are not listed either, and nothing is to wait for them."""
    sources = [site.source(f"cad/{number}") for number in range(MANY)]
    for each in sources:
        each.submit(site.hang)
    site.await_begun(THREADS)
    soon = [each for each in sources if each.silence()]

    site.clock.now_s += SLOW_S + 1

    assert soon == []
    assert all(each.silence() for each in sources)


def test_what_waits_on_a_drive_that_answers_is_not_slow(site: Site) -> None:
    """It only waits its turn; one source hangs alone."""
    hung, other = site.source("cad/link"), site.source("cad/one")
    hung.submit(site.hang)
    site.await_begun(1)
    site.clock.now_s += SLOW_S + 1
    other.call(lambda: None)

    assert hung.silence()
    assert other.silence() is None


def test_a_drive_that_hangs_delays_no_other_drive(site: Site) -> None:
    """It has its own threads alone (P14)."""
    for number in range(MANY):
        site.source(f"hung/{number}").submit(site.hang)

    assert site.source("bim/one").call(lambda: "read") == "read"


def test_threads_that_hang_are_bounded_for_all_sources_of_a_drive(site: Site) -> None:
    """A thousand connections try a share that is away, each of them again and again."""
    sources = [site.source(f"cad/{number}") for number in range(MANY)]
    for each in sources:
        future = each.submit(site.hang)
        if not future.done():
            site.await_begun(1)
            site.give_up()
        assert is_silent(future)

    assert threads_of("cad") <= HUNG_MAX + 1 + HUNG_MAX * SILENCE_S / RISK_S


def test_a_drive_that_answers_again_works_for_all_its_sources(site: Site) -> None:
    """Not only for the one that happened to try it."""
    one, two = site.source("cad/one"), site.source("cad/two")
    hung = one.submit(site.hang)
    site.await_begun(1)
    site.give_up()
    assert is_silent(hung)
    tried = one.submit(site.hang)
    site.await_begun(1)
    meanwhile = two.submit(lambda: "read")

    site.gate.set()
    tried.result(WAIT_S)

    assert is_silent(meanwhile)
    assert two.call(lambda: "read") == "read"
