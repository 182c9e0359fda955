"""Planted bugs: each must be caught by a promise, or a promise is missing.

`python -m simulation mutants` plants one after the other in the core and counts the seeds until
a world notices. Nothing in src is edited; a bug is a patched function while its worlds run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from twinsyncd.core import drive, facts, pace, safety, verdict
from twinsyncd.core import runs as runs_module
from twinsyncd.core import stores as stores_module
from twinsyncd.core.drive import Drive
from twinsyncd.core.lane import Lane
from twinsyncd.core.ledger import Ledger
from twinsyncd.core.machine import Machine
from twinsyncd.core.model import ABSENT, IN_DOUBT, Fault, FileKey, Need, Now, Outcome, Phase
from twinsyncd.core.pace import Pace
from twinsyncd.core.runs import Runs
from twinsyncd.core.settle import Settler
from twinsyncd.core.stores import Stores

Patch = tuple[Any, str, Callable[[Any], Any]]  # owner, attribute, the old one -> the bad one


@dataclass(frozen=True)
class Mutant:
    name: str
    patches: tuple[Patch, ...]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Put the bug in, and take it out again."""
        with ExitStack() as stack:
            for owner, attribute, spoil in self.patches:
                good = owner.__dict__[attribute]
                stack.callback(setattr, owner, attribute, good)
                setattr(owner, attribute, spoil(good))
            yield


def _after(extra: Callable[..., None]) -> Callable[[Any], Any]:
    """Do something more when the method is through."""

    def spoil(good: Any) -> Any:
        def bad(self: Any, *args: Any, **named: Any) -> Any:
            result = good(self, *args, **named)
            extra(self, *args)
            return result

        return bad

    return spoil


def _always(result: Any) -> Callable[[Any], Any]:
    return lambda _good: lambda *_args, **_named: result


def _value(value: Any) -> Callable[[Any], Any]:
    return lambda _good: value


def _change_without(*fields: str) -> Callable[[Any], Any]:
    """Lose some fields of every change to a row."""

    def spoil(good: Any) -> Any:
        def bad(self: Any, key: FileKey, **changes: Any) -> Any:
            return good(self, key, **{k: v for k, v in changes.items() if k not in fields})

        return bad

    return spoil


# ---- Storage ----------------------------------------------------------------------------


def _begin_unmarked(good: Any) -> Any:
    def bad(self: Any, connection: str, row: Any, now: Now) -> Any:
        command = good(self, connection, row, now)
        self.ledger.put(row)
        return command

    return bad


def _change_hides_doubt(good: Any) -> Any:
    def bad(self: Ledger) -> Any:
        return tuple(row for row in good(self) if row.stored != IN_DOUBT)

    return bad


def _count_the_newest(self: Stores, fact: Any, now: Now) -> None:
    if isinstance(fact, facts.Stored):
        self.ledger.change(fact.key, stored=self.ledger.get(fact.key).seen)


def _store_in(*phases: Phase) -> Callable[[Any], Any]:
    """Store in further phases, whatever the lane is waiting for."""

    def spoil(good: Any) -> Any:
        def bad(self: Lane, now: Now) -> Any:
            if self.pace.row.phase in phases and now.at_s >= self.pace.due_s:
                stores = self.stores.plan([c.key for c in self.connections], now)
                return [*stores, *good(self, now)]
            return good(self, now)

        return bad

    return spoil


def _store_again(self: Drive, fact: facts.Hashed, now: Now) -> None:
    row = self.ledger.get(fact.key)
    if row.stored == row.seen:
        self.ledger.put(replace(row, stored=ABSENT))


# ---- runs -------------------------------------------------------------------------------


def _adopt(good: Any) -> Any:
    def bad(self: Runs, fact: Any, now: Now) -> None:
        if isinstance(fact, facts.RunRefused):
            fact = facts.RunStarted(fact.connection, fact.active_run)
        good(self, fact, now)

    return bad


