"""A file that is renamed or moved on the drive stays the same file in the cloud.

A new file takes over the id in Storage, and what runs proved of it, from one that is gone: one
with the same content, or the same file of the file system under the same name in another folder.
Then the file in Storage gets its new name. Otherwise the iModel would hold everything twice, and
its elements would lose their history.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Final, assert_never

from .commands import Place
from .events import EventKind
from .facts import Placed, PlaceFailed
from .file_changes import with_storage_id
from .lane_state import LaneState
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
    SourceKey,
)
from .origins import Origins, name_of, nearest
from .row_lookup import RowLookup
from .settle import Settler
from .source_state import SourceState

SUSPECTS_MAX: Final = 8  # files of the same content that are looked at before one counts as copied
LOOK_AGAIN_S: Final = 60.0  # a look at such a file is believed for so long
TAKEN_MAX: Final = 256  # files that take over an identity in one decision
GONE_S: Final = 3.0  # so long missing from a list: no save that replaces the file takes longer
PLACE_TRIES: Final = 4  # failures of one file, while others succeed, before its id is given up


@dataclass(slots=True)
class Moves:
    """Finds what new files were called before, for one lane; has them renamed in Storage."""

    state: LaneState
    ledger: Ledger
    watched: Mapping[SourceKey, SourceState]
    settler: Settler
    look_again: Callable[[FileKey, Now], None]
    is_alike: Callable[[FileKey, FileKey], bool]  # may one be the other, by what they are for?
    places_max: int = 4
    busy: dict[FileKey, float] = field(default_factory=dict)  # a Place is under way; since [s]
    due_s: float = math.inf  # monotonic [s] at which one that seems to be gone counts as gone
    rows: RowLookup = field(init=False)  # whoever asks about many files reads them ahead
    _found: dict[FileKey, FileRow] = field(default_factory=dict)  # the new file's earlier row
    _origins: dict[tuple[ConnectionKey, Digest], Origins] = field(default_factory=dict)
    _looked_s: dict[FileKey, float] = field(default_factory=dict)  # suspects; monotonic [s]
    _tries: dict[FileKey, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Look nothing up yet."""
        self.rows = RowLookup(self.ledger)

    def holds_back(self, row: FileRow, storing: Collection[FileKey], now: Now) -> bool:
        """Return whether a file is not to be stored yet, since it may be one that was renamed.

        Or since another one that had its name has that name in Storage still.
        """
        if row.storage_id or row.stored != ABSENT:
            return row.key in self.ledger.moved_away or row.moved_from in storing
        if row.key in self._found or len(self._found) >= TAKEN_MAX:
            return True
        claimed = {origin.key for origin in self._found.values()}
        same = self._of_content(row, now)
        others = [each for each in self._same_file(row) if each.key not in claimed]
        gone = [*same.nearest(row, self.is_alike), *(e for e in others if self._is_gone(e, now))]
        if not gone:
            if row.key in self.ledger.moved_away:
                return True
            missing = [each for each in same.missing if self._may_be(row, each)]
            present = chain(same.present, others)
            return self._awaits_list([*missing, *others]) or self._awaits_look(row, present, now)
        origin = nearest(row, gone)
        if origin.key not in storing and origin.moved_from is None:
            self._found[row.key] = origin  # else its last renaming must be through
            for each in self._origins.values():
                each.claim(origin.key)
        return True

    def take_over(self, doubts: dict[FileKey, float], now: Now) -> None:
        """Give the new files the identity of what they were; `doubts` about it go along."""
        for key, origin in self._found.items():
            self._take_over(origin, self.ledger.get(key), doubts, now)
        self._found.clear()
        self._origins.clear()
        self.rows.clear()

    def take_over_by_name(
        self, owner: FileRow, row: FileRow, doubts: dict[FileKey, float], now: Now
    ) -> bool:
        """Give a file that is being stored the identity of one that Storage calls by its name.

        It was renamed there by a daemon whose journal is older by now, or by a person. False if
        that one may be on the drive still, or is not alike: then neither is the other.
        """
        away = owner.seen == ABSENT or self._is_missing(owner)
        if not (away and _can_go_on(owner) and self._may_be(row, owner)) or row.storage_id:
            return False
        heir = self._take_over(owner, row, doubts, now)
        self.ledger.put(replace(heir, stored=IN_DOUBT, synced=ABSENT, moved_from=None))
        return True

    def plan(self, connections: Iterable[ConnectionKey], now: Now) -> list[Place]:
        """Return the files to rename in Storage now."""
        chosen: list[Place] = []
        for connection in connections:
            for row in self.ledger.needing(connection, Need.PLACE):
                if len(self.busy) >= self.places_max:
                    return chosen
                if row.key not in self.busy:
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

    def _take_over(
        self, origin: FileRow, row: FileRow, doubts: dict[FileKey, float], now: Now
    ) -> FileRow:
        heir = self.ledger.hand_over(origin, row)
        if origin.key in doubts:
            doubts[row.key] = max(doubts.pop(origin.key), doubts.get(row.key, -math.inf))
        self.watched[origin.key.source].missing.pop(origin.key.path, None)
        was = f"{origin.key.source}/{origin.key.path}"
        self.ledger.note(EventKind.FILE_RENAMED, row.key, now, digest=row.seen, text=was)
        return heir

    def _of_content(self, row: FileRow, now: Now) -> Origins:
        """Return the files that have the content of this one; read once for each decision."""
        connection = self.ledger.connection_of(row.key)
        known = self._origins.get((connection, row.seen))
        if known is None:
            claimed = {origin.key for origin in self._found.values()}
            rows = self.rows.with_content(connection, row)
            found = [each for each in rows if _can_go_on(each) and each.key not in claimed]
            known = self._origins[connection, row.seen] = self._sorted(found, now)
        return known

    def _sorted(self, rows: Iterable[FileRow], now: Now) -> Origins:
        gone: dict[FileKey, FileRow] = {}
        missing: list[FileRow] = []
        present: list[FileRow] = []
        for row in rows:
            if self._is_gone(row, now):
                gone[row.key] = row
            else:
                (missing if self._is_missing(row) else present).append(row)
        return Origins(gone, missing, present)

    def _same_file(self, row: FileRow) -> list[FileRow]:
        """Return rows that were the same file of the file system, under the same name."""
        return [
            each
            for each in self.rows.with_file_id(self.ledger.connection_of(row.key), row)
            if name_of(each.key) == name_of(row.key)
            and self._is_same_drive(each.key, row.key)
            and _can_go_on(each)
            and self._may_be(row, each)
        ]

    def _may_be(self, row: FileRow, origin: FileRow) -> bool:
        return origin.key != row.key and self.is_alike(row.key, origin.key)

    def _is_missing(self, row: FileRow) -> bool:
        return row.key.path in self.watched[row.key.source].missing

    def _is_gone(self, row: FileRow, now: Now) -> bool:
        return row.seen == ABSENT or self._missed_s(row) + GONE_S <= now.at_s

    def _missed_s(self, row: FileRow) -> float:
        """Return since when [s] it is missing; inf: it is there, or was missed by a look only."""
        return self.watched[row.key.source].missing.get(row.key.path, math.inf)

    def _awaits_list(self, alike: Iterable[FileRow]) -> bool:
        """Return whether one of them seems to be gone, which a list or a moment will show."""
        missing = [each for each in alike if self._is_missing(each)]
        self.due_s = min([self.due_s, *(self._missed_s(each) + GONE_S for each in missing)])
        return bool(missing)

    def _is_same_drive(self, one: FileKey, other: FileKey) -> bool:
        drives = {self.watched[key.source].row.identity for key in (one, other)}
        return one.source == other.source or (len(drives) == 1 and "" not in drives)

    def _awaits_look(self, row: FileRow, present: Iterable[FileRow], now: Now) -> bool:
        """Look whether those of the same content are there still: the file may be a copy of one.

        A hint or a list of another folder may come later than the news of this one.
        """
        alike = (each for each in present if each.seen == row.seen and self._may_be(row, each))
        suspects = list(dict.fromkeys(each.key for each in islice(alike, SUSPECTS_MAX + 1)))
        if len(suspects) > SUSPECTS_MAX:
            return False
        recent = {key: s for key, s in self._looked_s.items() if s + LOOK_AGAIN_S > now.at_s}
        for key in suspects:
            if key not in recent and key not in self.settler:
                recent[key] = now.at_s
                self.look_again(key, now)
        self._looked_s = recent
        return any(self.settler.awaits_look(key) for key in suspects)

    def _failed(self, key: FileKey, failure: Failure, begun_s: float, now: Now) -> None:
        match failure.fault:
            case Fault.GONE:
                row = self.ledger.change(
                    key, moved_from=None, stored=ABSENT, synced=ABSENT, version=""
                )
                text = "somebody deleted it in Storage; it is uploaded again"
                self.ledger.note(EventKind.FILE_DIFFERS, key, now, digest=row.seen, text=text)
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

    def _give_up(self, key: FileKey, failure: Failure, now: Now) -> None:
        """Store it as a new file, which takes the place of the earlier one in the connection."""
        self._tries.pop(key, None)
        row = with_storage_id(self.ledger.get(key), NO_ID)
        self.ledger.put(replace(row, moved_from=None, stored=ABSENT, version=""))
        text = (
            f"it cannot be renamed in Storage, so it is uploaded as a new file: {failure.message}"
        )
        self.ledger.note(EventKind.FILE_DIFFERS, key, now, digest=row.seen, text=text)


def _can_go_on(row: FileRow) -> bool:
    """Return whether another file can take over what this one is in the cloud."""
    return bool(row.storage_id) and row.covered == ABSENT
