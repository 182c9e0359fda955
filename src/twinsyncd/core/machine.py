"""Decides: facts go in, rows to commit and commands to carry out come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, assert_never

from . import commands, facts
from .decision import Decision, FileRows, SavedState
from .drive import Drive
from .drive_facts import source_of
from .events import Event, EventKind
from .homes import forget_earlier_homes
from .lane import Lane
from .lane_making import LaneMaker
from .lane_queue import LaneQueue
from .ledger import Ledger
from .match import Kind
from .model import (
    ConnectionKey,
    ConnectionRow,
    FileKey,
    LaneKey,
    LaneRow,
    Now,
    SourceKey,
    SourceRow,
)
from .progress import UnsettledFile
from .rehash import Rehasher
from .remotes import Remotes
from .results import RunFile, RunRecord, SlowRun
from .run_windows import event_of
from .settle import Settler
from .setup import Setup

UNSEEN: Final = "a look did not find it; a list of its folders shows whether it is gone"
UNSETTLED_NAMED: Final = 20  # unsettled files that a person is shown by name


class Machine:
    """Deterministic: the same memory, facts and times give the same steps."""

    def __init__(
        self,
        setup: Setup,
        saved_state: SavedState,
        rows: FileRows,
        now: Now,
        *,
        kind_of: Callable[[FileKey], Kind | None],
        jitter: Callable[[], float],
        comes_first: Callable[[FileKey], bool] = lambda _key: False,
    ) -> None:
        """Continue from the saved state; start-up is the same code as recovery.

        `kind_of` returns what a file is to its connection, None if it does not matter.
        `jitter` returns a number in [0, 1). `comes_first`: whether a file is its iModel's root.
        """
        self._connection_of = {source.key: source.connection for source in setup.sources}
        self._connections = {connection.key: connection for connection in setup.connections}
        self._ledger = Ledger(rows, lambda key: self._connection_of[key.source], comes_first)
        self._ledger.load(self._connection_of)
        known = saved_state.connections
        rows_of = {key: known.get(key, ConnectionRow(key)) for key in self._connections}
        self._remotes = Remotes(self._ledger, rows_of)
        forget_earlier_homes(setup.connections, self._remotes, self._ledger, now)
        sources = {source.key: source for source in setup.sources}
        settler = Settler(lambda key: sources[key.source].quiet_of(key.path))
        rehasher = Rehasher(rows, setup.rehash_every_s)
        self._drive = Drive(self._ledger, settler, jitter, self._note_activity, rehasher)
        for source in setup.sources:
            row = saved_state.sources.get(source.key, SourceRow(source.key))
            if row.patterns != source.patterns:
                self._ledger.leave_out(source.key, lambda key: kind_of(key) is not None, now)
            self._drive.add(source, row, now)
        maker = LaneMaker(
            setup, saved_state, self._ledger, self._remotes, self._drive, kind_of, jitter
        )
        lanes = maker.make_all(now)
        self._queue = LaneQueue(lanes, self._remotes.places)
        self._lanes = lanes

    def handle(self, happened: Sequence[facts.Fact], now: Now) -> Decision:
        """Apply the facts in order and decide what to do now."""
        for fact in happened:
            self._apply(fact, now)
        self._remotes.warn_of_lapses(now)
        cloud = self._queue.plan(now)
        drive = self._drive.plan(now)  # lanes may ask for looks
        return self._decision((*drive, *cloud))

    def deadline(self, now: Now) -> float | None:
        """Return the monotonic time [s] at which `handle` is next useful without a fact."""
        times = (self._drive.deadline(), self._queue.deadline(now))
        return min((time for time in times if time is not None), default=None)

    def is_idle(self, *, compared: bool = True) -> bool:
        """Return whether all that can be done now is done; if not `compared`, but comparisons."""
        if not self._drive.is_idle():
            return False
        if compared:
            return self._queue.is_idle()
        return all(lane.is_idle(compared=False) for lane in self._lanes.values())

    def failures(self) -> int:
        """Return the most failures in a row that any lane, or comparison, has had."""
        return max((lane.failures() for lane in self._lanes.values()), default=0)

    def unsettled(self) -> int:
        """Return how many files are not known to be settled, or perhaps gone."""
        return len(self._drive.settler) + len(self._unseen_files())

    def unsettled_files(self, now: Now) -> list[UnsettledFile]:
        """Return some of those files, the longest waiting first."""
        found = self._drive.settler.longest_unsettled(UNSETTLED_NAMED) + self._unseen_files()
        return [
            UnsettledFile(key.source, key.path, now.wall_s - (now.at_s - first_s), awaits)
            for key, first_s, awaits in sorted(found, key=lambda each: each[1])[:UNSETTLED_NAMED]
        ]

    def _unseen_files(self) -> list[tuple[FileKey, float, str]]:
        return [
            (FileKey(source, path), since_s, UNSEEN)
            for source, watched in self._drive.watched.items()
            for path, since_s in watched.unseen.items()
            if FileKey(source, path) not in self._drive.settler
        ]

    def unlisted(self) -> list[SourceKey]:
        """Return the sources not scanned since the start."""
        return [key for key, watched in self._drive.watched.items() if not watched.scanned]

    def missing(self) -> int:
        """Return how many remembered files were not on the drive, and do not count as gone yet."""
        return self._drive.missing()

    def storing(self) -> int:
        """Return how many files are on their way to Storage."""
        return self._queue.storing()

    def halts(self) -> dict[LaneKey, str]:
        """Return why lanes are halted, by iModel id."""
        return {k: lane.state.row.halt for k, lane in self._lanes.items() if lane.state.row.halt}

    def waits(self, *, for_person: bool) -> dict[LaneKey, str]:
        """Return why lanes wait for a person to sign in or agree, or else ("": they do not)."""
        rows = {key: lane.state.row for key, lane in self._lanes.items()}
        return {k: r.wait_reason for k, r in rows.items() if r.needs_person is for_person}

    def refused_comparisons(self) -> dict[ConnectionKey, str]:
        """Return why comparisons with the cloud fail now, until a person corrects something."""
        failing = [key for lane in self._lanes.values() for key in lane.comparisons.failures]
        rows = map(self._remotes.__getitem__, failing)
        return {row.key: row.compare_failed for row in rows if row.compare_refused}

    def _apply(self, fact: facts.Fact, now: Now) -> None:
        if isinstance(fact, facts.DriveFact):
            self._woken(self._lane_of_source(source_of(fact)))
            self._drive.apply(fact, now)
        elif isinstance(fact, facts.StorageFact):
            self._woken(self._lane_of_source(fact.key.source)).apply(fact, now)
            if isinstance(fact, facts.StoreMoved | facts.StageMoved):
                self._drive.look_again(fact.key, now)
        elif isinstance(fact, facts.RunFact | facts.CompareFact):
            self._woken(self._lane_of(fact.connection)).apply(fact, now)
        elif isinstance(fact, facts.PersonFact):
            self._queue.wake_all()
            self._obey(fact, now)
        else:
            assert isinstance(fact, facts.Ticked), f"{fact} is no fact"

    def _obey(self, fact: facts.PersonFact, now: Now) -> None:
        match fact:
            case facts.SyncAsked() | facts.PublishAsked():
                self._ledger.events.add(event_of(fact, now))
                self._drive.hurry(now)
                for lane in self._lanes.values():
                    lane.obey(fact, now)
            case facts.SignedIn(authorised):
                self._go_on_signed_in(now, authorised=authorised)
            case facts.RetryAsked(key, reason):
                self._retry(key, reason, now)
            case facts.ApproveAsked(findings):
                self._drive.approve(findings, now)
            case facts.PauseAsked(connection):
                self._remotes.pause(connection, now)
            case facts.ResumeAsked(connection):
                self._remotes.resume(connection, now)
            case _:
                assert_never(fact)

    def _go_on_signed_in(self, now: Now, *, authorised: bool) -> None:
        self._ledger.events.add(Event(EventKind.SIGNED_IN, now.wall_s))
        for lane in self._lanes.values():
            if lane.state.row.needs_person or lane.state.row.halt:
                lane.hurry(now)
        if authorised:
            self._remotes.renew_authorizations(now)

    def _retry(self, key: FileKey | None, reason: str, now: Now) -> None:
        for each in self._ledger.aside() if key is None else (key,):
            self._drive.settler.begin_anew(each, now.at_s)
            self._drive.retry(each, now)
        for name, lane in self._lanes.items():
            meant = key is None or self._lane_key_of(key) == name
            if meant and (lane.state.row.halt or lane.comparisons.failures):
                lane.hurry(now)
        asked = Event(EventKind.RETRY_ASKED, now.wall_s, text=reason)
        if key is not None:
            asked = replace(asked, source=key.source, path=key.path)
        self._ledger.events.add(asked)

    def _decision(self, todo: tuple[commands.Command, ...]) -> Decision:
        """Return what is to be committed and begun; most decisions change few rows or none."""
        lanes: list[LaneRow] = []
        history: list[RunRecord] = []
        slow: list[SlowRun] = []
        run_files: list[RunFile] = []
        for lane in map(self._lanes.__getitem__, self._queue.asked):
            if lane.state.changed:
                lane.state.changed = False
                lanes.append(lane.state.row)
            history += lane.runs.ends.take_history()
            run_files += lane.runs.ends.take_run_files()
            slow += lane.runs.ends.take_slow()
        sources = tuple(self._drive.changed.values())
        self._drive.changed.clear()
        return Decision(
            files=self._ledger.take_changes(),
            lanes=tuple(lanes),
            connections=self._remotes.take_changes(),
            sources=sources,
            history=tuple(history),
            run_files=tuple(run_files),
            events=self._ledger.events.take(),
            commands=todo,
            slow=tuple(slow),
        )

    def _note_activity(self, connection: ConnectionKey, now: Now) -> None:
        self._woken(self._lane_of(connection)).touch(connection, now)

    def _woken(self, lane: Lane) -> Lane:
        """Return the lane, which is asked what to do by this decision."""
        self._queue.wake(lane.state.row.key)
        return lane

    def _lane_of(self, connection: ConnectionKey) -> Lane:
        return self._lanes[self._connections[connection].lane]

    def _lane_key_of(self, key: FileKey) -> LaneKey | None:
        """Return the lane of a file; None if its source is not configured any more."""
        connection = self._connection_of.get(key.source)
        return None if connection is None else self._connections[connection].lane

    def _lane_of_source(self, source: SourceKey) -> Lane:
        return self._lane_of(self._connection_of[source])
