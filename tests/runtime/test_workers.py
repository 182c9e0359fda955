# mypy: disable-error-code="arg-type,dict-item"
# Keys, ids and digests are written as plain text here.
"""Every command is answered by exactly one closing fact, whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from runtime_scene import (
    BIM,
    CAD,
    LOOK,
    STAGE,
    STORE,
    WAIT_S,
    A,
    Clock,
    FakeFolder,
    FakeTarget,
    Letterbox,
)
from structlog.testing import capture_logs

from twinsyncd.core import commands, facts
from twinsyncd.core.model import (
    Failure,
    Fault,
    FileKey,
    Fingerprint,
)
from twinsyncd.core.results import Outcome
from twinsyncd.errors import CloudError, DiskError, FileMoved, ShareSilent
from twinsyncd.runtime.drive_threads import SLOW_S
from twinsyncd.runtime.formatting import clock_time
from twinsyncd.runtime.share_content import ShareContent
from twinsyncd.runtime.share_folder import Share
from twinsyncd.runtime.share_pulse import PULSE_S
from twinsyncd.runtime.share_threads import HUNG_MAX, PROBE_S, RISK_S, THREADS, ShareThreads
from twinsyncd.runtime.threads import GivenUpError
from twinsyncd.runtime.workers import (
    CALL_PATIENCE_S,
    CALL_THREADS,
    LONG_PATIENCE_S,
    Workers,
)

SILENCE_S = 60.0
SCAN = commands.Scan(CAD, "drive")
LOOK_AT = commands.LookAt(CAD, ("a.dgn", "b.dgn"))
HASH = commands.Hash(A, LOOK)
PREPARE = commands.Prepare("one", "", ())
START = commands.StartRun("one", "remote")
FIND = commands.FindRun("one", "remote")
LOOK_AT_RUN = commands.LookAtRun("one", "run-1")
CALLS = (PREPARE, START, FIND, LOOK_AT_RUN)
FAILURE = Failure(Fault.THROTTLED, "slow down", 7.0, "request-9")


class Scene:
    """Workers with one folder and one target, and a second folder for what must go on."""

    def __init__(self) -> None:
        self.folder = FakeFolder(files={"a.dgn": LOOK}, scans=(facts.Scanned(CAD, "drive", 0),))
        self.other = FakeFolder(files={"a.dgn": LOOK})
        self.target = FakeTarget()
        self.letters = Letterbox()
        self.clock = Clock()
        self.threads = ShareThreads("cad", SILENCE_S, clock=self.clock, wall=self.clock)
        self.shares = {
            CAD: Share(self.folder, self.threads),
            BIM: Share(self.other, ShareThreads("bim", clock=self.clock, wall=self.clock)),
        }
        self.targets = {"one": self.target}
        self.workers = Workers(self.shares, self.targets, self.letters.put, 2, clock=self.clock)

    def answer(self, command: commands.Command) -> list[facts.Fact]:
        """Carry one command out; return all that was posted until the hand was free again."""
        self.workers.begin(command)
        posted = [self.letters.next()]
        while isinstance(posted[-1], facts.FilesFound | facts.LookFailed | facts.Reserved):
            posted.append(self.letters.next())
        return posted


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Workers whose threads have all ended after the test, without a second answer."""
    before = set(threading.enumerate())
    scene = Scene()
    yield scene
    scene.workers.stop()
    for thread in set(threading.enumerate()) - before:
        thread.join(WAIT_S)
        assert not thread.is_alive()
    assert scene.letters.empty(), "a command was answered twice"


# ---- when all is well ---------------------------------------------------------------------


def test_a_scan_posts_its_parts_and_then_its_end(scene: Scene) -> None:
    """The machine receives files long before a large scan is over."""
    part = facts.FilesFound(CAD, (("a.dgn", LOOK),))
    end = facts.Scanned(CAD, "drive", 5)
    scene.folder.scans = (part, part, end)

    assert scene.answer(SCAN) == [part, part, end]


