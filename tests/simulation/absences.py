# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""What is expected of absence (P7): when a file may count as gone, and which drive is believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from twinsyncd.core import commands, facts
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import ABSENT, FileKey, FileRow, HeldSource
from twinsyncd.core.safety import CONFIRM_S, mark_of

if TYPE_CHECKING:
    from .world import World


class Absences:
    """Told of every decision; raises AssertionError that names the promise."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.approved: dict[tuple[str, str], int] = {}  # lost files, by source and drive
        self.named: dict[tuple[str, str], set[FileKey]] = {}  # those that were shown by name
        self.drives: dict[str, str] = {}  # the one that each source was
        self.missed_s: dict[FileKey, float] = {}  # not on any list since
        self.hinted: set[FileKey] = set()  # a hint was heard, and no look since
        self.overheard: set[FileKey] = set()  # hints while their drive was away, and no scan since
        self.moved: set[FileKey] = set()  # another one took their identity, in this decision
        self.missed_before: set[FileKey] = set()  # this decision, which a crash may undo
        self.missed_by_others: set[FileKey] = set()  # on no list of an earlier process
        self.untold: set[str] = set()  # sources of which something was missed, and no scan since
        self.called: set[tuple[FileKey, str]] = set()  # what Storage just said that it calls so

    def check(self, heard: Sequence[facts.Fact], decision: Decision) -> None:
        self.missed_before = self.missed_s.keys() | self.missed_by_others
        for fact in heard:
            self._hear(fact)
        self.called = {
            (fact.key, fact.storage_id)
            for fact in heard
            if isinstance(fact, facts.Reserved) and not fact.is_new
        }
        self._check_deletions(decision)
        for row in decision.sources:
            if row.is_unread:  # nobody looks any more at what was hinted at
                self._forget_hints(self.hinted, row.key)
        self._check_rest(decision)

    def crashed(self) -> None:
        self.missed_by_others |= self.missed_before | self.missed_s.keys()
        self.hinted.clear()
        self.overheard.clear()
        self.untold.clear()

    def _hear(self, fact: facts.Fact) -> None:
        match fact:
            case facts.ApproveAsked(findings):
                for each in findings:
                    self._approve(each)
            case facts.Touched(key):
                source = self.world.journal.sources.get(key.source)
                offline = source is None or source.is_unread
                (self.overheard if offline else self.hinted).add(key)
            case facts.LookFailed(key):
                self.hinted.discard(key)
            case facts.HintsLost(source):
                self.untold.add(source)
            case facts.Looked() | facts.FilesFound() | facts.Scanned():
                self._hear_of_files(fact)
            case _:
                pass

    def _hear_of_files(self, fact: facts.Looked | facts.FilesFound | facts.Scanned) -> None:
        """Remember since when each file is missing from every list; one look proves nothing."""
        now_s, source = self.world.now_s, fact.source
        missing: set[FileKey] = set()
        if isinstance(fact, facts.Scanned):
            self._check_drive(fact)
            missing = {FileKey(source, path) for path in fact.missing}
            missed = self.missed_s.keys() | self.missed_by_others
            seen = {key for key in missed if key.source == source} - missing
            self._forget_words(source, fact.identity if missing else "")
        elif isinstance(fact, facts.FilesFound):
            seen = {FileKey(source, path) for path, _ in fact.files}
        else:
            seen = {FileKey(source, path) for path, look in fact.looks if look is not None}
            self.hinted -= {FileKey(source, path) for path, _ in fact.looks}
            if any(look is None and self._is_known(source, path) for path, look in fact.looks):
                self.untold.add(source)
        for key in missing:
            self.missed_s.setdefault(key, now_s)
        self.missed_by_others -= seen
        for key in seen:
            self.missed_s.pop(key, None)

    def restored(self) -> None:
        """Expect the drives and the missing files that the older journal remembers, and no more."""
        rows = self.world.journal.sources
        self.drives = {key: row.identity for key, row in rows.items() if row.identity}
        recalled = {FileKey(key, path) for key, row in rows.items() for path, _ in row.missed}
        self.missed_by_others |= recalled

    def _check_drive(self, fact: facts.Scanned) -> None:
        identity = self.drives.setdefault(fact.source, fact.identity)
        meant = fact.identity == identity or (fact.source, fact.identity) in self.approved
        assert meant, f"P7: {fact.identity} was taken for {identity}, unasked"
        self.drives[fact.source] = fact.identity

    def _check_deletions(self, decision: Decision) -> None:
        files, now_s = self.world.journal.files, self.world.now_s
        gone: dict[str, list[FileKey]] = {}
        self.moved = self._moved_files(decision)
        wanted = (
            row
            for row in decision.files
            if self.world.office.kind_of(row.key) is not None and row.key not in self.moved
        )
        for row in wanted:
            if row.seen == ABSENT and row.key in files and files[row.key].seen != ABSENT:
                gone.setdefault(row.key.source, []).append(row.key)
        for source, keys in gone.items():
            known = sum(r.seen != ABSENT for r in files.values() if r.key.source == source)
            missed = [self.missed_s.get(key, float("inf")) for key in keys]
            named = self.named.get((source, self.drives.get(source, "")), set())
            for key, since_s in zip(keys, missed, strict=True):
                long = now_s - since_s >= CONFIRM_S or key in self.missed_by_others
                assert long, f"P7: {key} counts as gone, missed since {since_s}"
                hinted = key in self.hinted or key in self.overheard
                back = hinted and self.world.drive.see(key) is not None
                assert not back, f"P7: {key} counts as gone in spite of a hint that it is back"
            word = (source, self.drives.get(source, ""))
            approved, guard = self.approved.get(word, 0), self.world.office.guard
            covered = max(approved, len(named & set(keys)))
            in_cloud = sum(self._is_in_cloud(key) for key in keys)  # nobody is asked for the others
            unasked = in_cloud - covered
            masses = unasked >= guard.least and unasked > (known - covered) * guard.share
            assert not masses, (
                f"P7: {len(keys)} of {known} files of {source} gone, {approved} approved"
            )
            self.approved[word] = max(approved - in_cloud, 0)

    def _is_in_cloud(self, key: FileKey) -> bool:
        row = self.world.journal.files[key]
        return bool(row.storage_id) or row.stored != ABSENT

    def _moved_files(self, decision: Decision) -> set[FileKey]:
        """Return the files that another one took the identity of: one that may have been them."""
        files, lane_of = self.world.journal.files, self.world.lane_of
        heirs = {(lane_of(r.key.source), r.storage_id): r for r in decision.files}
        moved: set[FileKey] = set()
        for row in decision.files:
            before = files.get(row.key) or FileRow(row.key)
            heir = heirs.get((lane_of(row.key.source), before.storage_id), row)
            if heir.key == row.key or not before.storage_id:
                continue
            same = heir.seen == before.stored or is_same_file(heir, before)
            same = same or self._is_called(before.storage_id, heir.key)
            same = same or self._has_given(heir, heirs)
            assert same, f"P8: {heir.key} took the place of {row.key}, which it never was"
            assert self.world.owner_of(heir.key) == self.world.owner_of(row.key)
            known_gone = before.seen == ABSENT or row.key in self.missed_s
            known_gone |= row.seen not in (ABSENT, before.stored)  # another one is in its place
            known_gone |= self._has_given(heir, heirs)
            assert known_gone, f"P7: {heir.key} took the place of {row.key}, missed by no list"
            moved.add(row.key)
        return moved

    def _has_given(self, heir: FileRow, heirs: Mapping[tuple[str, str], FileRow]) -> bool:
        """Return whether the heir's own identity went to another file, in exchange for this one."""
        given = (self.world.journal.files.get(heir.key) or FileRow(heir.key)).storage_id
        taker = heirs.get((self.world.lane_of(heir.key.source), given), heir)
        return bool(given) and taker.key != heir.key

    def _is_called(self, storage_id: str, key: FileKey) -> bool:
        """Return whether the file has this name in Storage, so that its path is its identity."""
        cloud = self.world.cloud_of_file(key)
        return cloud.names.get(key) == storage_id or (key, storage_id) in self.called

    def _check_rest(self, decision: Decision) -> None:
        for command in decision.commands:
            if isinstance(command, commands.Scan):
                self.untold.discard(command.source)
                self._forget_hints(self.overheard, command.source)
        rests = bool(self.untold) and self.world.machine.is_idle()
        assert not rests, f"P2: at rest, though something was missed of {self.untold}"

    def _forget_hints(self, hints: set[FileKey], source: str) -> None:
        hints -= {key for key in hints if key.source == source}

    def _is_known(self, source: str, path: str) -> bool:
        row = self.world.journal.files.get(FileKey(source, path))
        return row is not None and row.seen != ABSENT

    def _approve(self, shown: HeldSource) -> None:
        """Remember a person's word; a later one about less takes nothing of it back."""
        word = (shown.source, shown.drive)
        self.approved[word] = max(shown.missing_count, self.approved.get(word, 0))
        watched = self.world.machine._drive.watched.get(shown.source)
        held = watched.held if watched else None  # it may be out of the file meanwhile
        if held is not None and mark_of(held) == shown.missing_mark:
            self.named[word] = {FileKey(shown.source, path) for path in held}

    def _forget_words(self, source: str, drive: str) -> None:
        """Forget what was approved of the source, but for what is still missing on this drive."""
        kept = {word: n for word, n in self.approved.items() if word[0] != source}
        if (source, drive) in self.approved:
            kept[source, drive] = self.approved[source, drive]
        self.approved = kept


def is_same_file(one: FileRow, other: FileRow) -> bool:
    """Return whether both were the same file of the file system, under the same name."""
    looks = (one.fingerprint, other.fingerprint)
    ids = {look.file_id for look in looks if look is not None}
    names = {row.key.path.rpartition("/")[2].casefold() for row in (one, other)}
    return None not in looks and len(ids) == len(names) == 1
