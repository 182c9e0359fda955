"""The drive as the machine sees it: scans, unsettled files, files that are missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from . import commands, facts, safety
from .events import EventKind
from .file_changes import NO_TROUBLE, doubted, is_proven, may_retry, with_content, without_file
from .hash_queue import HashQueue
from .ledger import Ledger
from .looks import plan_looks
from .missing_files import split_missing
from .model import (
    ABSENT,
    UNLIKE_ANY,
    ConnectionKey,
    FileKey,
    FileRow,
    Fingerprint,
    HeldSource,
    Now,
    SourceKey,
    SourceRow,
)
from .rehash import Rehasher
from .removals import consequence, with_removal
from .settle import Settler
from .setup import Source
from .source_state import SourceState, approval, failed_row, held_row, seen_by, source_events

UNREAD_MISSES: Final = 3  # failed reads in a row before a file is set aside; 15 s as a rule


@dataclass(slots=True)
class Drive:
    """Turns hints, looks and scans into `seen` digests; asks for looks, hashes and scans."""

    ledger: Ledger
    settler: Settler
    jitter: Callable[[], float]
    activity: Callable[[ConnectionKey, Now], None]  # called when a file of it is unsettled
    rehasher: Rehasher
    watched: dict[SourceKey, SourceState] = field(default_factory=dict)
    changed: dict[SourceKey, SourceRow] = field(default_factory=dict)
    hash_queue: HashQueue = field(default_factory=HashQueue)

    def add(self, source: Source, row: SourceRow, now: Now) -> None:
        """Add a source; its first scan is due at once."""
        chosen = replace(row, patterns=source.patterns, watch_trouble="")
        self.watched[source.key] = SourceState(source, chosen, due_s=now.at_s)
        if chosen != row:
            self.changed[row.key] = chosen

    def apply(self, fact: facts.DriveFact, now: Now) -> None:
        """Apply one fact."""
        match fact:
            case facts.ShareSlow() | facts.ShareAnswers():
                self.watched[fact.source].note_answer(fact, now, self.changed)
            case facts.Touched(key):
                self._touched(key, now)
            case facts.HintsLost() | facts.HintsDegraded():
                self._hints_failed(fact, now)
            case facts.Looked():
                self.looked(fact, now)
            case facts.LookFailed(key, reason):
                self._missed(key, reason, now)
            case facts.Hashed():
                self.hash_queue.ended(fact.key)
                self.hashed(fact, now)
            case facts.HashMissed(key, reason, moved):
                self.hash_queue.ended(key)
                self._missed(key, reason, now, moved=moved)
            case facts.Rehashed():
                self.rehashed(fact, now)
            case facts.FilesFound(source, files):
                self.found_files(source, files, now)
            case facts.Scanned():
                self.scan_ended(fact, now)
            case facts.ScanFailed():
                self.scan_failed(fact, now)
            case _:
                assert_never(fact)

    def hurry(self, now: Now) -> None:
        """Scan everything now, on a person's request."""
        for watched in self.watched.values():
            watched.due_s = now.at_s

    def approve(self, findings: Iterable[HeldSource], now: Now) -> None:
        """Accept what a person approved as shown, and nothing more."""
        for shown in findings:
            watched = self.watched.get(shown.source)
            if watched is not None and safety.is_what_was_shown(watched.row, shown):
                watched.row = replace(watched.row, approved=True, missing_count=shown.missing_count)
                self.ledger.events.add(approval(watched.source, watched.row, now))
                self.changed[watched.row.key] = watched.row
                watched.due_s = now.at_s

    def retry(self, key: FileKey, now: Now) -> None:
        """Try a file again, as a person asks, with a fresh look; one that is synced is doubted."""
        row = self.ledger.known(key) if key.source in self.watched else None
        if row is not None and may_retry(row):
            self.watched[key.source].doubt(row, self.changed)
            self.ledger.put(replace(row, **NO_TROUBLE))
            self._touched(key, now)

    def look_again(self, key: FileKey, now: Now, why: str = "") -> None:
        """Let a file settle again: it changed while it was being stored, or may be gone."""
        self._touched(key, now, why)

    def plan(self, now: Now) -> list[commands.DriveCommand]:
        """Return the scans, looks and hashes to begin now."""
        return [
            *self._plan_scans(now),
            *plan_looks(self.settler, now.at_s),
            *self.hash_queue.plan(self.settler),
            *self._plan_rehash(now),
        ]

    def deadline(self) -> float | None:
        """Return the monotonic time [s] at which `plan` has something new, or None."""
        times = [w.due_s for w in self.watched.values() if not w.scanning]
        others = (self.settler.deadline(), self.rehasher.deadline())
        return min([*times, *(each for each in others if each is not None)], default=None)

    def must_wait(self, key: FileKey) -> bool:
        """Return whether the file must not be stored now: unsettled, missing, drive offline."""
        watched = self.watched[key.source]
        return key in self.settler or key.path in watched.missing or watched.row.is_unread

    def missing(self) -> int:
        """Return how many remembered files were not seen, and do not count as gone yet."""
        return sum(len(watched.missing) for watched in self.watched.values())

    def is_idle(self) -> bool:
        """Return whether the scans are complete and every file that was found has settled."""
        complete = all(watched.is_complete for watched in self.watched.values())
        return complete and not len(self.settler) and not self.hash_queue.is_busy

    # ---- files ------------------------------------------------------------------------

    def _touched(self, key: FileKey, now: Now, why: str = "") -> None:
        watched = self.watched[key.source]
        if watched.row.is_unread and key not in self.settler:
            watched.leave_to_scan()
            return
        self.settler.touched(key, now.at_s, why)
        self.activity(watched.source.connection, now)

    def _hints_failed(self, fact: facts.HintsLost | facts.HintsDegraded, now: Now) -> None:
        watched = self.watched[fact.source]
        if isinstance(fact, facts.HintsLost):
            watched.scan_soon(now.at_s)
        elif watched.note_trouble(fact.reason):
            self.changed[fact.source] = watched.row

    def found_files(
        self, source: SourceKey, files: tuple[tuple[str, Fingerprint], ...], now: Now
    ) -> None:
        watched = self.watched[source]
        rows = self.ledger.known_among(source, [path for path, _ in files])
        for path, look in files:
            key = FileKey(source, path)
            watched.saw(path, self.changed)
            row = rows.get(path)
            if row is not None and row.fingerprint == look and not row.unread:
                continue  # hashed since the scan read the journal
            if key not in self.settler:
                self.activity(watched.source.connection, now)
            self.settler.found(key, look, now.at_s)

    def looked(self, fact: facts.Looked, now: Now) -> None:
        for path, look in fact.looks:
            key = FileKey(fact.source, path)
            if look is None:
                self.missed_by_look(key, now)
            else:
                self.watched[fact.source].saw(path, self.changed)
            resting = self.settler.looked(key, look, now.at_s)
            if resting is not None:
                drive = self.watched[key.source].row.identity
                self.hash_queue.add(drive or key.source, key, resting)

    def missed_by_look(self, key: FileKey, now: Now) -> None:
        """Note a file as missing; one look is no deletion, only scans confirm it."""
        row = self.ledger.known(key)
        if row is None or (row.seen == ABSENT and not row.unread):
            return
        self.watched[key.source].note_unseen(key.path, now)

    def hashed(self, fact: facts.Hashed, now: Now) -> None:
        if not self.settler.hashed(fact.key, now.at_s):
            return
        row = self.ledger.get(fact.key)
        if row.unread:
            self.ledger.note(EventKind.FILE_READABLE, row.key, now)
            since_s = row.aside_since_s if row.aside else 0.0
            row = replace(row, unread="", aside_since_s=since_s)
        if row.seen != fact.digest:
            self.ledger.note(EventKind.FILE_SEEN, row.key, now, digest=fact.digest)
        row = with_content(row, fact.digest, fact.fingerprint, now)
        is_doubted = self.watched[row.key.source].end_doubt(row.key.path, self.changed)
        self.ledger.put(doubted(row) if is_doubted and is_proven(row) else row)

    def rehashed(self, fact: facts.Rehashed, now: Now) -> None:
        """Note that the content is as remembered; if it is not, let the file settle again."""
        row = self.ledger.get(fact.key)
        if self.rehasher.is_changed(fact, row.seen, now):
            self._touched(fact.key, now)
        elif row.seen == fact.digest and fact.key not in self.settler:
            self.ledger.put(replace(row, fingerprint=fact.fingerprint, hashed_s=now.wall_s))

    def _missed(self, key: FileKey, reason: str, now: Now, *, moved: bool = False) -> None:
        watched = self.watched[key.source]
        if watched.row.is_unread:
            self.settler.forget(key)
            watched.leave_to_scan()
            return
        misses = self.settler.missed(key, now.at_s, reason, moved=moved)
        row = self.ledger.get(key)
        if misses >= UNREAD_MISSES or (misses and row.unread == reason):  # an earlier process knew
            row = replace(row, unread=reason, fingerprint=UNLIKE_ANY)
            self.ledger.set_aside(row, now)
            self.settler.set_aside(key, now.at_s)

    # ---- scans ------------------------------------------------------------------------

    def scan_ended(self, fact: facts.Scanned, now: Now) -> None:
        watched = self.watched[fact.source]
        watched.failures = watched.failures + 1 if fact.blind else 0
        watched.note_missing(fact, now)
        row = seen_by(fact, watched.row, now)
        moved, unstored = split_missing(self.ledger, self.settler, self.watched, fact.source)
        watched.confirm(unstored, now)
        missing = set(watched.missing)
        lost = missing - moved - unstored
        approved = safety.approved_loss(watched.row, fact.identity, watched.held, lost)
        if safety.is_mass_deletion(fact.known, len(lost), watched.source.guard, approved):
            row, watched.held = held_row(row, fact, lost), lost
            self.forget_gone(watched, missing - unstored, now)
        else:
            self.forget_gone(watched, moved, now)
            row = watched.with_approved_rest(row, fact.identity, lost, missing)
        self._scan_ended(watched, row, now)
        watched.scan_again(fact, now.at_s, self.jitter())

    def forget_gone(self, watched: SourceState, kept: Collection[str], now: Now) -> None:
        if watched.hint_missed:
            return  # the next list, which follows soon, knows better
        for path in safety.confirmed(watched.missing, now.at_s):
            key = FileKey(watched.source.key, path)
            if key in self.settler or path in kept:
                continue  # it may have come back since it was listed; a look is on its way
            watched.went(path, self.changed)
            row = with_removal(without_file(self.ledger.get(key)), watched.source.on_delete)
            self.ledger.put(row)
            self.ledger.note(EventKind.FILE_GONE, key, now, text=consequence(row))

    def scan_failed(self, fact: facts.ScanFailed, now: Now) -> None:
        watched = self.watched[fact.source]
        watched.failures += 1
        watched.missing.clear()
        watched.unseen.clear()
        watched.held = None
        before = watched.row
        row = failed_row(fact, before)
        if before.approved and safety.is_what_was_shown(row, before.shown):
            row = before  # approved while this scan was under way; the next one believes it
        self._scan_ended(watched, row, now)
        again_s = 0.0 if row.approved else watched.again_s(self.jitter())
        watched.due_s = min(watched.due_s, now.at_s + again_s)

    def _scan_ended(self, watched: SourceState, row: SourceRow, now: Now) -> None:
        before = watched.row
        if watched.end_scan(row, now):
            self.changed[row.key] = watched.row
            self.ledger.events.add(*source_events(watched.source, before, watched.row, now))
        if row.is_unread:
            self.settler.forget_source(row.key)
        for key in watched.unread_doubts(self.settler):
            self._touched(key, now)

    def _plan_scans(self, now: Now) -> list[commands.Scan]:
        due = [w for w in self.watched.values() if not w.scanning and w.due_s <= now.at_s]
        return [watched.begin_scan() for watched in due]

    def _plan_rehash(self, now: Now) -> list[commands.Rehash]:
        readable = [key for key, watched in self.watched.items() if not watched.row.is_unread]
        return self.rehasher.plan(readable, self._may_rehash, now)

    def _may_rehash(self, row: FileRow) -> bool:
        """Return whether the row has not changed since it was read, and nothing else reads it."""
        return self.ledger.known(row.key) == row and not self.must_wait(row.key)