def test_looks_are_answered_together_and_failures_one_by_one(scene: Scene) -> None:
    """One locked file must not hide how the others look."""
    scene.folder.files["b.dgn"] = DiskError("permission denied")

    assert scene.answer(LOOK_AT) == [
        facts.LookFailed(FileKey(CAD, "b.dgn"), "permission denied"),
        facts.Looked(CAD, (("a.dgn", LOOK),)),
    ]


def test_a_file_that_is_not_there_is_a_look_like_any_other(scene: Scene) -> None:
    """Absence is information, not an error."""
    assert scene.answer(LOOK_AT) == [facts.Looked(CAD, (("a.dgn", LOOK), ("b.dgn", None)))]


def test_a_hash_answers_with_the_fingerprint_it_was_asked_for(scene: Scene) -> None:
    """The digest belongs to that look and to no other."""
    assert scene.answer(HASH) == [facts.Hashed(A, LOOK, "v1")]


def test_a_file_that_can_be_looked_at_and_not_read_fails_a_reading_look(scene: Scene) -> None:
    """Looking needs no right to read: such a file would count as repaired each time."""
    scene.folder.unreadable = DiskError("permission denied")
    plain, reading = commands.LookAt(CAD, ("a.dgn",)), commands.LookAt(CAD, ("a.dgn",), True)

    assert scene.answer(plain) == [facts.Looked(CAD, (("a.dgn", LOOK),))]
    assert scene.answer(reading) == [
        facts.LookFailed(A, "permission denied"),
        facts.Looked(CAD, ()),
    ]


def test_reading_again_fills_in_what_an_older_version_did_not_remember(scene: Scene) -> None:
    """Its journal had no change times; the whole drive must not be read at once for that."""
    now = scene.folder.files["a.dgn"] = replace(LOOK, ctime_ns=5)

    assert scene.answer(commands.Rehash(A, LOOK)) == [facts.Rehashed(A, now, "v1")]


@pytest.mark.parametrize("found", [None, replace(LOOK, mtime_ns=9), DiskError("locked")])
def test_what_is_not_as_remembered_is_not_read_again(
    scene: Scene, found: Fingerprint | DiskError | None
) -> None:
    """A look finds out what became of it."""
    scene.folder.files["a.dgn"] = found

    assert scene.answer(commands.Rehash(A, LOOK)) == [facts.Rehashed(A, None, "")]


def test_a_store_tells_the_item_before_it_is_done(scene: Scene) -> None:
    """The service's id must be durable even if the content never arrives."""
    assert scene.answer(STORE) == [
        facts.Reserved(A, "item-1"),
        facts.Stored(A, "v1", "item-1"),
    ]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (PREPARE, facts.Prepared("one", "remote", "")),
        (START, facts.RunStarted("one", "run-1")),
        (FIND, facts.RunFound("one", "run-1")),
        (LOOK_AT_RUN, facts.RunSeen("one", "run-1", Outcome.SUCCEEDED)),
    ],
)
def test_calls_are_answered_by_what_the_target_says(
    scene: Scene, command: commands.CloudCommand, answer: facts.Fact
) -> None:
    """Workers decide nothing; they only carry."""
    assert scene.answer(command) == [answer]


# ---- when it is not -----------------------------------------------------------------------


@pytest.mark.parametrize("error", [FileMoved("changed"), DiskError("share is away")])
@pytest.mark.parametrize("when", ["fails", "fails_on_verify"])
def test_a_store_of_a_file_that_moved_says_so(scene: Scene, error: DiskError, when: str) -> None:
    """It settles again: what was read was not the content that had settled (P1)."""
    setattr(scene.folder, when, error)

    assert scene.answer(STORE)[-1] == facts.StoreMoved(A)


def test_a_staging_reads_the_settled_content(scene: Scene) -> None:
    """It goes up as a store would send it, and only the target knows that it is not committed."""
    assert scene.answer(STAGE) == [facts.Staged(A, STAGE.digest)]

    assert scene.target.sent == b"abc"


