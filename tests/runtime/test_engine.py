# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The one thread that decides: receive, decide, commit, then act; stoppable at any time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, cast

import pytest
from runtime_scene import CAD, WAIT_S, A

from twinsyncd.core import commands, facts
from twinsyncd.core.decision import Decision
from twinsyncd.core.machine import Machine
from twinsyncd.core.model import FileRow, HeldSource, Now, SourceKey
from twinsyncd.core.progress import Heartbeat, RequestPacing, UnsettledFile, UploadsUnderWay
from twinsyncd.journal.requests import Request
from twinsyncd.runtime.engine import BEAT_S, LISTEN_S, STORES_PER_COMMIT, Engine
from twinsyncd.runtime.inbox import Inbox
from twinsyncd.runtime.person_requests import fact_of, request_of

SCAN = commands.Scan(CAD, "")
DURABLE = Decision(files=(FileRow(A, seen="v1"),), commands=(SCAN, SCAN))
STOP = facts.HintsLost(CAD, "the end of this play")

UPLOADS = UploadsUnderWay(2, 5, 10, 1.0)
PACING = RequestPacing("api.example.com", 3, 500, 1_700_000_060.0)
AHEAD_S = 90.0
UNLISTED = [SourceKey("one/bim")]
UNSETTLED = [UnsettledFile(SourceKey("one/cad"), "a.dgn", 1.0, "its quiet time")]


class Office:
    """Machine, journal, workers and clock in one notebook: what was called, in which order."""

    def __init__(self, *steps: Decision) -> None:
        self.calls: list[str] = []
        self.received: list[list[facts.Fact]] = []
        self.steps = list(steps)
        self.at_s = 100.0
        self.step_s = 0.0  # how far the clock goes at each decision
        self.deadline_s: float | None = None
        self.requests: list[Any] = []
        self.beats: list[float] = []
        self.commit_fails: Exception | None = None
        self.listens = 0
        self.listen_s = 0.0  # how far the clock goes when the journal is asked for requests
        self.waits = True  # for a journal that cannot be used
        self.stores = 0
        self.inbox = Inbox(gather_s=WAIT_S)
        self.engine = Engine(
            cast("Machine", self), self, self.inbox, self.begin, lambda: Now(self.at_s, self.at_s)
        )
        self.engine.uploads = lambda: UPLOADS
        self.engine.pacing = lambda: PACING
        self.engine.ahead_of_platform_s = lambda: AHEAD_S

    # ---- the machine ----

    def handle(self, happened: Sequence[facts.Fact], now: Now) -> Decision:
        self.received.append(list(happened))
        self.calls.append("decide")
        self.at_s += self.step_s
        return self.steps.pop(0) if self.steps else Decision()

    def deadline(self, now: Now) -> float | None:
        return self.deadline_s

    def is_idle(self) -> bool:
        return True

    def unsettled(self) -> int:
        return 3

    def unsettled_files(self, now: Now) -> list[UnsettledFile]:
        return UNSETTLED

    def unlisted(self) -> list[SourceKey]:
        return UNLISTED

    def storing(self) -> int:
        return self.stores

    # ---- the journal ----

    def commit(self, decision: Decision, taken: Sequence[int], now_s: float) -> None:
        self.calls.append("commit")
        if self.commit_fails:
            raise self.commit_fails
        self.requests = [each for each in self.requests if each.number not in taken]

    def stop_waiting(self) -> None:
        self.waits = False

    def open_requests(self) -> list[Any]:
        self.listens += 1
        self.at_s += self.listen_s
        return self.requests

    def beat(self, now_s: float, beat: Heartbeat) -> None:
        named = (tuple(UNSETTLED), UPLOADS, PACING, tuple(UNLISTED), AHEAD_S)
        assert beat == Heartbeat(True, 3, *named)
        self.beats.append(now_s)

    # ---- the workers ----

    def begin(self, command: commands.Command) -> None:
        self.calls.append(type(command).__name__)


def decisions(office: Office, count: int) -> None:
    """Run the engine for so many decisions."""
    office.engine.run(until=lambda: len(office.received) >= count)


def test_rows_are_committed_before_any_command_begins() -> None:
    """A command whose intent is not durable is forgotten by a crash (P8)."""
    office = Office(DURABLE)

    decisions(office, 1)

    assert office.calls == ["decide", "commit", "Scan", "Scan"]


def test_a_commit_that_fails_stops_everything_before_an_effect() -> None:
    """Without journal nothing may be done; the service manager starts us afresh."""
    office = Office(DURABLE)
    office.commit_fails = OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        decisions(office, 1)

    assert office.calls == ["decide", "commit"]


def test_a_decision_without_rows_costs_no_commit() -> None:
    """A poll each second must not write to the disk each second."""
    office = Office(Decision(commands=(SCAN,)))

    decisions(office, 1)

    assert office.calls == ["decide", "Scan"]


def test_the_first_decision_needs_no_fact() -> None:
    """Start-up is the same code as recovery: time alone starts the scans."""
    office = Office()

    decisions(office, 1)

    assert office.received == [[facts.Ticked()]]


def test_what_is_posted_is_part_of_the_next_decision() -> None:
    """The answers of workers come back through the inbox."""
    office = Office()
    office.inbox.post(STOP)

    decisions(office, 2)

    assert office.received == [[facts.Ticked()], [STOP]]


def test_a_deadline_wakes_the_machine_without_a_fact() -> None:
    """Quiet times and back-offs end while nobody says anything."""
    office = Office()
    office.deadline_s = office.at_s

    decisions(office, 3)

    assert office.received == [[facts.Ticked()], [], []]


