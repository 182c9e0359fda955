# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The bugs themselves: each takes a good function and returns a bad one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twinsyncd.core import facts
from twinsyncd.core.drive import Drive
from twinsyncd.core.lane import Lane
from twinsyncd.core.lane_state import LaneState
from twinsyncd.core.ledger import Ledger
from twinsyncd.core.machine import Machine
from twinsyncd.core.model import (
    ABSENT,
    IN_DOUBT,
    Fault,
    FileKey,
    Need,
    Now,
    Phase,
)
from twinsyncd.core.results import Outcome
from twinsyncd.core.run_ends import RunEnds
from twinsyncd.core.runs import Runs
from twinsyncd.core.stages import Stages
from twinsyncd.core.stores import Stores


def after(extra: Callable[..., None]) -> Callable[[Any], Any]:
    """Do something more when the method is through."""

    def spoil(good: Any) -> Any:
        def bad(self: Any, *args: Any, **named: Any) -> Any:
            result = good(self, *args, **named)
            extra(self, *args)
            return result

        return bad

    return spoil


def always(result: Any) -> Callable[[Any], Any]:
    return lambda _good: lambda *_args, **_named: result


def value(value: Any) -> Callable[[Any], Any]:
    return lambda _good: value


def change_without(*fields: str) -> Callable[[Any], Any]:
    """Lose some fields of every change to a row."""

    def spoil(good: Any) -> Any:
        def bad(self: Any, key: FileKey, **changes: Any) -> Any:
            return good(self, key, **{k: v for k, v in changes.items() if k not in fields})

        return bad

    return spoil


# ---- Storage ----------------------------------------------------------------------------


def begin_unmarked(good: Any) -> Any:
    def bad(self: Any, connection: str, row: Any, now: Now) -> Any:
        command = good(self, connection, row, now)
        self.ledger.put(row)
        return command

    return bad


def change_hides_doubt(good: Any) -> Any:
    def bad(self: Ledger) -> Any:
        return tuple(row for row in good(self) if row.stored != IN_DOUBT)

    return bad


def count_the_newest(self: Stores, fact: Any, now: Now) -> None:
    if isinstance(fact, facts.Stored):
        self.ledger.change(fact.key, stored=self.ledger.get(fact.key).seen)


def store_in(*phases: Phase) -> Callable[[Any], Any]:
    """Store in further phases, whatever the lane is waiting for."""

    def spoil(good: Any) -> Any:
        def bad(self: Lane, now: Now) -> Any:
            if self.state.row.phase in phases and now.at_s >= self.state.due_s:
                stores = self.stores.plan([c.key for c in self.connections], now)
                return [*stores, *good(self, now)]
            return good(self, now)

        return bad

    return spoil


def stage_again(self: Stages, _fact: Any, _now: Now) -> None:
    self._begun.clear()


def store_again(self: Drive, fact: facts.Hashed, now: Now) -> None:
    row = self.ledger.get(fact.key)
    if row.stored == row.seen:
        self.ledger.put(replace(row, stored=ABSENT))


# ---- runs -------------------------------------------------------------------------------


def adopt(good: Any) -> Any:
    def bad(self: Runs, fact: Any, now: Now) -> None:
        if isinstance(fact, facts.RunRefused):
            fact = facts.RunStarted(fact.connection, fact.active_run)
        good(self, fact, now)

    return bad


def cover_at_the_end(good: Any) -> Any:
    def bad(self: Runs, fact: facts.RunSeen, now: Now) -> None:
        if fact.outcome is Outcome.ACTIVE or self.state.row.phase is not Phase.RUNNING:
            good(self, fact, now)
            return
        for row in self.unsynced(fact.connection):
            self.ledger.change(row.key, covered=row.stored)
        for row in self.ledger.covered(fact.connection):
            self.ledger.change(row.key, covered=row.seen or row.covered)
        good(self, fact, now)

    return bad


def unsynced_with_doubt(good: Any) -> Any:
    def bad(self: Runs, connection: str) -> Any:
        doubtful = self.ledger.needing(connection, Need.STORE)
        rows = [replace(row, stored=row.seen) for row in doubtful if row.stored == IN_DOUBT]
        return [*good(self, connection), *(row for row in rows if row.storage_id)]

    return bad


