"""When a lane's connections are compared with the cloud, and what a difference means.

Storage, the source files and the runs belong to everybody with a role, so what the journal says
of them is looked at: at start, regularly and on request. A difference makes the file need again
what it needs: a store, a run, or both. Only a lane that is quiet compares, and it does nothing
else meanwhile, so every difference is somebody else's doing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from . import commands, facts
from .events import WHY_ABSENT, Event, EventKind
from .file_changes import is_leftover, leaving
from .lane_state import HALT_S, LaneState
from .ledger import Ledger
from .leftovers import Leftovers
from .model import (
    ABSENT,
    IN_DOUBT,
    MAY_STAY,
    NO_RUN,
    STAYS,
    UNLIKE_ANY,
    ConnectionKey,
    Fault,
    FileKey,
    FileRow,
    Now,
    OnDelete,
)
from .remotes import Remotes
from .waits import delay_s

AGAIN_S: Final = 60.0  # before a comparison that failed is tried again, doubled each time
SELDOM_S: Final = 3600.0  # between comparisons that nobody asked for and that find nothing
OTHERS_NAMED: Final = 5  # source files of others that an event names


@dataclass(slots=True)
class Comparisons:
    """The comparisons of one lane. Times are monotonic seconds unless named otherwise."""

    state: LaneState
    ledger: Ledger
    remotes: Remotes
    every_s: float
    leftovers: Leftovers
    is_left_out: Callable[[FileKey], bool]  # by the configuration, whether it is there or not
    naming: frozenset[ConnectionKey] = frozenset()  # whose runs must be given their files
    due_s: dict[ConnectionKey, float] = field(default_factory=dict)  # inf: only on request
    failures: dict[ConnectionKey, int] = field(default_factory=dict)  # in a row
    pending: set[ConnectionKey] = field(default_factory=set)  # not compared since asked for
    ended_s: dict[ConnectionKey, float] = field(default_factory=dict)  # the last one
    fruitless: dict[ConnectionKey, int] = field(default_factory=dict)  # in a row found nothing

    def resume(self, connections: Iterable[ConnectionKey], now: Now) -> None:
        """Compare all, since nobody knows what was done in the cloud meanwhile."""
        for connection in connections:
            self.due_s[connection] = now.at_s
            self.pending.add(connection)

    def hurry(self, now: Now) -> None:
        """Compare all soon, on a person's request."""
        self.failures.clear()
        self.resume(tuple(self.due_s), now)

    def soon(self, connection: ConnectionKey, now: Now) -> None:
        """Look why something went wrong in the cloud; more rarely while that finds nothing."""
        wait_s = delay_s(self.fruitless.get(connection, 0), 0.0, base_s=AGAIN_S, cap_s=SELDOM_S)
        soon_s = max(now.at_s, self.ended_s.get(connection, -math.inf) + wait_s)
        self.due_s[connection] = min(self.due_s[connection], soon_s)

    def due(self, connections: Iterable[ConnectionKey], now: Now) -> ConnectionKey | None:
        """Return the first of the connections that is to be compared now.

        None while comparisons of other lanes have all places; the lane is asked again once there
        is one.
        """
        first = next((each for each in connections if self.due_s[each] <= now.at_s), None)
        if first is None or not self.remotes.places.is_free(self.state.row.key, now):
            return None
        return first

    def next_due(self) -> float:
        """Return when the next comparison is due; inf if none ever is."""
        return min(self.due_s.values())

    def begin(self, connection: ConnectionKey, now: Now) -> commands.Compare | None:
        """Ask for the comparison; the lane does nothing else until it is answered.

        None: nothing is remembered of it in the cloud, so there is nothing to look at, and it
        counts as compared.
        """
        remote = self.remotes[connection]
        files = tuple(stored_files(self.ledger.every(connection)))
        if not (remote.remote_id or files):
            self._done(connection, now)
            self.ended_s.pop(connection)
            return None
        self.state.asking = True
        self.remotes.places.take(connection, self.state.row.key, now)
        return commands.Compare(connection, remote.remote_id, files, remote.last_run)

    def ended(self, fact: facts.CompareFact, now: Now) -> None:
        """Apply what was found."""
        self.state.asking = False
        self.remotes.places.leave(fact.connection)
        if isinstance(fact, facts.CompareFailed):
            self._failed(fact, now)
            return
        self.state.succeeded(now)
        for difference in fact.differences:
            self._differs(difference, now)
        for key, version in fact.versions:
            self.ledger.change(key, version=version)
        if not fact.last_run_known:
            self.distrust_runs(fact.connection, now)
        is_known = self.leftovers.note(fact, now)
        self._note(fact, now)
        fruitless = 0 if fact.differences else self.fruitless.get(fact.connection, 0) + 1
        self.fruitless[fact.connection] = fruitless
        self._done(fact.connection, now)
        if not is_known:
            self.soon(fact.connection, now)

    # ---- inside -------------------------------------------------------------------------

    def _done(self, connection: ConnectionKey, now: Now) -> None:
        self.failures.pop(connection, None)
        self.pending.discard(connection)
        self.ended_s[connection] = now.at_s
        self.due_s[connection] = now.at_s + (self.every_s or math.inf)
        self.remotes.change(
            connection, compared_s=now.wall_s, compare_failed="", compare_refused=False
        )

    def _failed(self, fact: facts.CompareFailed, now: Now) -> None:
        """Try again later; a comparison that alone fails must not keep files from being synced."""
        failure = fact.failure
        failures = self.failures[fact.connection] = self.failures.get(fact.connection, 0) + 1
        if failure.fault is Fault.GONE and self.remotes[fact.connection].remote_id:
            self.remotes.lost(fact.connection, failure.message, now)
            return  # due at once: what is in Storage is compared all the same
        refused = failure.fault in (Fault.GONE, Fault.REFUSED, Fault.FILE)
        longest_s = HALT_S if refused else self._longest_s()
        wait_s = delay_s(failures, self.state.jitter(), base_s=AGAIN_S, cap_s=longest_s)
        self.due_s[fact.connection] = now.at_s + wait_s
        reported = self.remotes[fact.connection].compare_failed
        self.remotes.change(
            fact.connection,
            compare_failed=failure.message,
            compare_failed_s=now.wall_s,
            compare_refused=refused,
        )
        if not refused:
            self.state.failed(failure, now)
        elif failure.message != reported:
            kind = EventKind.CLOUD_NOT_COMPARED
            self.ledger.events.add(Event(kind, now.wall_s, fact.connection, text=failure.message))

    def _longest_s(self) -> float:
        return self.every_s or 86_400.0

    def _differs(self, difference: facts.Difference, now: Now) -> None:
        key, differs, text = difference
        row = self.ledger.get(key)
        note = leaving(row).note
        match differs:
            case facts.Differs.MISSING | facts.Differs.OVERWRITTEN:
                if row.stored in (IN_DOUBT, ABSENT) and row.seen != ABSENT:
                    return  # it is stored again in any case
                row = replace(row, stored=ABSENT, synced=ABSENT, version="", aside="")
                if row.seen == ABSENT and differs is facts.Differs.MISSING:
                    text = f"{self._why_absent(key)}, and gone from Storage now"
                    row = self._without_source_file(replace(row, note=note))
            case facts.Differs.MISPLACED:
                if row.seen == ABSENT or row.moved_from is not None:
                    return  # nobody looks for it there, or it is on its way
                row = replace(row, moved_from=key, aside="", attempts=0, next_try_s=0.0)
                if not row.in_connection:  # a reference, which runs look for by its path
                    row = replace(row, synced=ABSENT)
            case facts.Differs.UNMAPPED | facts.Differs.CONNECTOR:
                row = replace(row, in_connection=False, synced=ABSENT)
                if row.seen == ABSENT:
                    text = f"{self._why_absent(key)}, and it is out of the connection now"
                    text += f"; {MAY_STAY}" if note == STAYS else ""
                    row = replace(row, note=note)
        self.ledger.put(row)
        self.ledger.note(EventKind.FILE_DIFFERS, key, now, digest=row.seen, text=text)

    def _why_absent(self, key: FileKey) -> str:
        return WHY_ABSENT[not self.is_left_out(key)]

    def _without_source_file(self, row: FileRow) -> FileRow:
        """Return the row of a file that is gone everywhere: no run could read it any more.

        Every later run would fail on it. Where runs name their files, they do not name this one.
        """
        is_listed = row.in_connection and self.ledger.connection_of(row.key) not in self.naming
        if row.removing is OnDelete.KEEP and is_listed:
            return replace(row, removing=OnDelete.UNMAP)
        return row

    def distrust_runs(self, connection: ConnectionKey, now: Now) -> None:
        """Believe no run, since the service lost our newest: perhaps also what our runs wrote."""
        run = self.remotes[connection].last_run
        text = "the service does not know this run of ours any more; all files need one again"
        self.ledger.events.add(
            Event(EventKind.RUN_LOST, now.wall_s, connection, run=run, text=text)
        )
        self.ledger.forget_runs(connection)
        self.remotes.change(connection, last_run=NO_RUN)

    def _note(self, fact: facts.Compared, now: Now) -> None:
        found = [f"{len(fact.differences)} differ"] if fact.differences else ["all as remembered"]
        ours = {*self.ledger.having([storage_id for storage_id, _ in fact.others])}
        ours.update(storage_id for _, storage_id in fact.leftovers)
        others = sorted(name or id_ for id_, name in fact.others if id_ not in ours)
        if others:
            named = ", ".join(others[:OTHERS_NAMED])
            found.append(f"{len(others)} source files are not ours: {named}")
        self.ledger.events.add(
            Event(EventKind.CLOUD_COMPARED, now.wall_s, fact.connection, text="; ".join(found))
        )


def stored_files(rows: Iterable[FileRow]) -> Iterator[commands.StoredFile]:
    """Yield what Storage must hold, as the rows remember it.

    Of content in doubt, or that is to be stored again, only the place: that may be wrong as well.
    A file that is gone from the drive is kept there, too; if it went before it was stored again,
    its source file may point at nothing.
    """
    for row in rows:
        has_place = row.seen != ABSENT or (row.in_connection and not is_leftover(row))
        stored = IN_DOUBT if row.stored == ABSENT and has_place else row.stored
        if row.storage_id and stored != ABSENT:
            look = row.fingerprint if row.seen == stored else None
            size_bytes = look.size_bytes if look and look != UNLIKE_ANY else None
            version = "" if stored == IN_DOUBT else row.version
            yield commands.StoredFile(
                row.key, row.storage_id, stored, size_bytes, version, row.in_connection
            )