@pytest.mark.parametrize("error", [FileMoved("changed"), DiskError("share is away")])
@pytest.mark.parametrize("when", ["fails", "fails_on_verify"])
def test_a_staging_of_a_file_that_moved_says_so(scene: Scene, error: DiskError, when: str) -> None:
    """It settles again; nothing of it was committed (P1)."""
    setattr(scene.folder, when, error)

    assert scene.answer(STAGE) == [facts.StageMoved(A)]


def test_a_hash_that_cannot_be_taken_says_why(scene: Scene) -> None:
    """The reason ends up in the status when it stays so."""
    scene.folder.fails = DiskError("locked")

    assert scene.answer(HASH) == [facts.HashMissed(A, "locked")]


def test_a_hash_of_a_file_that_moved_says_so(scene: Scene) -> None:
    """A file that is being written can be read, so it must not count as unreadable."""
    scene.folder.fails = FileMoved("changed")

    assert scene.answer(HASH) == [facts.HashMissed(A, "changed", moved=True)]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (STORE, facts.StoreFailed(A, FAILURE)),
        (STAGE, facts.StageFailed(A, FAILURE)),
        (PREPARE, facts.PrepareFailed("one", FAILURE)),
        (START, facts.StartFailed("one", FAILURE)),
        (FIND, facts.RunLookFailed("one", "", FAILURE)),
        (LOOK_AT_RUN, facts.RunLookFailed("one", "run-1", FAILURE)),
    ],
)
def test_a_failure_of_the_platform_reaches_the_machine_whole(
    scene: Scene, command: commands.CloudCommand, answer: facts.Fact
) -> None:
    """Its kind decides what happens next, its request id is what support asks for."""
    scene.target.fails = CloudError("call", FAILURE, status=429)

    assert scene.answer(command)[-1] == answer


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (SCAN, facts.ScanFailed),
        (HASH, facts.HashMissed),
        (STORE, facts.StoreFailed),
        (STAGE, facts.StageFailed),
        (PREPARE, facts.PrepareFailed),
        (START, facts.StartFailed),
        (FIND, facts.RunLookFailed),
        (LOOK_AT_RUN, facts.RunLookFailed),
    ],
)
def test_a_bug_is_logged_and_answered_all_the_same(
    scene: Scene, command: commands.Command, kind: type[facts.Fact]
) -> None:
    """A command without an answer would keep its lane waiting for ever."""
    scene.folder.fails = scene.target.fails = ZeroDivisionError("a bug")

    with capture_logs() as logs:
        answer = scene.answer(command)[-1]

    assert isinstance(answer, kind)
    assert "a bug" in repr(answer)
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("command.broke", "error")
    assert line["command"] == type(command).__name__


def test_an_internal_error_of_a_start_leaves_the_doubt(scene: Scene) -> None:
    """The request may have left before the bug: only TRANSIENT makes the machine look (P3)."""
    scene.target.fails = ZeroDivisionError("a bug")

    (answer,) = scene.answer(START)

    assert isinstance(answer, facts.StartFailed)
    assert answer.failure.fault is Fault.TRANSIENT


def test_a_bug_in_a_look_is_answered_by_a_fact_that_closes_the_look(scene: Scene) -> None:
    """A scan that nobody began must not end, and the file must be looked at again."""
    scene.folder.fails = ZeroDivisionError("a bug")

    with capture_logs():
        *unseen, closing = scene.answer(LOOK_AT)

    assert [fact.key.path for fact in unseen if isinstance(fact, facts.LookFailed)] == [
        "a.dgn",
        "b.dgn",
    ]
    assert closing == facts.Looked(CAD, ())


def test_a_scan_without_an_end_is_a_failed_scan(scene: Scene) -> None:
    """Were it taken for a whole one, all that it did not list would count as gone (P7)."""
    scene.folder.scans = (facts.FilesFound(CAD, (("a.dgn", LOOK),)),)

    with capture_logs():
        posted = scene.answer(SCAN)

    assert isinstance(posted[-1], facts.ScanFailed)


# ---- side by side -------------------------------------------------------------------------