def _cover_at_the_end(good: Any) -> Any:
    def bad(self: Runs, fact: facts.RunSeen, now: Now) -> None:
        for row in self._unsynced(fact.connection):
            self.ledger.change(row.key, covered=row.stored)
        for row in self.ledger.covered(fact.connection):
            self.ledger.change(row.key, covered=row.seen or row.covered)
        good(self, fact, now)

    return bad


def _unsynced_with_doubt(good: Any) -> Any:
    def bad(self: Runs, connection: str) -> Any:
        doubtful = self.ledger.needing(connection, Need.STORE)
        rows = [replace(row, stored=row.seen) for row in doubtful if row.stored == IN_DOUBT]
        return [*good(self, connection), *(row for row in rows if row.item)]

    return bad


def _retry_blindly(good: Any) -> Any:
    def bad(self: Runs) -> Any:
        self.in_doubt = False
        return good(self)

    return bad


def _forget_doubt(good: Any) -> Any:
    def bad(self: Any, *args: Any) -> Any:
        lane = good(self, *args)
        lane.runs.in_doubt = False
        return lane

    return bad


def _outcome(old: Outcome, new: Outcome) -> Callable[[Any], Any]:
    def spoil(good: Any) -> Any:
        def bad(seen: facts.RunSeen, covered: Any) -> Any:
            wrong = replace(seen, outcome=new, files=(), unauthorised=False)
            return good(wrong if seen.outcome is old else seen, covered)

        return bad

    return spoil


def _no_results(good: Any) -> Any:
    return lambda seen, covered: good(replace(seen, files=()), covered)


def _found_any(good: Any) -> Any:
    def bad(self: Runs, fact: facts.RunFound, now: Now) -> None:
        self.pace.set(last_run="")
        good(self, fact, now)

    return bad


def _prepared_anyway(self: Runs, fact: Any, now: Now) -> None:
    if isinstance(fact, facts.Prepared) and self.pace.row.phase is Phase.QUIET:
        self.pace.enter(Phase.STARTING, now, last_run=fact.last_run, asks=0)


def _not_mapped(good: Any) -> Any:
    def bad(self: Runs, fact: Any, now: Now) -> None:
        good(self, replace(fact, mapped=()) if isinstance(fact, facts.Prepared) else fact, now)

    return bad


def _bad_file_blocks(good: Any) -> Any:
    def bad(self: Lane, connection: Any, now: Now) -> bool:
        aside = self.ledger.count(connection.key, Need.ASIDE)
        return not aside and bool(good(self, connection, now))

    return bad


def _hold_for_ever(good: Any) -> Any:
    def bad(self: Stores, connection: str, now: Now) -> float:
        held = [key for key in self.doubts if self.held(key)]
        return math.inf if held else float(good(self, connection, now))

    return bad


# ---- patience ---------------------------------------------------------------------------


def _no_throttle(good: Any) -> Any:
    def bad(self: Pace, failure: Any, now: Now) -> None:
        if failure.fault is not Fault.THROTTLED:
            good(self, failure, now)

    return bad


def _shorter_wait(self: Pace, wait_s: float, now: Now) -> None:
    self.due_s = now.at_s + wait_s
    self.set(not_before_s=now.wall_s + wait_s)


def _forget_wait(self: Pace) -> None:
    self.set(not_before_s=0.0)


# ---- the drive --------------------------------------------------------------------------


def _ignore(*kinds: type) -> Callable[[Any], Any]:
    def spoil(good: Any) -> Any:
        def bad(self: Any, fact: Any, now: Now) -> None:
            if not isinstance(fact, kinds):
                good(self, fact, now)

        return bad

    return spoil


def _gone_at_a_look(good: Any) -> Any:
    def bad(self: Drive, key: FileKey, now: Now) -> None:
        row = self.ledger.known(key)
        if row is not None and row.seen != ABSENT:
            self.ledger.change(key, seen=ABSENT, fingerprint=None)

    return bad


def _blind_to_failed(good: Any) -> Any:
    def bad(self: Drive, fact: facts.Scanned, now: Now) -> None:
        rows = self.ledger._rows.every([fact.source])
        folders = {folder for folder, _ in fact.failed}
        below = [r.key.path for r in rows if r.key.path.rpartition("/")[0] in folders]
        good(self, replace(fact, missing=(*fact.missing, *below)), now)

    return bad


