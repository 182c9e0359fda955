"""One lane: keeps the iModel of some connections in step with Storage, one run at a time.

    QUIET ──(all stored, some unsynced, batch quiet)──▶ PREPARING
    PREPARING ── prepared, content to process ──▶ STARTING
    PREPARING ── prepared, nothing left to process ──▶ QUIET
    STARTING ── 202, or our run found after a lost answer ──▶ RUNNING
    STARTING ── 303 ──▶ BLOCKED (somebody else's), or RUNNING (ours, its answer was lost)
    STARTING ── the connection does not exist any more ──▶ QUIET
    PREPARING, STARTING ── the time for runs is over, and none may have begun ──▶ QUIET
    RUNNING, BLOCKED ── the run ended, or does not exist any more ──▶ QUIET
    at start-up, the connection is not configured any more:
    PREPARING, STARTING ──▶ QUIET        RUNNING, BLOCKED ──▶ BLOCKED

transitions.py has the same as a table, which `LaneState.enter` asserts.
`plan` looks only at the present state, never at which fact came last. An impossible fact is
an assertion. Halted is not a phase: a halted lane keeps its place and goes on from there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from . import commands, facts
from .batches import Batches
from .comparison import Comparisons
from .lane_state import LaneState
from .ledger import Ledger
from .model import ConnectionKey, FileRow, Need, Now, Phase
from .moves import Moves
from .placements import Placements
from .removals import Removals
from .run_windows import RunWindows
from .runs import Runs
from .setup import Connection
from .stages import Stages
from .stores import Stores
from .transitions import Occasion

_LEFT: Final = (Need.PLACE, Need.RUN)  # work that waits for nothing on the drive


@dataclass(slots=True)
class Lane:
    """Decides for one iModel; the row in `state` is durable, the rest is rebuilt at start-up."""

    state: LaneState
    connections: tuple[Connection, ...]
    ledger: Ledger
    moves: Moves
    placements: Placements
    stages: Stages
    stores: Stores
    runs: Runs
    comparisons: Comparisons
    removals: Removals
    unsettled: Callable[[ConnectionKey], bool]  # may files that nobody knows of yet follow?
    batches: Batches
    windows: RunWindows = field(init=False)  # when runs may begin

    def __post_init__(self) -> None:
        """Begin with the configured timetable."""
        self.windows = RunWindows(self.connections, self.runs.remotes, self.ledger, self.unsettled)

    def touch(self, connection: ConnectionKey, now: Now) -> None:
        """Note activity on the drive."""
        self.batches.touch(connection, now)

    def apply(self, fact: facts.StorageFact | facts.RunFact | facts.CompareFact, now: Now) -> None:
        """Apply one fact."""
        match fact:
            case facts.Reserved() | facts.Stored() | facts.StoreMoved() | facts.StoreFailed():
                self.stores.apply(fact, now)
            case facts.Staged() | facts.StageMoved() | facts.StageFailed():
                self.stages.ended(fact, now)
            case facts.Placed() | facts.PlaceFailed():
                self.placements.ended(fact, now)
            case facts.Removed() | facts.RemoveFailed():
                self.removals.ended(fact, now)
            case facts.Prepared() | facts.PrepareFailed():
                self.runs.prepared(fact, now)
            case facts.RunStarted() | facts.RunRefused() | facts.StartClashed():
                self.runs.start_answered(fact, now)
            case facts.StartFailed():
                self.runs.start_failed(fact, now)
            case facts.RunFound():
                self.runs.found(fact, now)
            case facts.RunSeen():
                self.runs.seen(fact, now)
            case facts.RunLookFailed():
                self.runs.look_failed(fact, now)
            case facts.Compared() | facts.CompareFailed():
                self.comparisons.ended(fact, now)
            case _:
                assert_never(fact)

    def hurry(self, now: Now) -> None:
        """End every wait, on a person's request."""
        self.state.hurry(now)
        self.stores.hurry()
        self.comparisons.hurry(now)

    def obey(self, fact: facts.SyncAsked | facts.PublishAsked, now: Now) -> None:
        """End every wait; who publishes ends that for the timetable, too."""
        if isinstance(fact, facts.PublishAsked):
            self.windows.publish(fact.connection, now)
        self.hurry(now)

    def plan(self, now: Now) -> Sequence[commands.CloudCommand]:
        """Return what to do in this state; the commands count as running from here on."""
        self.windows.note(now)
        self.runs.note(now)
        return (*self.stages.plan(self._going(), now), *self._plan_phase(now))

    def _plan_phase(self, now: Now) -> Sequence[commands.CloudCommand]:
        if self.state.asking or now.at_s < self.state.due_s:
            return ()
        if self.windows.must_give_up(self.state.row, in_doubt=self.runs.in_doubt):
            self.runs.abandon(Occasion.CLOSED, now)
        match self.state.row.phase:
            case Phase.QUIET:
                return self._plan_quiet(now)
            case Phase.PREPARING:
                return (self.runs.prepare(),)
            case Phase.STARTING:
                return (self.runs.start(),)
            case Phase.RUNNING | Phase.BLOCKED:
                return (self.runs.look(),)
            case phase:
                assert_never(phase)

    def deadline(self, now: Now) -> float | None:
        """Return the monotonic time [s] at which `plan` may have something new, or None."""
        if self.state.asking:
            return None
        if self.state.row.phase is not Phase.QUIET or self.state.due_s > now.at_s:
            if self._has_work(now):
                return self.state.due_s
            later_s = max(self.state.due_s, self.comparisons.next_due())
            return later_s if later_s < math.inf else None
        times = [self.stores.next_due(now), self.moves.due_s, self.comparisons.next_due()]
        for connection in self._going():
            times += self._run_times(connection, now)
        later = [time for time in times if time is not None and now.at_s < time < math.inf]
        return min(later, default=None)

    def is_idle(self, *, compared: bool = True) -> bool:
        """Return whether nothing runs or is left to do now; if not `compared`, but comparisons."""
        if self.state.asking or self._is_storing() or self.state.row.phase is not Phase.QUIET:
            return False
        keys = [connection.key for connection in self._going()]
        if compared and self.comparisons.pending.intersection(keys):
            return False
        to_store = (row for key in keys for row in self.ledger.needing(key, Need.STORE))
        if any(not self.stores.must_wait(row.key) for row in to_store):
            return False
        open_ones = [key for key in keys if key not in self.windows.closed]
        left = (row for key in open_ones for row in self._to_remove(key))
        if any(not self.removals.must_wait(row.key) for row in left):
            return False
        placed = not any(self.ledger.count(key, Need.PLACE) for key in keys)
        return placed and not any(self.ledger.count(key, Need.RUN) for key in open_ones)

    def failures(self) -> int:
        """Return the most failures in a row: of the lane, or of one comparison."""
        return max(self.state.row.attempts, *self.comparisons.failures.values(), 0)

    def _has_work(self, now: Now) -> bool:
        if self.state.row.phase is not Phase.QUIET or self.comparisons.next_due() <= now.at_s:
            return True
        return any(
            self.ledger.count(connection.key, what)
            for connection in self._going()
            for what in (*_LEFT, Need.STORE, Need.REMOVE)
        )

    def _plan_quiet(self, now: Now) -> Sequence[commands.CloudCommand]:
        """Compare, store, then run; a connection that waited too long is run before more stores."""
        self._note_waiting(now)
        in_turn = self._in_turn()
        keys = [connection.key for connection in in_turn]
        while (to_compare := self.comparisons.due(keys, now)) is not None:
            if self._is_storing():
                return ()
            if (command := self.comparisons.begin(to_compare, now)) is not None:
                return (command,)
        overdue = next((c for c in in_turn if self._is_overdue(c, now)), None)
        if overdue is None:
            stores = self._plan_stores(keys, now)
            if stores or self._is_storing():
                return stores
            to_clear = next((c.key for c in in_turn if self._may_remove(c, now)), None)
            if to_clear is not None:
                return (self.removals.begin(to_clear, now),)
        elif self._is_storing():
            return ()
        ready = (c for c in in_turn if self._is_ready(c, now) and not self._waits_for_root(c))
        chosen = self._ahead_of(overdue, in_turn, now) if overdue else next(ready, None)
        if chosen is None:
            return ()
        self.batches.run_began(chosen.key)
        return (self.runs.begin(chosen.key, now),)

    def _waits_for_root(self, connection: Connection) -> bool:
        return self.runs.roots.must_wait(connection.key)

    def _ahead_of(self, overdue: Connection, in_turn: Sequence[Connection], now: Now) -> Connection:
        """Return who goes before a connection that waited too long: a root that can go in now."""
        if not self._waits_for_root(overdue):
            return overdue
        roots = self.runs.roots
        ahead = (c for c in in_turn if roots.has_waiting(c.key) and self.can_run(c, now))
        return next(ahead, overdue)

    def _plan_stores(
        self, connections: Sequence[ConnectionKey], now: Now
    ) -> Sequence[commands.CloudCommand]:
        """Store what is new, and let what was renamed be what it was."""
        self.moves.due_s = math.inf
        stores = self.stores.plan(connections, now)
        self.moves.take_over(self.stores.doubts, now)
        return [*self.placements.plan(connections, now), *stores]

    def _is_storing(self) -> bool:
        return bool(self.stores.busy or self.stages.busy or self.placements.busy)

    def _may_remove(self, connection: Connection, now: Now) -> bool:
        """Return whether files that are gone are to be taken out by calls, and not by a run."""
        return not connection.names_files and self._is_to_clear(connection.key, now)

    def _is_to_clear(self, connection: ConnectionKey, now: Now) -> bool:
        """Return whether what is gone may go from the cloud: no new file can be one of them."""
        if self.unsettled(connection) or self.ledger.count(connection, Need.STORE):
            return False
        return next(self.removals.files(connection, now), None) is not None

    def _has_unmaps(self, connection: Connection) -> bool:
        return connection.names_files and self.ledger.count(connection.key, Need.REMOVE) > 0

    def _to_remove(self, connection: ConnectionKey) -> Iterator[FileRow]:
        """Yield the files that are to be taken out once nothing else is left to store."""
        if not self.ledger.count(connection, Need.STORE):
            yield from self.ledger.needing(connection, Need.REMOVE)

    def _going(self) -> list[Connection]:
        """Return the connections that no person has paused."""
        return [c for c in self.connections if not self.runs.remotes[c.key].paused_s]

    def _in_turn(self) -> list[Connection]:
        """Return the connections that are not paused, the one after the last served first."""
        keys = [connection.key for connection in self.connections]
        served = self.state.row.connection
        first = keys.index(served) + 1 if served in keys else 0
        going = self._going()
        turns = [c for c in (*self.connections[first:], *self.connections[:first]) if c in going]
        return self.runs.roots.connections_first(turns)

    def _note_waiting(self, now: Now) -> None:
        for connection in self.connections:
            key = connection.key
            to_run = bool(self.ledger.count(key, Need.RUN)) or self._has_unmaps(connection)
            to_store = bool(self.ledger.count(key, Need.STORE))
            self.batches.note(key, now, to_run=to_run, to_store=to_store)

    def _is_overdue(self, connection: Connection, now: Now) -> bool:
        return self.batches.is_overdue(connection, now) and self.can_run(connection, now)

    def _is_ready(self, connection: Connection, now: Now) -> bool:
        return self.batches.is_quiet(connection, now) and self.can_run(connection, now)

    def can_run(self, connection: Connection, now: Now) -> bool:
        """Return whether there is content for a run, and no store that may still change it.

        A file that keeps failing is set aside after a few tries, so it cannot delay this for long.
        """
        if connection.key in self.windows.closed:
            return False
        if now.at_s < self.stores.settled_s(connection.key, now):
            return False
        rows = self.ledger.needing(connection.key, Need.RUN)
        if any(self.stores.is_due(row, now) for row in rows):
            return True
        return connection.names_files and self._is_to_clear(connection.key, now)

    def _run_times(self, connection: Connection, now: Now) -> list[float | None]:
        times = self.batches.times(connection)
        if not times:
            return []
        settled_s = self.stores.settled_s(connection.key, now)
        return [*times, settled_s, self.windows.opens_at_s(connection, now)]
