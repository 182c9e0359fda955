"""The runs of one lane: prepare the connection, ask once for a run, watch it to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, assert_never

from . import authorization, commands, facts
from .comparison import Comparisons
from .events import Event, EventKind
from .lane_state import LaneState
from .late_stores import LateStores
from .ledger import Ledger
from .model import (
    ABSENT,
    IN_DOUBT,
    UNMAPPED,
    ConnectionKey,
    Failure,
    Fault,
    FileKey,
    FileRow,
    Need,
    Now,
    Phase,
    RunKey,
)
from .naming import named_files
from .remotes import Remotes
from .removals import Removals
from .results import Outcome
from .roots import Roots
from .run_ends import RunEnds
from .stores import Stores
from .transitions import Cause, Occasion
from .waits import delay_s

DISTANCE_S: Final = 2.0  # between starts that brought no run of ours, doubled each time
CLASH_S: Final = 2.0  # several start requests came at once: a short wait, then ask again


@dataclass(slots=True)
class Runs:
    """Takes one lane through PREPARING, STARTING, RUNNING and BLOCKED back to QUIET."""

    state: LaneState
    ledger: Ledger
    stores: Stores
    removals: Removals
    remotes: Remotes
    comparisons: Comparisons
    is_reference: Callable[[FileKey], bool]
    ends: RunEnds
    roots: Roots
    late_stores: LateStores
    naming: frozenset[ConnectionKey] = frozenset()  # whose runs must be given their files
    in_doubt: bool = False  # an answer to a start request was lost, perhaps by an earlier process

    def note(self, now: Now) -> None:
        """Note what keeps runs waiting although there is content for them."""
        self.roots.note(now)
        self.late_stores.note(now)

    def resume(self, connections: Sequence[ConnectionKey], now: Now) -> None:
        """Continue what an earlier process left; the configuration may have changed since.

        The active run of a connection that is gone still keeps the iModel: it is waited for like
        somebody else's. What a run had covered counts only as long as that run is watched.
        """
        self.in_doubt = True  # an earlier process may have lost the answer to a start request
        row = self.state.row
        if row.phase is not Phase.QUIET and row.connection not in connections:
            active = row.phase in (Phase.RUNNING, Phase.BLOCKED)
            phase, run = (Phase.BLOCKED, row.run) if active else (Phase.QUIET, "")
            cause = Occasion.RESUMED
            self.state.enter(phase, cause, now, connection=connections[0], run=run, asks=0)
        ours = self.state.row.phase in (Phase.STARTING, Phase.RUNNING)
        for connection in connections:
            if not (ours and connection == self.state.row.connection):
                self._uncover(connection)

    # ---- decisions out ----------------------------------------------------------------

    def begin(self, connection: ConnectionKey, now: Now) -> commands.Prepare:
        """Prepare this connection for a run."""
        self.state.enter(Phase.PREPARING, Occasion.PLANNED, now, connection=connection)
        return self.prepare()

    def prepare(self) -> commands.Prepare:
        """Ask for the connection, complete with the files that a run would cover."""
        self.state.asking = True
        name = self.state.row.connection
        files = tuple(
            commands.ExpectedFile(row.key, row.storage_id, row.replaces)
            for row in self.unsynced(name)
            if not self.is_reference(row.key)
        )
        return commands.Prepare(name, self._remote_id(name), files, self.remotes[name].last_run)

    def start(self) -> commands.StartRun | commands.FindRun:
        """Ask for a run; after a lost answer look first whether it is there."""
        self.state.asking = True
        name = self.state.row.connection
        if self.in_doubt and self.state.row.asks:
            return commands.FindRun(name, self._remote_id(name))
        self.state.set(asks=self.state.row.asks + 1)  # durable before the effect
        files = named_files(self.ledger.every(name)) if name in self.naming else ()
        return commands.StartRun(name, self._remote_id(name), files)

    def look(self) -> commands.LookAtRun:
        """Look at the run that is watched."""
        self.state.asking = True
        return commands.LookAtRun(self.state.row.connection, self.state.row.run)

    # ---- facts in ---------------------------------------------------------------------

    def prepared(self, fact: facts.Prepared | facts.PrepareFailed, now: Now) -> None:
        """Decide what the run will cover, before it is asked for."""
        assert self.state.row.phase is Phase.PREPARING, "nothing was being prepared"
        self.state.asking = False
        if isinstance(fact, facts.PrepareFailed):
            self._prepare_failed(fact, now)
            return
        self._note_connection(fact, now)
        if fact.was_there or not fact.storage_as_expected:
            self.comparisons.soon(fact.connection, now)
        if not fact.last_run_known:
            self.comparisons.distrust_runs(fact.connection, now)
        for key, reason in fact.refused:
            self.ledger.set_aside(replace(self.ledger.get(key), aside=reason), now)
        rows = self.unsynced(fact.connection)
        if any(not row.in_connection and not self.is_reference(row.key) for row in rows):
            incomplete = "the connection does not hold all its files yet"
            self.state.failed(Failure(Fault.TRANSIENT, incomplete), now)
            return
        self.state.succeeded(now)
        for row in rows:
            self.ledger.change(row.key, covered=row.stored)
        gone = list(self._unmaps(fact.connection, now))
        for row in gone:
            self.ledger.change(row.key, covered=UNMAPPED)
        phase = Phase.STARTING if rows or gone else Phase.QUIET
        self.state.enter(phase, facts.Prepared, now, last_run=fact.last_run, asks=0)

    def start_answered(
        self, fact: facts.RunStarted | facts.RunRefused | facts.StartClashed, now: Now
    ) -> None:
        """Watch our run, or wait for the one that blocks it."""
        assert self.state.row.phase is Phase.STARTING, "no run was asked for"
        self.state.asking = False
        match fact:
            case facts.RunStarted(_, run):
                self._run_is_ours(run, facts.RunStarted, now)
            case facts.RunRefused(_, run, on_our_connection):
                lost_one = self.state.row.asks > 1
                if lost_one and on_our_connection and run != self.state.row.last_run:
                    self._run_is_ours(run, facts.RunRefused, now)
                else:
                    self._uncover(fact.connection)
                    self.state.enter(Phase.BLOCKED, facts.RunRefused, now, run=run, asks=0)
                    self._note(EventKind.RUN_BLOCKED, run, now)
                    self.state.poll_later(now)
            case facts.StartClashed():
                self.state.set(asks=self.state.row.asks - 1)
                self.state.wait(CLASH_S * (1.0 - self.state.jitter() / 2.0), now)
                self._keep_distance(now)
                if fact.reason and self.state.row.fruitless > 1:  # one alone is nothing to show
                    self.state.give_reason(fact.reason, now)
            case _:
                assert_never(fact)

    def start_failed(self, fact: facts.StartFailed, now: Now) -> None:
        """Keep the doubt if a run may have begun nevertheless; otherwise ask again later."""
        assert self.state.row.phase is Phase.STARTING, "no run was asked for"
        self.state.asking = False
        if fact.failure.fault is Fault.GONE:  # the connection: to be found or made again
            self.abandon(facts.StartFailed, now)
            self.state.failed(replace(fact.failure, fault=Fault.TRANSIENT), now)
            return
        self.state.failed(fact.failure, now)
        if fact.failure.fault is Fault.TRANSIENT:
            self.in_doubt = True
        else:
            self.state.set(asks=self.state.row.asks - 1)

    def found(self, fact: facts.RunFound, now: Now) -> None:
        """Adopt the run whose answer was lost: on our connection, newer than our last look."""
        assert self.state.row.phase is Phase.STARTING, "no run was asked for"
        self.state.asking = False
        self.in_doubt = False
        if fact.run not in ("", self.state.row.last_run):
            self._run_is_ours(fact.run, facts.RunFound, now)

    def seen(self, fact: facts.RunSeen, now: Now) -> None:
        """Poll on, or take the result of our run; somebody else's success is not ours."""
        assert fact.run == self.state.row.run, f"{fact.run} is not the run that is watched"
        self.state.asking = False
        self.state.succeeded(now)
        if fact.outcome is Outcome.ACTIVE:
            self.state.poll_later(now)
            self.ends.notice_length(now)
            return
        if self.state.row.phase is Phase.RUNNING:
            self.state.set(fruitless=0)
            self.ends.ended(fact, now)
            self.remotes.change(fact.connection, last_run=fact.run, published_s=0.0)
            if self.ends.left_unproven:
                self.comparisons.soon(fact.connection, now)
        else:
            self._keep_distance(now)
        self.state.enter(Phase.QUIET, facts.RunSeen, now, run="")

    def look_failed(self, fact: facts.RunLookFailed, now: Now) -> None:
        """Look again later; a run that does not exist any more is given up."""
        self.state.asking = False
        hidden = self.state.row.phase is Phase.BLOCKED and fact.failure.fault is Fault.REFUSED
        if fact.failure.fault is Fault.GONE or hidden:
            self._note(EventKind.RUN_LOST, fact.run, now, fact.failure.message)
            self.abandon(facts.RunLookFailed, now)
            self.state.poll_later(now)
            self._keep_distance(now)
        else:
            self.state.failed(fact.failure, now)

    # ---- inside -----------------------------------------------------------------------

    def _prepare_failed(self, fact: facts.PrepareFailed, now: Now) -> None:
        """Try again later; a connection that somebody deleted is created again."""
        failure = fact.failure
        if failure.fault is Fault.GONE and self._remote_id(fact.connection):
            self.remotes.lost(fact.connection, failure.message, now)
            failure = replace(failure, fault=Fault.TRANSIENT)
        if failure.fault is Fault.NOT_AUTHORISED:
            self.remotes.put(authorization.revoked(self.remotes[fact.connection]))
        self.state.failed(failure, now)

    def _note_connection(self, fact: facts.Prepared, now: Now) -> None:
        """Note which connection it is, and which of the files it was asked for it holds."""
        self.remotes.found(fact.connection, fact.remote_id, now)
        self.remotes.put(
            authorization.authorised(self.remotes[fact.connection], now)
            if fact.authorised
            else authorization.revoked(self.remotes[fact.connection])
        )
        held = set(fact.in_connection)
        for row in self.unsynced(fact.connection):
            if row.key in held:
                self.ledger.change(row.key, in_connection=True, replaces=())
            else:
                self.ledger.change(row.key, in_connection=False)

    def _unmaps(self, connection: ConnectionKey, now: Now) -> Iterator[FileRow]:
        """Yield the files that the run is to take out of the iModel."""
        if connection in self.naming:
            yield from self.removals.files(connection, now)

    def _note(self, kind: EventKind, run: RunKey, now: Now, text: str = "") -> None:
        connection = self.state.row.connection
        self.ledger.events.add(Event(kind, now.wall_s, connection, run=run, text=text))

    def _keep_distance(self, now: Now) -> None:
        """Let the next start wait, longer after each that ended without a run of ours (P10).

        The first costs nothing: a foreign run that ends is followed by ours at once.
        """
        fruitless = self.state.row.fruitless + 1
        self.state.set(fruitless=fruitless)
        if fruitless > 1:
            self.state.wait(delay_s(fruitless - 1, 0.0, base_s=DISTANCE_S), now)

    def _remote_id(self, connection: ConnectionKey) -> str:
        return self.remotes[connection].remote_id

    def unsynced(self, connection: ConnectionKey) -> list[FileRow]:
        """Return the rows whose content in Storage is known, new, and not set aside."""
        rows = [
            row
            for what in (Need.RUN, Need.STORE)
            for row in self.ledger.needing(connection, what)
            if row.stored not in (ABSENT, IN_DOUBT, row.synced)
        ]
        return self.roots.in_order(rows)

    def _uncover(self, connection: ConnectionKey) -> None:
        for row in self.ledger.covered(connection):
            self.ledger.change(row.key, covered=ABSENT)

    def abandon(self, cause: Cause, now: Now) -> None:
        self._uncover(self.state.row.connection)
        self.state.enter(Phase.QUIET, cause, now, run="", asks=0)

    def _run_is_ours(self, run: RunKey, cause: Cause, now: Now) -> None:
        self.in_doubt = False
        self.state.succeeded(now)
        self.state.enter(Phase.RUNNING, cause, now, run=run, asks=0)
        self._note(EventKind.RUN_STARTED, run, now)
        self.state.poll_later(now)