def test_a_share_that_hangs_holds_nobody_else_up(scene: Scene) -> None:
    """A dead SMB server blocks a thread for minutes; other drives and the runs go on (P9)."""
    scene.folder.gate = threading.Event()
    for _ in range(THREADS + 2):
        scene.workers.begin(SCAN)
    assert scene.folder.entered.wait(WAIT_S)

    there = facts.Looked(BIM, (("a.dgn", LOOK),))
    assert scene.answer(commands.LookAt(BIM, ("a.dgn",))) == [there]
    assert scene.answer(LOOK_AT_RUN) == [facts.RunSeen("one", "run-1", Outcome.SUCCEEDED)]

    scene.folder.gate.set()
    for _ in range(THREADS + 2):
        assert isinstance(scene.letters.next(), facts.Scanned)


def test_long_uploads_do_not_delay_the_calls_about_runs(scene: Scene) -> None:
    """A poll that waits behind a 2 GB upload would miss the end of the run by an hour."""
    scene.folder.gate = threading.Event()
    for _ in range(3):
        scene.workers.begin(STORE)
    assert scene.folder.entered.wait(WAIT_S)

    assert scene.answer(LOOK_AT_RUN) == [facts.RunSeen("one", "run-1", Outcome.SUCCEEDED)]

    scene.folder.gate.set()
    posted = [scene.letters.next() for _ in range(6)]
    assert sum(isinstance(fact, facts.Stored) for fact in posted) == 3


def test_comparisons_that_hang_do_not_delay_the_calls_about_runs(scene: Scene) -> None:
    """Each may go on for hours at a server that sends drop by drop; a run has ended meanwhile."""
    gate = threading.Event()
    hung = scene.targets["hung"] = FakeTarget(gate=gate)
    for _ in range(CALL_THREADS):
        scene.workers.begin(commands.Compare("hung", "remote", (), ""))
    assert hung.entered.wait(WAIT_S)

    assert scene.answer(LOOK_AT_RUN) == [facts.RunSeen("one", "run-1", Outcome.SUCCEEDED)]

    gate.set()
    posted = [scene.letters.next() for _ in range(CALL_THREADS)]
    assert posted == [facts.Compared("hung")] * CALL_THREADS


def test_after_a_stop_nothing_is_begun_or_posted_and_nothing_waits(scene: Scene) -> None:
    """A service manager gives a few seconds; what was not begun dies with the process."""
    before = set(threading.enumerate())
    scene.folder.gate = threading.Event()
    for _ in range(THREADS + 3):
        scene.workers.begin(HASH)
    assert scene.folder.entered.wait(WAIT_S)

    scene.workers.stop()
    scene.folder.gate.set()

    for thread in set(threading.enumerate()) - before:
        thread.join(WAIT_S)
    assert scene.letters.empty()


def test_no_thread_of_the_workers_holds_the_process(scene: Scene) -> None:
    """The interpreter joins every other thread at exit: a hung call would delay a stop (P14)."""
    scene.folder.gate = scene.target.gate = threading.Event()
    before = set(threading.enumerate())
    for command in (SCAN, LOOK_AT, HASH, STORE, *CALLS):
        scene.workers.begin(command)
    assert scene.folder.entered.wait(WAIT_S)
    assert scene.target.entered.wait(WAIT_S)

    assert [thread for thread in set(threading.enumerate()) - before if not thread.daemon] == []

    scene.workers.stop()
    scene.folder.gate.set()


# ---- a share that does not answer ---------------------------------------------------------


@pytest.fixture
def hung(scene: Scene) -> Iterator[Scene]:
    """A share that answers nothing any more; it answers again after the test."""
    scene.folder.gate = threading.Event()
    yield scene
    scene.workers.stop()
    scene.folder.gate.set()


def begun(scene: Scene, command: commands.Command) -> None:
    """Begin a command that hangs."""
    scene.folder.entered.clear()
    scene.workers.begin(command)
    assert scene.folder.entered.wait(WAIT_S)


def give_up(scene: Scene, after_s: float = SILENCE_S + 1) -> None:
    """Let time pass, and look for silence."""
    scene.clock.now_s += after_s
    scene.threads.check()


