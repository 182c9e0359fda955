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
from typing import Final

from .events import EventKind
from .ledger import Ledger
from .model import (
    ABSENT,
    IN_DOUBT,
    ConnectionKey,
    Digest,
    FileKey,
    FileRow,
    Now,
    SourceKey,
    StorageId,
)
from .origins import Origins, name_of, nearest
from .removals import with_removal
from .row_lookup import RowLookup
from .settle import Settler
from .source_state import SourceState
from .suspects import SUSPECTS_MAX, Suspects

TAKEN_MAX: Final = 256  # files that take over an identity in one decision
GONE_S: Final = 3.0  # so long missing from a list: no save that replaces the file takes longer
CHAIN_MAX: Final = 64  # files that are followed, each of which has the content of the next one


@dataclass(slots=True)
class Moves:
    """Finds what new files were called before, for one lane."""

    ledger: Ledger
    watched: Mapping[SourceKey, SourceState]
    settler: Settler
    look_again: Callable[[FileKey, Now], None]
    is_alike: Callable[[FileKey, FileKey], bool]  # may one be the other, by what they are for?
    due_s: float = math.inf  # monotonic [s] at which one that seems to be gone counts as gone
    rows: RowLookup = field(init=False)  # whoever asks about many files reads them ahead
    _found: dict[FileKey, FileRow] = field(default_factory=dict)  # the new file's earlier row
    _origins: dict[tuple[ConnectionKey, Digest], Origins] = field(default_factory=dict)
    _suspects: Suspects = field(init=False)

    def __post_init__(self) -> None:
        """Look nothing up yet."""
        self.rows = RowLookup(self.ledger)
        self._suspects = Suspects(self.settler, self.look_again)

    def holds_back(self, row: FileRow, storing: Collection[FileKey], now: Now) -> bool:
        """Return whether a file is not to be stored yet, since it may be one that was renamed.

        Or since another one that had its name has that name in Storage still.
        """
        is_new = not row.storage_id and row.stored == ABSENT
        if not is_new and (row.key in self.ledger.moved_away or row.moved_from in storing):
            return True
        if row.key in self._found or len(self._found) >= TAKEN_MAX:
            return True
        claimed = {origin.key for origin in self._found.values()}
        same = self._of_content(row, now)
        others = [each for each in self._same_file(row) if each.key not in claimed and is_new]
        gone = [*same.nearest(row, self.is_alike), *(e for e in others if self._is_gone(e, now))]
        if not gone:
            if row.key in self.ledger.moved_away:
                return True
            changed = self._changed(row, same, claimed)
            goes_on = self._goes_on(row, changed, now) if changed else False
            if changed is None or not goes_on:
                missing = [each for each in same.missing if self._may_be(row, each)]
                return (
                    self._awaits_list([*missing, *others])
                    or self._awaits_look(row, [*same.present, *others], now)
                    or (goes_on is None and self._may_wait(row, now))
                    or row.key in claimed
                )
            gone = [changed]
        origin = nearest(row, gone)
        if origin.key not in storing and origin.moved_from is None:
            self._found[row.key] = origin  # else its last renaming must be through
            for each in self._origins.values():
                each.claim(origin.key)
        return True

    def take_over(self, doubts: dict[FileKey, float], now: Now) -> None:
        """Give the new files the identity of what they were; `doubts` about it go along."""
        holders: dict[StorageId, FileKey] = {}  # of those that changed hands just now
        for key, origin in self._found.items():
            row, holder = self.ledger.get(key), holders.get(origin.storage_id, origin.key)
            if holder != key:  # else it got it in exchange
                self._take_over(self.ledger.get(holder), row, doubts)
                holders |= {origin.storage_id: key, row.storage_id: holder}
            self._note(row, origin.key, now)
        self._found.clear()
        self._suspects.release(now)
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
        heir = self._take_over(owner, row, doubts)
        self._note(row, owner.key, now)
        renamed = owner.key if owner.moved_from is not None else None  # may be under way by now
        self.ledger.put(replace(heir, stored=IN_DOUBT, synced=ABSENT, moved_from=renamed))
        return True

    # ---- inside -------------------------------------------------------------------------

    def _take_over(self, origin: FileRow, row: FileRow, doubts: dict[FileKey, float]) -> FileRow:
        heir = self.ledger.hand_over(origin, row)
        if origin.key in doubts:
            doubts[row.key] = max(doubts[origin.key], doubts.get(row.key, -math.inf))
            if not row.storage_id:
                del doubts[origin.key]
        watched, left = self.watched[origin.key.source], self.ledger.get(origin.key)
        if left.storage_id and left.seen == ABSENT:  # what was overwritten is gone in its place
            self.ledger.put(with_removal(replace(left, note=""), watched.source.on_delete))
        elif left.seen == ABSENT:
            watched.missing.pop(origin.key.path, None)
        return heir

    def _note(self, row: FileRow, was: FileKey, now: Now) -> None:
        text = f"{was.source}/{was.path}"
        self.ledger.note(EventKind.FILE_RENAMED, row.key, now, digest=row.seen, text=text)

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
        changed: list[FileRow] = []
        for row in rows:
            if self._is_gone(row, now):
                gone[row.key] = row
            elif self._is_missing(row):
                missing.append(row)
            else:
                (present if row.seen == row.stored else changed).append(row)
        return Origins(gone, missing, present, changed)

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
        """Look whether those of the same content are there still: the file may be a copy of one."""
        alike = [each for each in present if each.seen == row.seen and self._may_be(row, each)]
        if self._suspects.await_look(alike, now):
            return True
        replaced = any(map(self._suspects.is_replaced, alike[:SUSPECTS_MAX]))
        return replaced and self._may_wait(row, now)

    def _may_wait(self, row: FileRow, now: Now) -> bool:
        until_s = self._suspects.held_until_s(row.key, now)
        if now.at_s < until_s:
            self.due_s = min(self.due_s, until_s)
        return now.at_s < until_s

    def _changed(
        self, row: FileRow, same: Origins, claimed: Collection[FileKey] = ()
    ) -> FileRow | None:
        """Return the file that held this content before another one came in its place."""
        mine = [e for e in same.changed if self._may_be(row, e) and e.key not in claimed]
        return nearest(row, mine) if mine else None

    def _goes_on(self, row: FileRow, origin: FileRow, now: Now) -> bool | None:
        """Return whether what is in the place of `origin` came from elsewhere; None: not known yet.

        Then `row` is what it was. Else it may as well be a copy of what was edited since.
        """
        passed = {row.key}
        for _ in range(CHAIN_MAX):
            if origin.key in self._found or origin.key in passed:
                return True
            if origin.key in self.settler or origin.moved_from is not None:
                return None
            passed.add(origin.key)
            same = self._of_content(origin, now)
            if same.nearest(origin, self.is_alike):
                return True
            if self._awaits_list([each for each in same.missing if self._may_be(origin, each)]):
                return None
            following = self._changed(origin, same)
            if following is None:
                return None if self._awaits_look(origin, same.present, now) else False
            origin = following
        return None


def _can_go_on(row: FileRow) -> bool:
    """Return whether another file can take over what this one is in the cloud."""
    return bool(row.storage_id) and row.covered == ABSENT
