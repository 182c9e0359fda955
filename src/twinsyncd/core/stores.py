"""The stores of one lane: which file goes to Storage next, and what a failure means."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Final, NamedTuple, assert_never

from .commands import Store
from .events import EventKind
from .facts import Reserved, Stored, StoreFailed, StoreMoved
from .file_changes import with_storage_id
from .lane_state import HALT_S, LaneState
from .ledger import Ledger
from .model import (
    ABSENT,
    IN_DOUBT,
    NO_ID,
    ConnectionKey,
    Digest,
    Failure,
    Fault,
    FileKey,
    FileRow,
    Need,
    Now,
)
from .moves import Moves
from .roots import Roots
from .waits import delay_s

STORE_TRIES: Final = 8  # failures of one file, while others succeed, before it is set aside
LATE_S: Final = 180.0  # a request that we gave up may still take effect this long after
AFTER_OTHERS_S: Final = 0.5  # for which a run of what is stored may begin before the next try
RETRY_CAP_S: Final = 3600.0  # a content that fails is tried at least this often

_LOST: Final = (
    "its file in Storage cannot be used any more, perhaps as somebody deleted it for good; it is "
    "uploaded as a new one, which takes its place in the connection"
)


def _wrote_nothing_late(fact: Stored | StoreMoved | StoreFailed) -> bool:
    """Return whether no request of the store can take effect from here on: each was answered.

    An outage may have swallowed an answer, or is one of a gateway that let the request through.
    """
    if isinstance(fact, StoreFailed):
        return fact.failure.fault is not Fault.TRANSIENT and not fact.failure.unanswered
    return isinstance(fact, StoreMoved)


class _Wait(NamedTuple):
    """After a failure this content waits; a newer one does not."""

    digest: Digest
    due_s: float


@dataclass(slots=True)
class Stores:
    """Marks a file as in doubt, durably, before its store begins; knows which are running."""

    state: LaneState
    ledger: Ledger
    must_wait: Callable[[FileKey], bool]  # not to be stored now: unsettled, missing, drive offline
    moves: Moves
    roots: Roots
    staging: Collection[FileKey]  # being staged: stored when that has ended
    uploads_max: int = 4
    busy: dict[FileKey, float] = field(default_factory=dict)  # since when [s], monotonic
    waits: dict[FileKey, _Wait] = field(default_factory=dict)
    doubts: dict[FileKey, float] = field(default_factory=dict)  # since when its outcome is open
    _clashing: set[FileKey] = field(default_factory=set)  # stored in the place of another one
    _earlier: dict[FileKey, float] = field(default_factory=dict)  # doubts before stores under way

    def plan(self, connections: Iterable[ConnectionKey], now: Now) -> list[Store]:
        """Return the stores to begin now, at most `uploads_max` running at a time."""
        chosen: list[Store] = []
        for connection in connections:
            for batch in self._free(connection, now):
                self.moves.rows.read_ahead(connection, batch)
                for row in batch:
                    if row.key in self.busy or not self._is_free(row, now):
                        continue
                    if not self.moves.holds_back(row, {*self.busy, *self.staging}, now):
                        chosen.append(self.begin(connection, row, now))
        return chosen

    def load(self, connections: Collection[ConnectionKey], now: Now) -> None:
        """Load the doubts and waits that an earlier process left, also of files that are gone."""
        for key in self.ledger.doubtful:
            if self.ledger.connection_of(key) in connections:
                self.doubts[key] = now.at_s
        for connection in connections:
            for what in (Need.STORE, Need.RUN):
                for row in self.ledger.needing(connection, what):
                    wait_s = min(row.next_try_s - now.wall_s, RETRY_CAP_S)  # clocks may jump
                    if wait_s > 0.0:
                        self.waits[row.key] = _Wait(row.seen, now.at_s + wait_s)

    def settled_s(self, connection: ConnectionKey, now: Now) -> float:
        """Return when no earlier store of the connection can take effect any more.

        The monotonic time [s]. Requests without an answer are waited for; a file that is tried
        again and fails each time is set aside after a few tries, so it cannot go on for ever.
        """
        self.doubts = {key: s for key, s in self.doubts.items() if s + LATE_S > now.at_s}
        connection_of = self.ledger.connection_of
        mine = [s for key, s in self.doubts.items() if connection_of(key) == connection]
        return max(mine, default=-math.inf) + LATE_S

    def last_doubt(self, connection: ConnectionKey) -> FileKey | None:
        """Return the file of the connection whose store is in doubt since the latest moment."""
        mine = [key for key in self.doubts if self.ledger.connection_of(key) == connection]
        return max(mine, key=self.doubts.__getitem__, default=None)

    def is_due(self, row: FileRow, now: Now) -> bool:
        """Return whether the file's content does not wait after a failure of its own."""
        wait = self.waits.get(row.key)
        return wait is None or wait.digest != row.seen or wait.due_s <= now.at_s

    def put_off(self, row: FileRow, now: Now, *, base_s: float = 1.0) -> None:
        """Delay the file's content, longer after each failure of its own."""
        wait_s = delay_s(row.attempts, self.state.jitter(), base_s=base_s, cap_s=RETRY_CAP_S)
        self._wait(row, wait_s, now)

    def _wait(self, row: FileRow, wait_s: float, now: Now) -> None:
        self.waits[row.key] = _Wait(row.seen, now.at_s + wait_s)
        self.ledger.change(row.key, next_try_s=now.wall_s + wait_s)

    def hurry(self) -> None:
        """End every wait, on a person's request."""
        for key in self.waits:
            self.ledger.change(key, next_try_s=0.0)
        self.waits.clear()

    def next_due(self, now: Now) -> float | None:
        """Return when the next waiting content is due, forgetting those that are."""
        self.waits = {key: wait for key, wait in self.waits.items() if wait.due_s > now.at_s}
        return min((wait.due_s for wait in self.waits.values()), default=None)

    def apply(self, fact: Reserved | Stored | StoreMoved | StoreFailed, now: Now) -> None:
        """Apply a received fact about a store."""
        if isinstance(fact, Reserved):
            self.reserved(fact, now)
        else:
            self.ended(fact, now)

    def reserved(self, fact: Reserved, now: Now) -> None:
        """Note the file's id in Storage, unless it is another file's that is on the drive still.

        That one was renamed, and Storage, where names are looked up, had its earlier name still: it
        is renamed there and stored again; then this one gets a file of its own.
        """
        row = self.ledger.get(fact.key)
        if row.storage_id == fact.storage_id:
            return
        having = {} if fact.is_new else self.ledger.having([fact.storage_id])
        owner = having.get(fact.storage_id)
        if owner is None or owner.key == fact.key:
            if row.in_connection:
                self.ledger.note(EventKind.FILE_DIFFERS, row.key, now, digest=row.seen, text=_LOST)
            self.ledger.put(with_storage_id(row, fact.storage_id))
            return
        is_still = owner.key not in self.busy
        if is_still and self.moves.take_over_by_name(owner, row, self.doubts, now):
            return
        self._clashing |= {
            fact.key,
            owner.key,
        } & self.busy.keys()  # which one is there?
        self.ledger.change(owner.key, stored=IN_DOUBT, synced=ABSENT, moved_from=fact.key)
        text = f"{fact.key.source}/{fact.key.path} was stored in its place; both are stored again"
        self.ledger.note(EventKind.FILE_DIFFERS, owner.key, now, digest=owner.seen, text=text)

    def ended(self, fact: Stored | StoreMoved | StoreFailed, now: Now) -> None:
        """Apply the end of a store."""
        assert fact.key in self.busy, f"no store of {fact.key} is under way"
        begun_s = self.busy.pop(fact.key)
        self.doubts[fact.key], earlier_s = now.at_s, self._earlier.pop(fact.key)
        if _wrote_nothing_late(fact):
            self._is_known(fact.key, earlier_s, now)
        clashed = fact.key in self._clashing
        self._clashing.discard(fact.key)
        if clashed and isinstance(fact, Stored):
            has_id = bool(self.ledger.get(fact.key).storage_id)
            self.ledger.change(fact.key, stored=IN_DOUBT if has_id else ABSENT)
            return
        match fact:
            case Stored(key, digest, storage_id, version, text):
                self.doubts.pop(key, None)
                self.ledger.put(with_storage_id(self.ledger.get(key), storage_id))
                self.ledger.change(
                    key,
                    stored=digest,
                    version=version,
                    attempts=0,
                    note="",
                    next_try_s=0.0,
                )
                self.ledger.note(EventKind.FILE_STORED, key, now, digest=digest, text=text)
                self.state.succeeded(now)
            case StoreFailed(key, failure):
                self._failed(key, failure, begun_s, now)
            case StoreMoved():
                pass  # nothing was committed; the settler takes it from here
            case _:
                assert_never(fact)

    def _free(self, connection: ConnectionKey, now: Now) -> Iterator[list[FileRow]]:
        """Yield rows to store, each time as many as may begin; a root may come twice."""
        room = self.uploads_max - len(self.busy)
        if room <= 0:
            return
        rows = chain(self.roots.to_store(connection), self.ledger.needing(connection, Need.STORE))
        free = (row for row in rows if row.key not in self.busy and self._is_free(row, now))
        while room > 0 and (batch := list(islice(free, room))):
            yield batch
            room = self.uploads_max - len(self.busy)

    def _is_free(self, row: FileRow, now: Now) -> bool:
        if row.key in self.staging or not self.is_due(row, now):
            return False
        return not self.must_wait(row.key)

    def begin(self, connection: ConnectionKey, row: FileRow, now: Now) -> Store:
        assert row.fingerprint is not None, "a digest was seen without a fingerprint"
        self.busy[row.key] = now.at_s
        self._earlier[row.key] = self.doubts.get(row.key, -math.inf)
        self.doubts[row.key] = now.at_s
        # Durable before the effect. From now on any run may bring this content into the iModel, so
        # another content that was synced is so no more, even if the file is changed back to it.
        synced = row.synced if row.synced == row.seen else ABSENT
        self.ledger.change(row.key, stored=IN_DOUBT, synced=synced)
        return Store(row.key, connection, row.seen, row.fingerprint, row.storage_id)

    def _is_known(self, key: FileKey, earlier_s: float, now: Now) -> None:
        """Note that nothing of the last store is on its way; of an earlier one something may be.

        If nothing is, a restart has no reason to wait for it before a run, either.
        """
        self.doubts[key] = earlier_s
        if earlier_s + LATE_S <= now.at_s and self.ledger.get(key).stored == IN_DOUBT:
            self.ledger.change(key, stored=ABSENT)

    def _failed(self, key: FileKey, failure: Failure, begun_s: float, now: Now) -> None:
        row = self.ledger.get(key)
        match failure.fault:
            case Fault.REFUSED:
                self.ledger.set_aside(replace(row, aside=failure.message), now)
            case Fault.FILE:
                self._blame(replace(row, attempts=row.attempts + 1), failure, now)
            case Fault.QUOTA:
                self._let_others_go_first(replace(row, note=failure.message), now)
                self.state.failed(failure, now, begun_s=begun_s)
            case Fault.THROTTLED | Fault.UNAUTHORISED | Fault.SIGNED_OUT | Fault.NOT_AUTHORISED:
                self.state.failed(failure, now, begun_s=begun_s)
            case Fault.GONE | Fault.TRANSIENT:
                self._try_again(row, failure, begun_s, now)
            case _:
                assert_never(failure.fault)

    def _let_others_go_first(self, row: FileRow, now: Now) -> None:
        """Let the content wait a little longer than its lane: others may be small enough."""
        self.ledger.put(row)
        self._wait(row, HALT_S + AFTER_OTHERS_S, now)

    def _blame(self, row: FileRow, failure: Failure, now: Now) -> None:
        """Let only this file wait; it is set aside in the end."""
        if row.attempts >= STORE_TRIES:
            self.ledger.set_aside(replace(row, aside=failure.message), now)
        else:
            self.ledger.put(replace(row, note=failure.message))
            self.put_off(row, now)

    def _try_again(self, row: FileRow, failure: Failure, begun_s: float, now: Now) -> None:
        """Count it against the file only while others succeed; an outage is nobody's fault."""
        own_trouble = self.state.row.attempts == 0
        if failure.fault is Fault.GONE:
            row = with_storage_id(row, NO_ID)
        tried = replace(row, attempts=row.attempts + own_trouble)
        self._blame(tried, failure, now)
        transient = Failure(Fault.TRANSIENT, failure.message, failure.retry_after_s)
        self.state.failed(transient, now, begun_s=begun_s)