def test_a_share_without_an_answer_is_reported_before_it_is_given_up(hung: Scene) -> None:
    """Nothing is to wait for it meanwhile (P14); it is reported once."""
    since_s = hung.clock.now_s
    begun(hung, SCAN)
    hung.clock.now_s += SLOW_S + 1
    hung.workers.check()
    hung.workers.check()
    give_up(hung)

    words = f"the drive does not answer since {clock_time(since_s)}"
    assert hung.letters.next() == facts.ShareSlow(CAD, words, since_s)
    assert hung.letters.next() == facts.ScanFailed(CAD, words, silent_since_s=since_s)
    assert isinstance(hung.letters.next(), facts.HintsLost)


def test_a_share_that_hangs_is_noticed_although_nobody_reads_from_it(hung: Scene) -> None:
    """It was "in sync" until the next scan, a minute and more later (P12)."""
    since_s = hung.clock.now_s
    hung.clock.now_s += PULSE_S
    hung.workers.check()
    assert hung.folder.being_asked.acquire(timeout=WAIT_S)
    hung.clock.now_s += SLOW_S + 0.5
    hung.workers.check()

    slow = hung.letters.next()

    assert hung.clock.now_s - since_s < 20.0
    assert isinstance(slow, facts.ShareSlow)
    assert slow.source == CAD


def test_a_scan_goes_on_without_the_folder_that_hangs(hung: Scene) -> None:
    """One dead server behind a folder must not hold up the whole source."""
    setattr(hung.folder, "ask", hung.folder.asked.release)  # noqa: B010 - only the scan hangs
    gate = hung.folder.gate
    assert gate is not None
    since_s = hung.clock.now_s
    begun(hung, SCAN)
    hung.folder.gate = None
    while hung.clock.now_s <= since_s + SILENCE_S:
        hung.clock.now_s += PULSE_S + 0.5
        hung.workers.check()
        if hung.threads.answered_s < hung.clock.now_s:
            assert hung.folder.asked.acquire(timeout=WAIT_S)
            hung.threads.call(lambda: None)

    words = f"a file or folder in it does not answer since {clock_time(since_s)}"
    assert hung.letters.next() == facts.ShareSlow(CAD, words, since_s)
    after = [hung.letters.next() for _ in range(2)]
    assert facts.Scanned(CAD, "drive", 0) in after
    assert facts.ShareAnswers(CAD) in after
    hung.folder.gate = gate


def test_a_share_that_answers_again_is_reported(hung: Scene) -> None:
    """Else it would not be known until the next scan."""
    hung.clock.now_s += PULSE_S
    hung.workers.check()
    assert hung.folder.being_asked.acquire(timeout=WAIT_S)
    hung.clock.now_s += SLOW_S + 0.5
    hung.workers.check()
    assert hung.folder.gate is not None
    hung.folder.gate.set()
    assert isinstance(hung.letters.next(), facts.ShareSlow)

    while hung.letters.empty():
        hung.workers.check()  # once the thread that hung has ended its work

    assert hung.letters.next() == facts.ShareAnswers(CAD)


def test_a_share_that_is_read_from_is_not_asked_besides(scene: Scene) -> None:
    """It has just answered; a thousand sources would ask without end."""
    scene.clock.now_s += PULSE_S
    assert scene.answer(LOOK_AT)
    scene.workers.check()

    assert scene.other.asked.acquire(timeout=WAIT_S)
    assert not scene.folder.asked.acquire(blocking=False)


def test_a_drive_is_silent_since_it_answered_last(hung: Scene) -> None:
    """Not since it was asked again: a person sees until when all was known."""
    assert hung.folder.gate is not None
    hung.folder.gate.set()
    hung.answer(HASH)
    since_s = hung.clock.now_s
    hung.clock.now_s += 5.0
    hung.folder.gate.clear()
    begun(hung, SCAN)

    give_up(hung)

    answer = hung.letters.next()
    assert isinstance(answer, facts.ScanFailed)
    assert answer.silent_since_s == since_s


