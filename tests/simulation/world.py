"""One seeded world: virtual time, a drive people work on, a faulty platform, crashes.

The real machine runs against it, with rows that are committed before commands begin, as the
journal does it. Everything random comes from the seed; `python -m simulation SEED` replays one.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random

from twinsyncd.core import commands, facts
from twinsyncd.core.machine import Machine
from twinsyncd.core.model import (
    ABSENT,
    IN_DOUBT,
    Connection,
    ConnectionRow,
    FileKey,
    FileRow,
    LaneRow,
    Need,
    Now,
    Phase,
    Setup,
    Source,
    SourceRow,
    need,
)
from twinsyncd.core.step import Memory, Step

from .cloud import ModelCloud
from .drive import VirtualDrive
from .hands import VirtualHands
from .people import People

WALL_S = 1_700_000_000.0
FAULTS_S = 1_800.0  # virtual time with people and faults
NOTICE_S = 200.0  # by then two scans have noticed what no hint told
REST_S = 7_200.0  # virtual time in which the world must then come to rest
SPINS_MAX = 50  # decisions at one instant without anything happening
COMMANDS_MAX = 60  # cloud commands per virtual minute and lane, beyond those for files


class Crash(Exception):
    """The process dies here."""


@dataclass
class VirtualJournal:
    """Rows as the journal keeps them: all of a step or nothing."""

    files: dict[FileKey, FileRow] = field(default_factory=dict)
    lanes: dict[str, LaneRow] = field(default_factory=dict)
    connections: dict[str, ConnectionRow] = field(default_factory=dict)
    sources: dict[str, SourceRow] = field(default_factory=dict)

    def get(self, key: FileKey) -> FileRow | None:
        return self.files.get(key)

    def get_many(self, source: str, paths: Sequence[str]) -> dict[str, FileRow]:
        keys = (FileKey(source, path) for path in paths)
        return {key.path: self.files[key] for key in keys if key in self.files}

    def active(self, sources: Iterable[str]) -> Iterable[FileRow]:
        wanted = set(sources)
        for row in list(self.files.values()):
            if row.key.source in wanted and (need(row) is not Need.NOTHING or row.covered):
                yield row

    def every(self, sources: Iterable[str]) -> Iterable[FileRow]:
        wanted = set(sources)
        return [row for row in self.files.values() if row.key.source in wanted]

    def commit(self, step: Step) -> None:
        self.files.update((row.key, row) for row in step.files)
        self.lanes.update((row.key, row) for row in step.lanes)
        self.connections.update((row.key, row) for row in step.connections)
        self.sources.update((row.key, row) for row in step.sources)


@dataclass(frozen=True)
class Chances:
    """How bad this world is; drawn from the seed."""

    crash: float
    hint_lost: float
    lost_before: float
    lost_after: float
    late: float
    throttled: float
    refused: float
    foreign: float
    outage: float

    @classmethod
    def draw(cls, rnd: Random) -> Chances:
        def some(*choices: float) -> float:
            return rnd.choice((0.0, *choices))

        return cls(
            crash=some(0.002, 0.02),
            hint_lost=some(0.3, 1.0),
            lost_before=some(0.1, 0.3),
            lost_after=some(0.1, 0.3),
            late=some(0.1),
            throttled=some(0.1),
            refused=some(0.02),
            foreign=some(0.05, 0.2),
            outage=some(0.02),
        )


MachineFactory = Callable[..., Machine]


class World:
    """Runs one seed; `check` methods speak the promises."""

    def __init__(self, seed: int, make: MachineFactory = Machine) -> None:
        self.rnd = Random(seed)  # noqa: S311 - a world must be replayable
        self.chances = Chances.draw(self.rnd)
        self.make = make
        self.now_s = 0.0
        self.wall_shift_s = 0.0
        self.calm = False
        self.drive = VirtualDrive()
        self.cloud = ModelCloud(self.rnd)
        self.journal = VirtualJournal()
        self.transcript: list[str] = []
        self.crashes = self.cloud_commands = self.spins = 0
        self.epoch = 0  # answers to an earlier process are never heard
        self.inbox: list[facts.Fact] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._seq = 0
        self.setup = Setup(
            connections=tuple(
                Connection(name, "imodel", batch_quiet_s=5.0, longest_wait_s=120.0)
                for name in ("one", "two")
            ),
            sources=(Source("one/cad", "one", 60.0, 2.0), Source("two/bim", "two", 60.0, 2.0)),
            uploads_max=3,
        )
        self.hands = VirtualHands(self)
        self.people = People(self)
        self.machine = self._restore()

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

    def chance(self, probability: float) -> bool:
        return not self.calm and self.rnd.random() < probability

    def _hear(self, epoch: int, fact: facts.Fact) -> None:
        if epoch == self.epoch:
            self.inbox.append(fact)

    # ---- the process ------------------------------------------------------------------

    def _restore(self) -> Machine:
        memory = Memory(self.journal.lanes, self.journal.connections, self.journal.sources)
        return self.make(
            self.setup,
            memory,
            self.journal,
            self.now,
            is_reference=lambda key: key.path.startswith("xref/"),
            jitter=self.rnd.random,
        )

    def run(self) -> None:
        """Live through the faults, then come to rest with every promise kept."""
        self.people.begin()
        self._until(FAULTS_S)
        self.calm = True
        self.people.end()
        self._until(FAULTS_S + NOTICE_S)
        self.inbox += [facts.ApproveAsked(name) for name in ("one", "two")]
        self._until(FAULTS_S + 2 * NOTICE_S)
        self._until(FAULTS_S + REST_S, stop=self._rests)
        self._check_rest()

    def _until(self, end_s: float, stop: Callable[[], bool] = lambda: False) -> None:
        while self.now_s < end_s and not stop():
            deadline = self.machine.deadline(self.now)
            times = [
                time
                for time in (deadline, self._events[0][0] if self._events else None)
                if time is not None
            ]
            if not times:
                return
            self._advance(max(self.now_s, min(times)))
            while self._events and self._events[0][0] <= self.now_s:
                heapq.heappop(self._events)[2]()
            self._decide()

    def _advance(self, to_s: float) -> None:
        self.spins = self.spins + 1 if to_s == self.now_s else 0
        assert self.spins < SPINS_MAX * 20, "P10: the machine spins"
        self.now_s = to_s

    def _decide(self) -> None:
        heard, self.inbox = self.inbox, []
        try:
            step = self.machine.handle(heard, self.now)
            self._note(heard, step)
            self._boundary()
            self._check_step(step)
            self.journal.commit(step)
            self._boundary()
            for command in step.commands:
                self.hands.begin(command)
                self._boundary()
        except Crash:
            self._crash()

    def _boundary(self) -> None:
        if self.chance(self.chances.crash):
            raise Crash

    def _crash(self) -> None:
        self.crashes += 1
        self.transcript.append(f"{self.now_s:9.2f}  CRASH")
        self.epoch += 1
        self.inbox.clear()
        self.now_s += self.rnd.uniform(0.1, 20.0)
        self.machine = self._restore()

    def _note(self, heard: list[facts.Fact], step: Step) -> None:
        for fact in heard:
            self.transcript.append(f"{self.now_s:9.2f}  heard {fact}")
        for row in (*step.files, *step.lanes, *step.sources):
            self.transcript.append(f"{self.now_s:9.2f}    row {row}")
        for command in step.commands:
            self.transcript.append(f"{self.now_s:9.2f}    does {command}")

    def _rests(self) -> bool:
        return self.machine.at_rest() and not self.hands.effects and not self.inbox

    # ---- the promises -----------------------------------------------------------------

    def _check_step(self, step: Step) -> None:
        for row in step.files:
            before = self.journal.files.get(row.key, FileRow(row.key))
            if row.synced not in (before.synced, ABSENT):
                self.cloud.claimed[row.item] = row.synced
                runs = self.cloud.succeeded.get((row.item, row.synced), [])
                ours = [run for run in runs if self.cloud.runs[run].ours]
                assert ours, f"P3/P6: {row.key} counts as synced without a run of ours"
            if row.seen == ABSENT != before.seen:
                gone = row.key not in self.drive.files
                assert gone, f"P7: {row.key} counts as gone but is there"
            if row.stored not in (ABSENT, IN_DOUBT, before.stored):
                held = self.drive.whole[row.key]
                assert row.stored in held, f"P1: {row.key} stored torn content {row.stored}"
        stores = [c for c in step.commands if isinstance(c, commands.Store)]
        lane = next(iter(step.lanes), self.journal.lanes.get("imodel", LaneRow("imodel")))
        running = lane.phase in (Phase.RUNNING, Phase.STARTING)
        assert not (stores and running), f"P4: {stores} while a run of ours may be active"

    def asks_for(self, connection: str) -> bool:
        """Tell whether a run of this connection that begins now is as good as ours.

        Between our look at the connection's newest run and the answer to our start request, all
        that ours would cover is in Storage. If that answer is lost, a run that somebody else
        begins right then cannot be told from ours, and counting it is true all the same.
        """
        lane = self.journal.lanes.get("imodel", LaneRow("imodel"))
        remote = self.journal.connections.get(lane.connection)
        asking = lane.phase in (Phase.PREPARING, Phase.STARTING)
        return asking and remote is not None and remote.remote_id == connection

    def _check_rest(self) -> None:
        assert self.machine.at_rest(), f"P2: not at rest after {REST_S} s of calm"
        for full, file in self.drive.files.items():
            row = self.journal.files.get(full)
            assert row is not None, f"P2: {full} was never noticed"
            if row.item in self.cloud.bad_items or row.aside:
                assert row.aside, f"P9: {full} fails for ever and is not set aside"
                assert row.item in self.cloud.bad_items or "refused" in row.aside, row
                continue
            digests = (row.seen, row.stored, row.synced)
            assert digests == (file.content,) * 3, f"P2: {full} holds {file.content}, row {row}"
            blob = self.cloud.blobs[row.item]
            assert blob.complete, f"P2: {full} is not complete in Storage"
            assert blob.content == file.content, f"P2: Storage holds {blob.content} of {full}"
        for row in self.journal.files.values():
            there = row.key in self.drive.files
            assert there or row.seen == ABSENT, f"P2: {row.key} is gone and counts as there"
        assert not self.cloud.superfluous, f"P5: runs without new content {self.cloud.superfluous}"
