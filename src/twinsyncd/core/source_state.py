"""One source while we run: what the last scan found, and when the next one is due."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from typing import Final

from .commands import Scan
from .drive_facts import (
    PART_SILENT,
    SILENT,
    ScanFailed,
    Scanned,
    ShareAnswers,
    ShareSlow,
)
from .events import Event, EventKind
from .model import FileKey, FileRow, Now, SourceKey, SourceRow
from .safety import (
    CONFIRM_S,
    EXAMPLES_MAX,
    REMEMBERED_MAX,
    UNLISTED_S,
    examples,
    mark_of,
    missed_before,
    remembered,
    say_mass_deletion,
    still_missing,
)
from .settle import Settler
from .setup import Source
from .waits import delay_s

SCAN_SOON_S: Final = 0.5  # losses of hints come in groups; one scan covers them all
SCAN_REST_S: Final = 2.0  # between two scans of one source, whatever the hints say
OFFLINE_BASE_S: Final = 5.0  # first wait before what could not be listed is tried again


@dataclass(slots=True)
class SourceState:
    """Times are monotonic seconds, `jitter` is in [0, 1)."""

    source: Source
    row: SourceRow
    due_s: float  # of the next scan
    scanning: bool = False
    scanned: bool = False  # at least once since we started
    wanted: bool = False  # something was missed that only the next scan can find
    hint_missed: bool = False  # a hint was not followed, and the scan under way may not see it
    ended_s: float = float("-inf")
    failures: int = 0
    missing: dict[str, float] = field(default_factory=dict)  # path -> first missed
    missed_before: dict[str, float] = field(default_factory=dict)  # by an earlier process
    unseen: dict[str, float] = field(default_factory=dict)  # missed by a look since then only
    held: Set[str] | None = None  # the paths that `row.missing_mark` is about, if we listed them

    @property
    def is_complete(self) -> bool:
        """Return whether no scan is needed or running."""
        return self.scanned and not (self.scanning or self.wanted)

    @property
    def slow(self) -> bool:
        """Return whether it has not answered for some seconds, so that nothing waits for it."""
        return self.row.silent_since_s > 0.0

    def note_answer(
        self, fact: ShareSlow | ShareAnswers, now: Now, changed: dict[SourceKey, SourceRow]
    ) -> None:
        """Note whether the share answers; the row is `changed` if that is new.

        It is the same silence if an earlier process noted it: since when stays as it was.
        """
        if isinstance(fact, ShareSlow) is self.slow:
            return
        if self.scanning and self.row.silent.startswith(PART_SILENT):
            return  # what hung is left out of the scan under way, whose end names it
        silent, since_s = "", 0.0
        if isinstance(fact, ShareSlow):
            silent, since_s = fact.reason, fact.since_s
        elif self.row.offline:
            self.scan_soon(now.at_s)
        row = replace(self.row, silent=silent, silent_since_s=since_s)
        self.row = changed[row.key] = row

    def scan_soon(self, now_s: float) -> None:
        """Schedule the next scan soon."""
        soon = max(now_s + SCAN_SOON_S, self.ended_s + SCAN_REST_S)
        self.due_s, self.wanted = min(self.due_s, soon), True

    def leave_to_scan(self) -> None:
        """Leave a file to the next scan of its drive; a running one may have passed it already."""
        self.hint_missed |= self.scanning

    def begin_scan(self) -> Scan:
        """Return the scan to begin now."""
        self.scanning, self.due_s = True, float("inf")
        self.wanted = self.hint_missed = False
        return scan_for(self.row)

    def note_missing(self, fact: Scanned, now: Now) -> None:
        """Note what a list lacked, since when; an earlier process may have missed it before."""
        known = dict(self.missing)
        if not self.scanned and fact.identity == self.row.identity:
            self.missed_before = missed_before(self.row.missed, now)
            known |= self.missed_before
        self.missing = still_missing(known, fact.missing, now.at_s)
        if not self.hint_missed:  # else the list may be older than a look
            self.unseen.clear()

    def note_unseen(self, path: str, now: Now) -> None:
        """Note that a look found no such file; the next list shows whether it is gone."""
        self.missing.setdefault(path, UNLISTED_S)
        if self.missing[path] == UNLISTED_S:
            self.unseen.setdefault(path, now.at_s)
        self.scan_soon(now.at_s)

    def saw(self, path: str, changed: dict[SourceKey, SourceRow]) -> None:
        """Note that the file is there; the row, if it was remembered as missing, is `changed`."""
        for missing in (self.missing, self.missed_before, self.unseen):
            missing.pop(path, None)
        if self.row.missed and path in dict(self.row.missed):
            left = tuple(each for each in self.row.missed if each[0] != path)
            self.row = changed[self.row.key] = replace(self.row, missed=left)

    def doubt(self, row: FileRow, changed: dict[SourceKey, SourceRow]) -> None:
        """Remember until it is read that a person doubts a synced file; our row is `changed`."""
        if not (row.aside or row.unread or row.key.path in self.row.doubted):
            doubted = (*self.row.doubted, row.key.path)
            self.row = changed[self.row.key] = replace(self.row, doubted=doubted)

    def end_doubt(self, path: str, changed: dict[SourceKey, SourceRow]) -> bool:
        """Note that the file was read, or is gone; return whether a person doubted it."""
        is_doubted = path in self.row.doubted
        if is_doubted:
            left = tuple(each for each in self.row.doubted if each != path)
            self.row = changed[self.row.key] = replace(self.row, doubted=left)
        return is_doubted

    def unread_doubts(self, settler: Settler) -> list[FileKey]:
        """Return what is doubted and on nobody's way to be read.

        An earlier process heard of it, or the drive was offline.
        """
        keys = (FileKey(self.row.key, path) for path in self.row.doubted)
        return [key for key in keys if key not in settler and key.path not in self.missing]

    def went(self, path: str, changed: dict[SourceKey, SourceRow]) -> None:
        """Note that a missing file counts as gone: nothing of it is missing or doubted any more."""
        del self.missing[path]
        self.end_doubt(path, changed)

    def confirm(self, unstored: Iterable[str], now: Now) -> None:
        """Let files of which nothing is in the cloud be gone if an earlier process missed them."""
        for path in self.missed_before.keys() & unstored & self.missing.keys():
            self.missing[path] = now.at_s - CONFIRM_S
        self.missed_before.clear()

    def end_scan(self, row: SourceRow, now: Now) -> bool:
        """Note the result of the scan; return whether it changed the row."""
        self.scanning, self.scanned, self.ended_s = False, True, now.at_s
        before = self.row
        begun_s = before.offline_since_s or row.silent_since_s or now.wall_s
        since_s = begun_s if row.offline else 0.0
        self.row = replace(
            row,
            patterns=self.source.patterns,
            watch_trouble=before.watch_trouble,
            doubted=before.doubted,
            missed=remembered(before.missed, self.missing, now),
            missed_unnamed=missing if (missing := len(self.missing)) > REMEMBERED_MAX else 0,
            offline_since_s=since_s,
        )
        return self.row != before

    def with_approved_rest(
        self, row: SourceRow, drive: str, lost: Set[str], missing: Set[str]
    ) -> SourceRow:
        """Return the row with what is left of an approval: files that do not count as gone yet.

        What was counted before it was listed is all that is missing, if it is no more. An approval
        that another process received holds if the same files are lost, or missing, still.
        """
        before, named = self.row, self.held
        if not before.approved or before.drive != drive:
            self.held = None
            return row
        if named is None:
            sets = (lost, missing)
            is_known = (each for each in sets if mark_of(each) == before.missing_mark)
            is_all = len(missing) <= before.missing_count  # else nobody was shown so many
            counted = missing if is_all else frozenset()
            named = next(is_known, frozenset()) if before.missing_mark else counted
        self.held = rest = named & self.missing.keys()
        if not rest:
            return row
        mark, count = mark_of(rest), len(rest)
        return replace(row, approved=True, drive=drive, missing_count=count, missing_mark=mark)

    def note_trouble(self, reason: str) -> bool:
        """Note why changes are not noticed at once; return whether that changed the row."""
        before, self.row = self.row, replace(self.row, watch_trouble=reason)
        return self.row != before

    def scan_again(self, fact: Scanned, now_s: float, jitter: float) -> None:
        """Schedule the next scan at its usual time, or earlier if there is a reason."""
        every_s = self.source.scan_remote_every_s if fact.remote else self.source.scan_every_s
        every_s *= 1.0 - jitter / 4.0
        if self.missing:
            every_s = min(every_s, CONFIRM_S + SCAN_SOON_S)
        if self.hint_missed:
            self.scan_soon(now_s)
        if fact.blind:  # hints about what lies there may have been lost
            every_s = min(every_s, self.again_s(jitter))
        self.due_s = min(self.due_s, now_s + every_s)

    def again_s(self, jitter: float) -> float:
        """Return the wait before what failed is tried again, longer after each failure."""
        return delay_s(self.failures, jitter, base_s=OFFLINE_BASE_S)


def source_event(
    kind: EventKind, source: Source, now: Now, *, path: str = "", text: str = ""
) -> Event:
    """Return an event of a source."""
    return Event(kind, now.wall_s, source.connection, source.key, path, text=text)


def approval(source: Source, row: SourceRow, now: Now) -> Event:
    """Return the event of a person approving what was found in a source."""
    return source_event(EventKind.SOURCE_APPROVED, source, now, text=row.offline)


def source_events(source: Source, before: SourceRow, after: SourceRow, now: Now) -> Iterator[Event]:
    """Yield what a scan changed for people: the source itself, and paths that cannot be read."""
    if after.offline != before.offline:
        kind = EventKind.SOURCE_HELD if after.needs_person else EventKind.SOURCE_OFFLINE
        kind = kind if after.offline else EventKind.SOURCE_ONLINE
        yield source_event(kind, source, now, text=after.offline)
    for spot in after.blind:
        if spot not in before.blind:
            text = spot.reason
            yield source_event(EventKind.PATH_UNREADABLE, source, now, path=spot.path, text=text)


def scan_for(row: SourceRow) -> Scan:
    """Return the scan that accepts what a person approved: that drive, or that loss."""
    if not row.approved:
        return Scan(row.key, row.identity, drives_inside=row.drives_inside)
    return Scan(row.key, row.drive, approved=row.missing_count > 0, drives_inside=row.drives_inside)


def seen_by(fact: Scanned, before: SourceRow, now: Now) -> SourceRow:
    """Return the row of a source that was scanned: which drive, and what could not be read."""
    row = SourceRow(fact.source, fact.identity, drives_inside=fact.drives_inside)
    if not fact.blind:
        return row
    shown = sorted(fact.blind, key=lambda spot: spot.path)[:EXAMPLES_MAX]
    return replace(
        row,
        blind=tuple(shown),
        blind_count=len(fact.blind),
        blind_since_s=before.blind_since_s or now.wall_s,
    )


def held_row(row: SourceRow, fact: Scanned, missing: Collection[str]) -> SourceRow:
    """Return the row of a source of which too many files are missing at once."""
    return replace(
        row,
        offline=say_mass_deletion(len(missing), fact.known),
        needs_person=True,
        drive=fact.identity,
        missing_count=len(missing),
        missing_mark=mark_of(missing),
        examples=examples(missing),
        is_read=True,
    )


def failed_row(fact: ScanFailed, before: SourceRow) -> SourceRow:
    """Return the row of a source whose scan failed; an approved drive is the one to expect."""
    accepted = before.approved and fact.drive == before.drive
    is_silent = fact.silent_since_s > 0.0
    is_same = before.silent.startswith(SILENT)  # and not that of a place in it
    silent = (before.silent if is_same else fact.reason) if is_silent else ""
    return SourceRow(
        before.key,
        fact.drive if accepted else before.identity,
        silent or fact.reason,
        silent=silent,
        silent_since_s=(before.silent_since_s or fact.silent_since_s) if is_silent else 0.0,
        needs_person=fact.needs_person,
        drive=fact.drive,
        missing_count=fact.missing_count,
        drives_inside=before.drives_inside,
    )
