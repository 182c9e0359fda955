"""The one thread that decides and writes: receive facts, decide, commit, then act."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from ..core.decision import Decision
from ..core.facts import Fact, Ticked
from ..core.machine import Machine
from ..core.model import Now
from ..core.progress import Heartbeat, RequestPacing, UploadsUnderWay
from ..errors import JournalError
from .inbox import Inbox
from .log_events import log_decision, log_facts
from .person_requests import Request, fact_of

LISTEN_S: Final = 1.0  # requests of other processes are noticed this often
BEAT_S: Final = 5.0  # between heartbeats; status reports a hang after three missed ones
STORES_PER_COMMIT: Final = 3  # decide once a third of the running stores ended: one commit for all


_TICKED: Final = Ticked()


class JournalWriter(Protocol):
    """What the engine needs of the journal."""

    def commit(self, decision: Decision, taken: Sequence[int], now_s: float) -> None:
        """Commit all rows of the decision and the handled requests `taken`, or nothing."""

    def stop_waiting(self) -> None:
        """Raise instead of waiting until the journal can be used again."""

    def open_requests(self) -> Sequence[Request]:
        """Return the requests of people that are not handled yet."""

    def beat(self, now_s: float, beat: Heartbeat) -> None:
        """Write the heartbeat."""


class Engine:
    """Runs a machine until it is stopped. Everything but `stop` belongs to one thread."""

    def __init__(
        self,
        machine: Machine,
        journal: JournalWriter,
        inbox: Inbox,
        begin: Callable[..., None],
        clock: Callable[[], Now],
    ) -> None:
        """`begin` starts a command on another thread and returns at once."""
        self.machine = machine
        self.alive: Callable[[], None] = lambda: None  # called with every heartbeat
        self.decided: Callable[[Decision], None] = lambda _decision: None  # after each commit
        self.uploads: Callable[[], UploadsUnderWay | None] = lambda: None  # for the heartbeat
        self.pacing: Callable[[], RequestPacing | None] = lambda: None
        self.ahead_of_platform_s: Callable[[], float] = lambda: 0.0  # this machine's clock
        self._journal = journal
        self._inbox = inbox
        self._begin = begin
        self._clock = clock
        self._stopping = threading.Event()
        self._next_beat_s = float("-inf")
        self._was_idle = False
        self._next_listen_s = float("-inf")
        self._next_decision_s = float("-inf")
        self._deadline_s = float("-inf")

    def run(self, until: Callable[[], bool] = lambda: False, first: Fact = _TICKED) -> None:
        """Decide until `stop` is called or `until` holds after a decision, `first` being the first.

        What an earlier process could not do is not tried at once unless `first` asks for it.
        """
        try:
            self._run(until, first)
        except JournalError:
            if not self._stopping.is_set():
                raise  # else nothing is lost: what was not committed was not begun either

    def _run(self, until: Callable[[], bool], first: Fact) -> None:
        received: list[Fact] = [first]
        asked: Sequence[Request] = ()
        while not self._stopping.is_set():
            if received or asked or self._is_due():
                self._decide(received, asked)
            if until():
                break
            received = self._receive()
            asked = self._requests()
        self._beat(self._clock())

    def stop(self) -> None:
        """End `run` soon; safe from any thread and from a signal handler's thread."""
        self._stopping.set()
        self._journal.stop_waiting()
        self._inbox.wake()

    def _receive(self) -> list[Fact]:
        now = self._clock()
        wake_s = min(self._next_listen_s, self._deadline_s)
        together = self.machine.storing() // STORES_PER_COMMIT
        return self._inbox.drain(wake_s - now.at_s, together)

    def _is_due(self) -> bool:
        """Return whether to decide without a fact: asking a thousand lanes each second costs."""
        return self._clock().at_s >= min(self._deadline_s, self._next_decision_s)

    def _decide(self, received: list[Fact], asked: Sequence[Request]) -> None:
        """Decide on facts and requests; the commit marks the requests as handled."""
        now = self._clock()
        self._next_decision_s = now.at_s + BEAT_S
        requested = map(fact_of, asked)
        received = [*received, *(fact for fact in requested if fact is not None)]
        decision = self.machine.handle(received, now)
        if decision.is_durable or asked:
            self._journal.commit(
                decision, [each.number for each in asked], now.wall_s
            )  # durable first,
            self.decided(decision)
        log_facts(received)
        log_decision(decision)
        for command in decision.commands:  # then act; answers return through the inbox
            self._begin(command)
        deadline = self.machine.deadline(now)
        self._deadline_s = float("inf") if deadline is None else deadline
        if now.at_s >= self._next_beat_s or self.machine.is_idle() is not self._was_idle:
            self._beat(now)

    def _requests(self) -> Sequence[Request]:
        now = self._clock()
        if now.at_s < self._next_listen_s:
            return ()
        self._next_listen_s = now.at_s + LISTEN_S
        return self._journal.open_requests()

    def _beat(self, now: Now) -> None:
        self._next_beat_s = now.at_s + BEAT_S
        self._was_idle = self.machine.is_idle()  # written at once: `sync` waits for it
        self.alive()
        beat = Heartbeat(
            is_idle=self._was_idle,
            unsettled=self.machine.unsettled(),
            unsettled_files=tuple(self.machine.unsettled_files(now)),
            uploads=self.uploads(),
            pacing=self.pacing(),
            unlisted=tuple(self.machine.unlisted()),
            ahead_of_platform_s=self.ahead_of_platform_s(),
        )
        self._journal.beat(now.wall_s, beat)