def _offline_as_empty(good: Any) -> Any:
    def bad(self: Drive, fact: facts.ScanFailed, now: Now) -> None:
        rows = self.ledger._rows.every([fact.source])
        missing = tuple(row.key.path for row in rows if row.seen != ABSENT)
        identity = self.watched[fact.source].row.identity
        self._scanned(facts.Scanned(fact.source, identity, len(missing), missing), now)

    return bad


def _keep_fingerprint(good: Any) -> Any:
    def bad(self: Ledger, key: FileKey, **changes: Any) -> Any:
        if changes.get("seen") == ABSENT:
            changes.pop("fingerprint", None)
        return good(self, key, **changes)

    return bad


def _still_aside(good: Any) -> Any:
    def bad(self: Drive, fact: facts.Hashed, now: Now) -> None:
        aside = self.ledger.get(fact.key).aside
        good(self, fact, now)
        self.ledger.change(fact.key, aside=aside)

    return bad


def _one_look(good: Any) -> Any:
    def bad(self: Settler, key: FileKey, look: Any, now_s: float) -> Any:
        entry = self._entries.get(key)
        if entry is not None and entry.asked and look is not None:
            return look
        return good(self, key, look, now_s)

    return bad


def _deaf_look(good: Any) -> Any:
    def bad(self: Settler, key: FileKey, look: Any, now_s: float) -> Any:
        entry = self._entries.get(key)
        if entry is not None:
            entry.touched_s = -math.inf
        return good(self, key, look, now_s)

    return bad


def _deaf_hash(good: Any) -> Any:
    def bad(self: Settler, key: FileKey, now_s: float) -> bool:
        self.forget(key)
        return True

    return bad


def _never_again(self: Drive, fact: facts.Scanned, now: Now) -> None:
    self.watched[fact.source].due_s = math.inf


def _skip_unread(good: Any) -> Any:
    def bad(self: Drive, source: str, files: Any, now: Now) -> None:
        rows = self.ledger.known_among(source, [path for path, _ in files])
        unread = {path for path, row in rows.items() if row.unread}
        good(self, source, tuple(pair for pair in files if pair[0] not in unread), now)

    return bad


# ---- memory -----------------------------------------------------------------------------


def _forget_memory(*names: str) -> Callable[[Any], Any]:
    def spoil(good: Any) -> Any:
        def bad(self: Machine, setup: Any, memory: Any, *args: Any, **named: Any) -> None:
            good(self, setup, replace(memory, **{name: {} for name in names}), *args, **named)

        return bad

    return spoil


def _keep_mapped(good: Any) -> Any:
    def bad(self: Ledger, row: Any) -> None:
        good(self, row)
        if row.mapped and not self.get(row.key).mapped:
            self._changed[row.key] = row
            self._index(row)

    return bad


def _mutant(name: str, owner: Any, attribute: str, spoil: Callable[[Any], Any]) -> Mutant:
    return Mutant(name, ((owner, attribute, spoil),))


