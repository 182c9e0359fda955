# mypy: disable-error-code="index"
# Keys, ids and digests are written as plain text here.
"""One seeded world: virtual time, a drive people work on, a faulty platform, crashes.

The real machine runs against it, with rows that are committed before commands begin, as the
journal does it. Everything random comes from the seed; `python -m simulation SEED` replays one.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from random import Random

from twinsyncd.core import commands, facts
from twinsyncd.core.decision import Decision
from twinsyncd.core.machine import Machine
from twinsyncd.core.model import (
    FileKey,
    HeldSource,
    LaneKey,
    Need,
    Now,
    need,
)

from .chances import Chances
from .cloud import ModelCloud
from .drive import VirtualDrive
from .journal import VirtualJournal
from .no_collection import no_collection
from .office import SHARED, Office
from .people import People
from .portal_moves import PortalMoves
from .promises import Promises
from .renaming import Renaming
from .shuffling import Shuffling
from .strangers import Strangers
from .tampering import Tampering
from .workers import VirtualWorkers

WALL_S = 1_700_000_000.0
FAULTS_S = 480.0  # virtual time with people and faults
NOTICE_S = 330.0  # by then two scans have noticed what no hint told
APPROVALS = 3  # of a drive, of what is missing there, and of another drive that was approved
REST_S = 14_400.0  # virtual time in which the world must then come to rest
SPINS_MAX = 1000  # decisions at one instant without anything happening

MachineFactory = Callable[..., Machine]


class Crash(Exception):
    """The process dies here."""


class World:
    """Runs one seed: faults for a while, then calm, then rest with every promise kept."""

    def __init__(
        self,
        seed: int,
        make: MachineFactory = Machine,
        chances: Chances | None = None,
        *,
        journal: VirtualJournal | None = None,
    ) -> None:
        self.seed = seed
        self.rnd = Random(seed)  # noqa: S311 - a world must be replayable
        self.chances = chances or Chances.draw(self.rnd)
        self.make = make
        self.now_s = 0.0
        self.wall_shift_s = 0.0
        self.calm = False
        self.office = Office(seed, self.chances, scripted=chances is not None)
        whole = self.office.whole
        self._owners = {source.key: source.connection for source in whole.sources}
        self._lanes: dict[str, LaneKey] = {each.key: each.lane for each in whole.connections}
        self._lanes |= {key: self._lanes[owner] for key, owner in self._owners.items()}
        self.drive = VirtualDrive()
        lanes = dict.fromkeys(connection.lane for connection in whole.connections)
        self.clouds = {lane: ModelCloud(self.rnd, self.drive.torn, f"{lane}-") for lane in lanes}
        self.journal = journal or VirtualJournal()
        self.crashes = self.heard = self.begun = self.spins = self.boundaries = 0
        self.epoch = 0  # answers to an earlier process are never heard
        self.inbox: list[facts.Fact] = []
        self.waiting: list[facts.Fact] = []  # to be heard before the inbox
        self.requests: list[facts.Fact] = []  # rows, so they wait until what came of them is one
        self.story: list[tuple[float, list[facts.Fact], Decision | None]] = []  # None: a crash
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._seq = 0
        self.workers = VirtualWorkers(self)
        self.people = People(self)
        self.strangers = Strangers(self)
        self.tampering = Tampering(self, seed, scripted=chances is not None)
        self.portal_moves = PortalMoves(self, seed, tampering=self.tampering.is_on)
        self.renaming = Renaming(self, seed, scripted=chances is not None)
        self.shuffling = Shuffling(self, seed, renaming=self.renaming.is_on)
        self.office.set_policies(self.renaming.policies)
        self.promises = Promises(self)
        self.machine = self._restore()

    # ---- who is who -------------------------------------------------------------------

    def lane_of(self, key: str) -> str:
        """Return the lane of a connection or of a source."""
        return self._lanes[key]

    def owner_of(self, key: FileKey) -> str:
        return self._owners[key.source]

    def cloud_of(self, connection: str) -> ModelCloud:
        return self.clouds[self._lanes[connection]]

    def cloud_of_file(self, key: FileKey) -> ModelCloud:
        return self.clouds[self._lanes[key.source]]

    # ---- time -------------------------------------------------------------------------

    @property
    def now(self) -> Now:
        return Now(self.now_s, WALL_S + self.now_s + self.wall_shift_s)

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        self._seq += 1
        heapq.heappush(self._events, (self.now_s + delay_s, self._seq, action))

    def answer(self, delay_s: float, fact: facts.Fact) -> None:
        """Let this process hear a fact later; a crash in between swallows it."""
        self.later(delay_s, partial(self._hear, self.epoch, fact))

    def answer_sometime(self, delay_s: float, fact: facts.Fact) -> None:
        """Let this process hear a fact with whatever it hears next, since nobody waits for it."""
        self.later(delay_s, partial(self._overhear, self.epoch, fact))

    def ask(self, fact: facts.PersonFact) -> None:
        """Let a person ask something of this process or, if it dies, of the next."""
        self.requests.append(fact)

    def chance(self, probability: float) -> bool:
        return probability > 0.0 and not self.calm and self.rnd.random() < probability

    def _hear(self, epoch: int, fact: facts.Fact) -> None:
        if epoch == self.epoch and self.office.concerns(fact):
            self.inbox.append(fact)

    def _overhear(self, epoch: int, fact: facts.Fact) -> None:
        if epoch == self.epoch:
            self.waiting.append(fact)

    # ---- a life -----------------------------------------------------------------------

    def run(self) -> None:
        """Live through the faults, then come to rest with every promise kept."""
        with no_collection():
            self.begin()
            self.until(FAULTS_S)
            self.rest()

    def begin(self) -> None:
        self.people.begin()
        self.strangers.begin()
        self.tampering.begin()
        self.portal_moves.begin()
        self.renaming.begin()
        self.shuffling.begin()

    def rest(self) -> None:
        """Let the faults stop; a person looks after what needs one."""
        self.calm = self.office.placing.is_over = True
        if not self.office.is_whole:
            self._crash()
        if self.renaming.is_on:
            self.ask(facts.ResumeAsked())  # a connection may have been out of the file
        if self.chances.away:
            self._rest_without_drive()
        self.people.end()
        for _ in range(APPROVALS):
            self.until(self.now_s + NOTICE_S)
            if not self.shown():
                break
            self.ask(facts.ApproveAsked(self.shown()))
        asides = [row.key for row in self.journal.files.values() if row.aside]
        for key in asides:
            self.ask(facts.RetryAsked(key))
        if self.tampering.is_on:
            self.ask(facts.SyncAsked())  # and the cloud is compared
        self.until(self.now_s + NOTICE_S)
        self.until(self.now_s + REST_S, stop=self._rests)
        self.promises.check_rest()

    def until(self, end_s: float, stop: Callable[[], bool] = lambda: False) -> None:
        deadline = self.machine.deadline(self.now)
        while not stop():
            due_s = self._events[0][0] if self._events else end_s
            if deadline is not None and deadline < due_s:
                due_s = deadline
            if self.inbox or self.requests:
                due_s = self.now_s
            if due_s >= end_s:
                self.now_s = max(self.now_s, end_s)  # a process that was down may be up later
                return
            self._advance(due_s)
            while self._events and self._events[0][0] <= self.now_s:
                heapq.heappop(self._events)[2]()
            heard = bool(self.inbox or self.requests)
            if heard or (deadline is not None and deadline <= self.now_s):
                self._decide()
                deadline = self.machine.deadline(self.now)

    def shown(self) -> tuple[HeldSource, ...]:
        """Return what a person is shown now of the sources that wait for one."""
        rows = self.journal.sources.values()
        return tuple(row.shown for row in rows if row.needs_person)

    def transcript(self) -> Iterator[str]:
        """Yield what happened, a line each."""
        for at_s, heard, decision in self.story:
            if decision is None:
                yield f"{at_s:9.2f}  CRASH"
                continue
            yield from (f"{at_s:9.2f}  heard {fact}" for fact in heard)
            rows = (*decision.files, *decision.lanes, *decision.connections, *decision.sources)
            yield from (f"{at_s:9.2f}    row {row}" for row in rows)
            yield from (f"{at_s:9.2f}    does {command}" for command in decision.commands)

    def _rest_without_drive(self) -> None:
        """Come to rest with what is in Storage while the drive is away."""
        self.drive.outage = "offline"
        self.until(self.now_s + NOTICE_S)
        self.until(self.now_s + REST_S, stop=self._has_synced)
        assert self._has_synced(), "P9: what has left the drive waits for the drive"

    # ---- the process ------------------------------------------------------------------

    def boundary(self) -> None:
        """Die here, perhaps: between a decision, its commit and each of its commands."""
        self.boundaries += 1
        if self.chance(self.chances.crash):
            raise Crash

    def _advance(self, to_s: float) -> None:
        self.spins = self.spins + 1 if to_s <= self.now_s else 0
        assert self.spins < SPINS_MAX, "P10: the machine spins"
        self.now_s = max(to_s, self.now_s)

    def _decide(self) -> None:
        heard = [*self.waiting, *self.inbox, *self.requests] or [facts.Ticked()]
        self.inbox.clear()
        self.waiting.clear()
        try:
            decision = self.machine.handle(heard, self.now)
            self.story.append((self.now_s, heard, decision))
            self.heard += len(heard)
            self.boundary()
            self.promises.check(heard, decision)
            self.journal.commit(decision)
            self.requests.clear()
            self.boundary()
            for command in self._without_comparisons(decision.commands):
                self.workers.begin(command)
                self.begun += 1
                self.boundary()
        except Crash:
            self._crash()

    def _without_comparisons(self, todo: Sequence[commands.Command]) -> Iterator[commands.Command]:
        """Yield the commands to begin; where nobody tampers, comparisons find nothing, at once.

        So these worlds are as they were before there were comparisons, and show what they showed.
        """
        for command in todo:
            if self.tampering.is_on or not isinstance(command, commands.Compare):
                yield command
                continue
            compared = facts.Compared(command.connection)
            decision = self.machine.handle([compared], self.now)
            self.promises.check([compared], decision)
            self.journal.commit(decision)
            yield from self._without_comparisons(decision.commands)

    def _crash(self) -> None:
        self.crashes += 1
        self.story.append((self.now_s, [], None))
        self.epoch += 1
        self.inbox.clear()
        self.waiting.clear()
        self.now_s += self.rnd.uniform(0.1, 20.0)
        self.strangers.jump_clock()
        self.promises.crashed()
        if not self.calm:
            self.renaming.restore()
        if self.calm:
            self.office.mend()
        else:
            self.office.edit(self.journal.lanes.get(SHARED))
        self.machine = self._restore()

    def _restore(self) -> Machine:
        return self.make(
            self.office.setup,
            self.journal.saved_state(),
            self.journal,
            self.now,
            kind_of=self.office.kind_of,
            jitter=self.rnd.random,
            comes_first=self.office.placing.comes_first,
        )

    def _has_synced(self) -> bool:
        """Return whether runs have taken all that is in Storage."""
        return all(need(row) is not Need.RUN for row in self.journal.files.values())

    def _rests(self) -> bool:
        asked = self.inbox or self.requests
        if self.machine.missing() and not self.shown():
            return False  # the next list will tell whether it was renamed, or is gone
        return self.machine.is_idle() and not self.workers.effects and not asked