def test_a_scan_without_an_answer_is_a_drive_that_is_offline(hung: Scene) -> None:
    """A person reads since when, and nothing waits for it any more."""
    since_s = hung.clock.now_s
    begun(hung, SCAN)

    give_up(hung)

    words = f"the drive does not answer since {clock_time(since_s)}"
    assert hung.letters.next() == facts.ScanFailed(CAD, words, silent_since_s=since_s)


def test_a_scan_is_not_given_up_before_its_time(hung: Scene) -> None:
    """A server that restarts takes half a minute."""
    begun(hung, SCAN)

    give_up(hung, SILENCE_S - 1)

    assert hung.letters.empty()


@pytest.mark.parametrize(
    ("command", "answer"), [(LOOK_AT, facts.LookFailed), (HASH, facts.HashMissed)]
)
def test_a_look_or_a_hash_without_an_answer_asks_for_a_scan(
    hung: Scene, command: commands.Command, answer: type[facts.Fact]
) -> None:
    """Only a scan can say that the whole drive is offline."""
    begun(hung, command)

    give_up(hung)

    posted = [hung.letters.next()]
    while not isinstance(posted[-1], facts.HintsLost):
        posted.append(hung.letters.next())
    assert isinstance(posted[0], answer)
    assert "does not answer" in posted[-1].reason


def test_a_store_that_cannot_read_its_file_is_released(hung: Scene) -> None:
    """An upload thread that hangs with the share would be missed by the others (P14)."""
    begun(hung, STORE)

    give_up(hung)

    assert hung.letters.next() == facts.StoreMoved(A)


def test_what_waited_behind_a_silent_share_is_answered_with_it(hung: Scene) -> None:
    """Else each of a hundred hashes would take its minute, one after the other."""
    for _ in range(THREADS):
        begun(hung, SCAN)
    for _ in range(5):
        hung.workers.begin(SCAN)

    give_up(hung)

    answers = [hung.letters.next() for _ in range(THREADS + 5)]
    assert {type(answer) for answer in answers} == {facts.ScanFailed}


def test_a_silent_share_is_tried_again_with_little_patience(hung: Scene) -> None:
    """It is known to be silent; a person waits for what the next try finds."""
    begun(hung, SCAN)
    give_up(hung)
    hung.letters.next()
    begun(hung, SCAN)

    hung.workers.begin(SCAN)
    at_once = hung.letters.next()
    give_up(hung, PROBE_S + 1)

    assert isinstance(at_once, facts.ScanFailed)
    assert hung.letters.next() == at_once


def test_a_share_that_answers_again_works_as_before(hung: Scene) -> None:
    """The late answer of the thread that was given up is not posted."""
    begun(hung, SCAN)
    give_up(hung)
    hung.letters.next()
    assert hung.folder.gate is not None
    thread = next(each for each in threading.enumerate() if each.name == "drive-cad")

    hung.folder.gate.set()
    thread.join(WAIT_S)

    assert hung.answer(SCAN) == [facts.Scanned(CAD, "drive", 0)]
    assert hung.answer(HASH) == [facts.Hashed(A, LOOK, "v1")]


def test_threads_that_hang_are_bounded(hung: Scene) -> None:
    """A share that is away for a weekend is tried every few minutes."""
    for _ in range(3 * HUNG_MAX):
        hung.folder.entered.clear()
        hung.workers.begin(SCAN)
        if hung.letters.empty():  # it was not refused
            assert hung.folder.entered.wait(WAIT_S)
            give_up(hung)
        hung.letters.next()

    names = [thread.name for thread in threading.enumerate()]
    assert names.count("drive-cad") <= HUNG_MAX + 1 + 3 * HUNG_MAX * SILENCE_S / RISK_S


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (STORE, facts.StoreFailed),
        (PREPARE, facts.PrepareFailed),
        (START, facts.StartFailed),
        (LOOK_AT_RUN, facts.RunLookFailed),
    ],
)
def test_a_call_that_goes_on_for_ever_is_given_up_in_doubt(
    scene: Scene, command: commands.CloudCommand, kind: type[facts.Fact]
) -> None:
    """A server that sends a byte a minute never times out; its lane would wait for ever (P14)."""
    scene.target.gate = threading.Event()
    scene.workers.begin(command)
    assert scene.target.entered.wait(WAIT_S)
    if command is STORE:
        assert isinstance(scene.letters.next(), facts.Reserved)

    is_long = command in {STORE, PREPARE}
    scene.clock.now_s += (LONG_PATIENCE_S if is_long else CALL_PATIENCE_S) + 1
    scene.workers.check()

    answer = scene.letters.next()
    assert isinstance(answer, kind)
    assert "has not answered" in repr(answer)
    assert "TRANSIENT" in repr(answer), "it may have had its effect"
    scene.target.gate.set()