MUTANTS = (
    _mutant("no in-doubt mark", Stores, "_begin", _begin_unmarked),
    _mutant("doubt not durable", Ledger, "take_changes", _change_hides_doubt),
    _mutant("newest content counted as stored", Stores, "ended", _after(_count_the_newest)),
    _mutant("store while our run is active", Lane, "plan", _store_in(Phase.RUNNING)),
    _mutant("store while a start is asked for", Lane, "plan", _store_in(Phase.STARTING)),
    _mutant("store while blocked", Lane, "plan", _store_in(Phase.BLOCKED)),
    _mutant("touched but equal is stored again", Drive, "_hashed", _after(_store_again)),
    _mutant("late effects not waited out", stores_module, "LATE_S", _value(0.0)),
    _mutant("doubt on a held file blocks runs", Stores, "settled_s", _hold_for_ever),
    _mutant("adopt the foreign run", Runs, "start_answered", _adopt),
    _mutant("adopt whatever run is newest", Runs, "found", _found_any),
    _mutant("decide covered at the end", Runs, "_ended", _cover_at_the_end),
    _mutant("cover content in doubt", Runs, "_unsynced", _unsynced_with_doubt),
    _mutant("start asked again blindly", Runs, "start", _retry_blindly),
    _mutant("lost answer forgotten at restart", Machine, "_make_lane", _forget_doubt),
    _mutant(
        "failed run taken for success",
        runs_module,
        "judge",
        _outcome(Outcome.FAILED, Outcome.SUCCEEDED),
    ),
    _mutant(
        "partial run taken for all",
        runs_module,
        "judge",
        _outcome(Outcome.PARTIAL, Outcome.SUCCEEDED),
    ),
    _mutant("results of files ignored", runs_module, "judge", _no_results),
    _mutant("run without new content", Runs, "prepared", _after(_prepared_anyway)),
    _mutant("mapped never set", Runs, "prepared", _not_mapped),
    _mutant("mapped kept with a new item", Ledger, "put", _keep_mapped),
    _mutant("mappings of a new connection kept", Ledger, "forget_mappings", _always(None)),
    _mutant("one bad file blocks the run", Lane, "_can_run", _bad_file_blocks),
    _mutant("never set aside after runs", verdict, "RUN_TRIES", _value(10**9)),
    _mutant("set aside at the first failed run", verdict, "RUN_TRIES", _value(1)),
    _mutant("set aside at the first failed store", stores_module, "STORE_TRIES", _value(1)),
    _mutant("still set aside with new content", Drive, "_hashed", _still_aside),
    _mutant("no back-off", pace, "delay_s", _always(0.0)),
    _mutant("back-off not durable", Pace, "resume", _always(None)),
    _mutant("wait forgotten when another store succeeds", Pace, "went_well", _after(_forget_wait)),
    _mutant("throttle ignored", Pace, "failed", _no_throttle),
    _mutant("a shorter wait ends a longer one", Pace, "wait", lambda _good: _shorter_wait),
    _mutant("poll without growing", pace, "POLL_GROWTH", _value(1.0)),
    _mutant("halted lane does not wait", pace, "HALT_S", _value(1.0)),
    _mutant("lost hints ignored", Drive, "apply", _ignore(facts.HintsLost)),
    _mutant("scan never repeated", Drive, "_scanned", _after(_never_again)),
    _mutant("found files ignored", Drive, "_found", _always(None)),
    _mutant("a look proves deletion", Drive, "_is_missing", _gone_at_a_look),
    _mutant("one scan proves deletion", safety, "CONFIRM_S", _value(0.0)),
    _mutant("unlisted folder proves deletion", Drive, "_scanned", _blind_to_failed),
    _mutant("offline share proves deletion", Drive, "_scan_failed", _offline_as_empty),
    _mutant("a look begins the minute", safety, "UNLISTED_S", _value(-1e9)),
    _mutant("no guard against mass deletion", safety, "is_mass_deletion", _always(False)),
    _mutant("fingerprint kept when gone", Ledger, "change", _keep_fingerprint),
    _mutant("unreadable file not found again", Drive, "_found", _skip_unread),
    _mutant("unreadable file never missed", drive, "UNLIKE_ANY", _value(None)),
    _mutant("broken folder waits for the next scan", Drive, "_again_s", _always(1e9)),
    _mutant("settled after one look", Settler, "looked", _one_look),
    _mutant("hints ignored while settling", Settler, "looked", _deaf_look),
    _mutant("hash accepted although touched", Settler, "hashed", _deaf_hash),
    _mutant("item forgotten", Ledger, "change", _change_without("item")),
    _mutant("run forgotten at restart", Machine, "__init__", _forget_memory("lanes")),
    _mutant("connection forgotten at restart", Machine, "__init__", _forget_memory("connections")),
    _mutant("drive forgotten at restart", Machine, "__init__", _forget_memory("sources")),
)
