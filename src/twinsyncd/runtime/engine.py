"""The one thread that decides and writes: hear, decide, commit, then act."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from ..core.decision import Decision
from ..core.facts import Fact, Ticked
from ..core.machine import Machine
from ..core.model import Now
from .inbox import Inbox
from .log_events import log_decision, log_facts
from .person_requests import Request, fact_of

LISTEN_S: Final = 1.0  # requests of other processes are noticed this often
BEAT_S: Final = 5.0  # a sign of life this often; status calls three missed ones a death
STORES_PER_COMMIT: Final = 3  # of those under way, one in so many ends before a decision is due


class JournalWriter(Protocol):
    """What the engine needs of the journal."""

    def commit(self, decision: Decision, taken: Sequence[int], now_s: float) -> None:
        """Make all rows of the decision durable, or none; with them that requests were taken up."""

    def open_requests(self) -> Sequence[Request]:
        """Return what people have asked for and nobody has taken up."""

    def beat(self, now_s: float, *, is_idle: bool, unsettled: int) -> None:
        """Give a sign of life."""


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
        """`begin` carries a command out somewhere else and returns at once."""
        self.machine = machine
        self.alive: Callable[[], None] = lambda: None  # called with every sign of life
        self._journal = journal
        self._inbox = inbox
        self._begin = begin
        self._clock = clock
        self._stopping = threading.Event()
        self._next_beat_s = float("-inf")
        self._was_idle = False
        self._next_listen_s = float("-inf")

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Decide until `stop` is called or `until` holds after a decision."""
        heard: list[Fact] = [Ticked()]
        asked: Sequence[Request] = ()
        while not self._stopping.is_set():
            self._decide(heard, asked)
            if until():
                break
            heard = self._hear()
            asked = self._requests()
        self._beat(self._clock())

    def stop(self) -> None:
        """End `run` soon; safe from any thread and from a signal handler's thread."""
        self._stopping.set()
        self._inbox.wake()

    def _hear(self) -> list[Fact]:
        now = self._clock()
        deadline = self.machine.deadline(now)
        wake_s = min(self._next_listen_s, deadline if deadline is not None else float("inf"))
        together = self.machine.storing() // STORES_PER_COMMIT
        return self._inbox.drain(wake_s - now.at_s, together)

    def _decide(self, heard: list[Fact], asked: Sequence[Request]) -> None:
        """Decide on what was heard and what people ask, which counts as taken up with the rows."""
        now = self._clock()
        wishes = map(fact_of, asked)
        heard = [*heard, *(fact for fact in wishes if fact is not None)]
        decision = self.machine.handle(heard, now)
        if decision.is_durable or asked:
            self._journal.commit(
                decision, [each.number for each in asked], now.wall_s
            )  # durable first,
        log_facts(heard)
        log_decision(decision)
        for command in decision.commands:  # then act; answers return through the inbox
            self._begin(command)
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
        self._was_idle = self.machine.is_idle()  # whoever waits for it hears it at once
        self.alive()
        self._journal.beat(now.wall_s, is_idle=self._was_idle, unsettled=self.machine.unsettled())