def test_calls_that_hang_delay_no_other_call(scene: Scene) -> None:
    """Each service has its own lanes; four calls to one that hangs must not stop the others."""
    scene.target.gate = threading.Event()
    scene.targets["two"] = FakeTarget()
    for _ in range(CALL_THREADS):
        scene.workers.begin(PREPARE)
    assert scene.target.entered.wait(WAIT_S)

    scene.workers.begin(replace(PREPARE, connection="two"))
    answers, end_s = list[facts.Fact](), scene.clock.now_s + CALL_PATIENCE_S - 1
    while not answers:
        scene.clock.now_s = min(scene.clock.now_s + SLOW_S, end_s)
        scene.workers.check()
        if not (scene.target.gate.wait(0.001) or scene.letters.empty()):
            answers.append(scene.letters.next())

    assert answers == [facts.Prepared("two", "remote", "")]
    scene.target.gate.set()
    assert [scene.letters.next() for _ in range(CALL_THREADS)]


def test_a_long_upload_that_goes_on_is_not_given_up(scene: Scene) -> None:
    """A large file over a slow line takes hours; every piece that is sent is progress."""
    progress: list[int] = []

    with ShareContent(
        lambda: scene.folder.open("a.dgn", LOOK, "v1"), scene.threads, lambda: progress.append(1)
    ) as content:
        taken = list(content.chunks(2))

    assert len(progress) == len(taken) == 2


def test_an_engine_that_is_busy_is_no_silence_of_the_share(scene: Scene) -> None:
    """The parts of a scan wait while a commit takes long; the share has answered."""
    go_on = threading.Event()
    waits = threading.Event()

    def post(fact: facts.Fact) -> None:
        if isinstance(fact, facts.FilesFound):
            waits.set()
            assert go_on.wait(WAIT_S)
        scene.letters.put(fact)

    part, end = facts.FilesFound(CAD, (("a.dgn", LOOK),)), facts.Scanned(CAD, "drive", 5)
    scene.folder.scans = (part, end)
    workers = Workers(scene.shares, {}, post, 1)
    workers.begin(SCAN)
    assert waits.wait(WAIT_S)

    give_up(scene, 10 * SILENCE_S)
    go_on.set()

    assert [scene.letters.next(), scene.letters.next()] == [part, end]
    workers.stop()


def test_a_long_read_that_goes_on_is_no_silence(scene: Scene) -> None:
    """Hashing 100 GB takes minutes; only a read without any answer is a hang."""
    threads = scene.threads

    def read() -> str:
        for _ in range(5):
            scene.clock.now_s += SILENCE_S - 1
            threads.note_progress()
            threads.check()
        return "whole"

    assert threads.call(read) == "whole"


def test_a_thread_that_was_given_up_ends_at_the_next_answer(scene: Scene) -> None:
    """It must not read another 100 GB for nobody."""
    hangs, late = threading.Event(), threading.Event()
    ended: list[type[BaseException]] = []

    def read() -> None:
        late.set()
        assert hangs.wait(WAIT_S)
        try:
            scene.threads.note_progress()
        except GivenUpError as exc:
            ended.append(type(exc))
            raise

    future = scene.threads.submit(read)
    assert late.wait(WAIT_S)
    give_up(scene)
    thread = next(each for each in threading.enumerate() if each.name == "drive-cad")
    hangs.set()
    thread.join(WAIT_S)

    assert isinstance(future.exception(0), ShareSilent)
    assert ended == [GivenUpError]