def test_the_journal_is_asked_for_requests_only_now_and_then() -> None:
    """It is a query: once a second is soon enough for a person, and cheap."""
    office = Office()
    office.deadline_s = 0.0
    office.step_s = LISTEN_S / 4

    decisions(office, 9)

    assert office.listens == 2


def test_a_machine_that_waits_for_nothing_is_not_asked_with_every_look_for_requests() -> None:
    """A thousand lanes would be asked each second for ever, to answer that nothing happened."""
    office = Office()
    office.listen_s = LISTEN_S
    looks = int(4 * BEAT_S / LISTEN_S)

    office.engine.run(until=lambda: office.listens >= looks)

    assert len(office.received) == 1 + 4  # the first, and one every BEAT_S
    assert len(office.beats) >= 4


def test_a_deadline_is_kept_between_two_looks_for_requests() -> None:
    """What is due wakes the machine at its time, however seldom it is asked otherwise."""
    office = Office()
    office.listen_s = LISTEN_S
    office.deadline_s = office.at_s + 2 * LISTEN_S

    office.engine.run(until=lambda: len(office.received) == 2)

    assert office.at_s == office.deadline_s


SHOWN = facts.ApproveAsked((HeldSource("one/cad", "drive", 15),))


def test_what_people_ask_becomes_facts() -> None:
    """A request is a row like any other; one of a newer version is left alone."""
    office = Office()
    office.requests = [
        Request("sync", "", 1),
        Request("retry", '["one/cad", "a.dgn"]', 2),
        Request("retry", "", 3),
        Request("approve", '[["one/cad", "drive", 15]]', 4),
        Request("dance", "", 5),
        Request("retry", '["one/cad"]', 6),
        Request("retry", "not JSON", 7),
        Request("approve", '[["one/cad", "drive"]]', 8),
        Request("approve", "", 9),
    ]

    decisions(office, 2)

    assert office.received[1] == [
        facts.SyncAsked(),
        facts.RetryAsked(A),
        facts.RetryAsked(),
        SHOWN,
    ]
    assert office.requests == []


def test_a_request_is_taken_up_only_with_what_came_of_it() -> None:
    """A person who has approved must not be asked again because of a crash in between (P8)."""
    office = Office(Decision(), DURABLE)
    office.requests = [Request("approve", '[["one/cad", "drive", 15]]', 4)]
    office.commit_fails = OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        decisions(office, 2)

    assert len(office.requests) == 1


@pytest.mark.parametrize(
    "fact", [facts.SyncAsked(), facts.RetryAsked(), facts.RetryAsked(A), SHOWN]
)
def test_a_request_is_read_as_it_was_written(fact: facts.PersonFact) -> None:
    """The command line writes it and the daemon reads it, perhaps a week later."""
    assert fact_of(Request(*request_of(fact))) == fact


@pytest.mark.parametrize(
    "request_",
    [
        Request("approve", "Bridge 12", 1),
        Request("approve", "5", 2),
        Request("approve", '[["one/cad", "drive", "many"]]', 3),
        Request("retry", '{"path": "a.dgn"}', 4),
        Request("pause", "[1]", 5),
        Request("from a later version", "{}", 6),
    ],
)
def test_a_request_of_another_version_is_dropped_and_stops_no_daemon(request_: Request) -> None:
    """It lies in the journal at every start, so an error about it is an error for ever (P15)."""
    office = Office(Decision())
    office.requests = [request_]

    decisions(office, 2)

    assert office.requests == []
    assert fact_of(request_) is None


def test_a_sign_of_life_is_given_every_few_seconds_and_at_the_end() -> None:
    """The status tells a hang from a long upload by it; a clean end writes the last one."""
    office = Office()
    office.deadline_s = 0.0
    office.step_s = 1.0

    decisions(office, 12)

    gaps = [later - sooner for sooner, later in zip(office.beats, office.beats[1:], strict=False)]
    assert office.beats[0] == 100.0
    assert gaps[:-1] == [BEAT_S] * len(gaps[:-1])
    assert office.beats[-1] == office.at_s


def test_another_thread_stops_a_waiting_engine() -> None:
    """A signal must end the process at once, not after the next deadline."""
    office = Office()
    office.deadline_s = office.at_s + 10 * WAIT_S
    began = threading.Event()

    def has_begun() -> bool:
        began.set()
        return False

    def run() -> None:
        office.engine.run(until=has_begun)

    thread = threading.Thread(target=run)
    thread.start()
    assert began.wait(WAIT_S)

    office.engine.stop()

    thread.join(WAIT_S)
    assert not thread.is_alive()
    assert len(office.received) <= 2


def test_an_engine_that_was_stopped_before_it_ran_decides_nothing() -> None:
    """The signal may come while the journal is still being opened."""
    office = Office(DURABLE)
    office.engine.stop()

    office.engine.run()

    assert office.calls == []


def test_while_many_files_are_stored_their_ends_share_a_commit() -> None:
    """A first sync of thousands of files is otherwise as slow as the disk's flushes."""
    office = Office()
    office.stores = 2 * STORES_PER_COMMIT
    ends: list[facts.Fact] = [
        facts.Stored(A, "v1", "storage_id"),
        facts.Stored(A, "v2", "storage_id"),
    ]
    office.inbox.post(ends[0])
    other = threading.Thread(target=office.inbox.post, args=(ends[1],))
    other.start()

    decisions(office, 2)

    assert office.received == [[facts.Ticked()], ends]
    other.join()