def retry_blindly(good: Any) -> Any:
    def bad(self: Runs) -> Any:
        self.in_doubt = False
        return good(self)

    return bad


def load_wanted(_good: Any) -> Any:
    def bad(self: Any, connections: Any, now: Now) -> None:
        for connection in connections:
            for row in self.ledger.needing(connection, Need.STORE):
                if row.stored == IN_DOUBT:
                    self.doubts[row.key] = now.at_s

    return bad


def expect_the_same_file(_good: Any) -> Any:
    def bad(self: Any, _connections: Any, _now: Now) -> None:
        self.in_doubt = True

    return bad


def keep_old_cover(good: Any) -> Any:
    def bad(self: Any, connections: Any, now: Now) -> None:
        covered = [row for name in connections for row in self.ledger.covered(name)]
        good(self, connections, now)
        for row in covered:
            self.ledger.put(row)

    return bad


def forget_doubt(good: Any) -> Any:
    def bad(self: Any, *args: Any) -> Any:
        lane = good(self, *args)
        lane.runs.in_doubt = False
        return lane

    return bad


def outcome(old: Outcome, new: Outcome) -> Callable[[Any], Any]:
    def spoil(good: Any) -> Any:
        def bad(seen: facts.RunSeen, covered: Any) -> Any:
            wrong = replace(seen, outcome=new, files=(), unauthorised=False)
            return good(wrong if seen.outcome is old else seen, covered)

        return bad

    return spoil


def no_results(good: Any) -> Any:
    return lambda seen, covered: good(replace(seen, files=()), covered)


def found_any(good: Any) -> Any:
    def bad(self: Runs, fact: facts.RunFound, now: Now) -> None:
        self.state.set(last_run="")
        good(self, fact, now)

    return bad


def prepared_anyway(self: Runs, fact: Any, now: Now) -> None:
    if isinstance(fact, facts.Prepared) and self.state.row.phase is Phase.QUIET:
        self.state.set(phase=Phase.STARTING, last_run=fact.last_run, asks=0)


def not_mapped(good: Any) -> Any:
    def bad(self: Runs, fact: Any, now: Now) -> None:
        good(
            self, replace(fact, in_connection=()) if isinstance(fact, facts.Prepared) else fact, now
        )

    return bad


def bad_file_blocks(good: Any) -> Any:
    def bad(self: Lane, connection: Any, now: Now) -> bool:
        aside = self.ledger.count(connection.key, Need.ASIDE)
        return not aside and bool(good(self, connection, now))

    return bad


def hold_for_ever(good: Any) -> Any:
    def bad(self: Stores, connection: str, now: Now) -> float:
        held = [key for key in self.doubts if self.must_wait(key)]
        return math.inf if held else float(good(self, connection, now))

    return bad


def give_up(self: Runs, _fact: facts.RunSeen, now: Now) -> None:
    if self.ends.slow:
        self.abandon(facts.RunLookFailed, now)


def untell(self: RunEnds, now: Now) -> None:
    self.state.set(usual_s=None)


# ---- patience ---------------------------------------------------------------------------


def no_throttle(good: Any) -> Any:
    def bad(self: LaneState, failure: Any, now: Now) -> None:
        if failure.fault is not Fault.THROTTLED:
            good(self, failure, now)

    return bad


def shorter_wait(self: LaneState, wait_s: float, now: Now) -> None:
    self.due_s = now.at_s + wait_s
    self.set(not_before_s=now.wall_s + wait_s)


def forget_wait(self: LaneState, _now: Now) -> None:
    self.set(not_before_s=0.0)


# ---- saved state -----------------------------------------------------------------------------


def forget_memory(*names: str) -> Callable[[Any], Any]:
    def spoil(good: Any) -> Any:
        def bad(self: Machine, setup: Any, saved_state: Any, *args: Any, **named: Any) -> None:
            good(self, setup, replace(saved_state, **{name: {} for name in names}), *args, **named)

        return bad

    return spoil


def forget_id(good: Any) -> Any:
    return lambda self, row: good(self, replace(row, storage_id=""))


def keep_mapped(good: Any) -> Any:
    def bad(self: Ledger, row: Any) -> None:
        good(self, row)
        if row.replaces:
            row = replace(self.get(row.key), in_connection=True)
            self._changed[row.key] = row
            self._index(row)

    return bad
