"""The staging of one lane: while a run is active, the next content goes up without being seen.

Uncommitted blocks change no content, so the run reads what it began with (P4); once it has ended,
a Store has only to commit them. Nothing of this is durable: after a crash a Store finds what is
there. A content is staged once, whatever comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .commands import Stage
from .facts import Staged, StageFailed, StageMoved
from .lane_state import LaneState
from .ledger import Ledger
from .model import IN_DOUBT, Digest, Fault, FileKey, FileRow, Need, Now, Phase
from .setup import Connection

_ACTIVE = (Phase.RUNNING, Phase.BLOCKED)


@dataclass(slots=True)
class Stages:
    """Chooses what to stage; knows what is under way."""

    state: LaneState
    ledger: Ledger
    must_wait: Callable[[FileKey], bool]  # not to be stored now: unsettled, missing, drive offline
    uploads_max: int = 4
    busy: dict[FileKey, float] = field(default_factory=dict)  # since when [s]
    _begun: dict[FileKey, Digest] = field(default_factory=dict)  # the last content of each

    def plan(self, connections: Iterable[Connection], now: Now) -> list[Stage]:
        """Return what to stage now, at most `uploads_max` at a time; only while a run is active."""
        chosen: list[Stage] = []
        if self.state.row.phase not in _ACTIVE or self.state.is_held(now):
            return chosen
        for connection in connections:
            if connection.stage_least_bytes is None:
                continue
            for row in self.ledger.needing(connection.key, Need.STORE):
                if len(self.busy) >= self.uploads_max:
                    return chosen
                if self._is_wanted(row, connection.stage_least_bytes):
                    chosen.append(self._begin(connection, row, now))
        return chosen

    def ended(self, fact: Staged | StageMoved | StageFailed, now: Now) -> None:
        """Apply the end; a failure is only news where the service asks for a pause."""
        assert fact.key in self.busy, f"no staging of {fact.key} is under way"
        begun_s = self.busy.pop(fact.key)
        if isinstance(fact, StageFailed) and fact.failure.fault is Fault.THROTTLED:
            self.state.failed(fact.failure, now, begun_s=begun_s)

    def _is_wanted(self, row: FileRow, least_bytes: int) -> bool:
        """Return whether the file is large, in Storage by this name, and not being changed."""
        if row.key in self.busy or self._begun.get(row.key) == row.seen:
            return False
        if row.fingerprint is None or row.fingerprint.size_bytes < least_bytes:
            return False
        if not row.storage_id or row.stored == IN_DOUBT or row.moved_from is not None:
            return False
        return not self.must_wait(row.key)

    def _begin(self, connection: Connection, row: FileRow, now: Now) -> Stage:
        assert row.fingerprint is not None, "a digest was seen without a fingerprint"
        self.busy[row.key] = now.at_s
        self._begun[row.key] = row.seen
        return Stage(row.key, connection.key, row.seen, row.fingerprint, row.storage_id)
