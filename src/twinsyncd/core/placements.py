"""Has files renamed and moved in Storage to where their paths say that they belong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from .commands import Place
from .events import EventKind
from .facts import Placed, PlaceFailed
from .file_changes import with_storage_id
from .lane_state import LaneState
from .ledger import Ledger
from .model import ABSENT, NO_ID, ConnectionKey, Failure, Fault, FileKey, Need, Now, OnDelete

PLACE_TRIES: Final = 4  # failures of one file, while others succeed, before its id is given up


@dataclass(slots=True)
class Placements:
    """The renamings of one lane."""

    state: LaneState
    ledger: Ledger
    places_max: int = 4
    busy: dict[FileKey, float] = field(default_factory=dict)  # a Place is under way; since [s]
    _tries: dict[FileKey, int] = field(default_factory=dict)

    def plan(self, connections: Iterable[ConnectionKey], now: Now) -> list[Place]:
        """Return the files to rename in Storage now."""
        chosen: list[Place] = []
        for connection in connections:
            for row in self.ledger.needing(connection, Need.PLACE):
                if len(self.busy) >= self.places_max:
                    return chosen
                if not {row.key, row.moved_from} & self.busy.keys():  # one renaming of it at a time
                    self.busy[row.key] = now.at_s
                    chosen.append(Place(row.key, connection, row.storage_id))
        return chosen

    def ended(self, fact: Placed | PlaceFailed, now: Now) -> None:
        """Apply the end of a renaming."""
        begun_s = self.busy.pop(fact.key)
        if isinstance(fact, PlaceFailed):
            self._failed(fact.key, fact.failure, begun_s, now)
            return
        self._tries.pop(fact.key, None)
        self.ledger.change(fact.key, moved_from=None)
        self.state.succeeded(now)

    # ---- inside -------------------------------------------------------------------------

    def _failed(self, key: FileKey, failure: Failure, begun_s: float, now: Now) -> None:
        match failure.fault:
            case Fault.GONE:
                self._lost(key, now)
            case Fault.REFUSED | Fault.FILE:
                self._give_up(key, failure, now)
            case Fault.TRANSIENT:
                self._tries[key] = self._tries.get(key, 0) + (self.state.row.attempts == 0)
                if self._tries[key] >= PLACE_TRIES:
                    self._give_up(key, failure, now)
                self.state.failed(failure, now, begun_s=begun_s)
            case (
                Fault.THROTTLED
                | Fault.UNAUTHORISED
                | Fault.QUOTA
                | Fault.SIGNED_OUT
                | Fault.NOT_AUTHORISED
            ):
                self.state.failed(failure, now, begun_s=begun_s)
            case _:
                assert_never(failure.fault)

    def _lost(self, key: FileKey, now: Now) -> None:
        row = self.ledger.change(key, moved_from=None, stored=ABSENT, synced=ABSENT, version="")
        text = "somebody deleted it in Storage; it is uploaded again"
        if row.seen == ABSENT:
            text = "it is gone from the drive, and from Storage now"
            if row.in_connection and row.removing is OnDelete.KEEP:  # no run could read it
                self.ledger.put(replace(row, removing=OnDelete.UNMAP))
        self.ledger.note(EventKind.FILE_DIFFERS, key, now, digest=row.seen, text=text)

    def _give_up(self, key: FileKey, failure: Failure, now: Now) -> None:
        """Store it as a new file, which takes the place of the earlier one in the connection."""
        self._tries.pop(key, None)
        row = with_storage_id(self.ledger.get(key), NO_ID)
        self.ledger.put(replace(row, moved_from=None, stored=ABSENT, version=""))
        text = (
            f"it cannot be renamed in Storage, so it is uploaded as a new file: {failure.message}"
        )
        self.ledger.note(EventKind.FILE_DIFFERS, key, now, digest=row.seen, text=text)
