"""Verifies file by file: drive, Storage, source file, the newest run's task and its changeset.

Reads only. What the platform does not tell is "unknown"; a file is current only if all agree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from ..cloud.client import Platform
from ..cloud.session import open_cloud
from ..config import Config, Connection
from ..core.commands import Compare, StoredFile
from ..core.comparison import stored_files
from ..core.facts import Difference, Differs
from ..core.model import ABSENT, IN_DOUBT, NO_RUN, STAYS, FileKey, FileRow, SourceKey, SourceRow
from ..errors import CloudError, DiskError
from ..journal.database import open_read_only
from ..journal.delivered import DeliveredRecords
from ..journal.export_rows import ExportRows
from ..journal.history import Evidence, read_evidence
from ..journal.reader import JournalReader
from ..targets.protocol import Target
from .bulk_deliveries import last_deliveries
from .bulk_verification import BulkRecords, verify_bulk
from .cloud_wiring import cloud_settings, open_targets
from .drive_scan import scan_drive
from .file_doubts import is_within
from .found_files import Cloud, Drive, JournalEntry
from .setup_check.known import NothingKnown
from .share_folder import ShareFolder
from .state import journal_of, open_views
from .verified_file import VerifiedFile, judge
from .wiring import open_folder

CHANGESETS_MAX: Final = 1000  # the newest of the iModel; older ones are taken for present
_OF_CONNECTION: Final = (Differs.UNMAPPED, Differs.CONNECTOR)
_READ_BACK: Final = "read back"  # like no mark that a service gives, so content is read back


@dataclass(frozen=True, slots=True)
class Selection:
    """What to verify: one connection by its name, a file, or a folder; all if neither is given."""

    connection: str = ""
    keys: tuple[FileKey, ...] = ()  # several if sources share the folder

    def source(self, key: SourceKey) -> bool:
        """Return whether anything of the source is wanted."""
        return not self.keys or any(each.source == key for each in self.keys)

    def file(self, key: FileKey) -> bool:
        """Return whether the file is wanted."""
        return not self.keys or any(is_within(key, each) for each in self.keys)


def verify(config: Config, selection: Selection, *, deep: bool) -> Iterator[VerifiedFile]:
    """Yield every file that is on the drive, or was synced. Raises JournalError.

    `deep` reads each file, on the drive and in Storage; else sizes and times decide.
    """
    open_views(config).close()  # says so if there is no journal
    engine = open_read_only(journal_of(config))
    try:
        with open_cloud(cloud_settings(config)) as cloud:
            targets = open_targets(config, cloud)
            for connection in config.connection:
                if connection.target == "bulk" and selection.connection in ("", connection.name):
                    known = [each.key for each in last_deliveries(config, connection)]
                    rows = JournalReader(engine).saved_state().sources
                    kept = BulkRecords(DeliveredRecords(engine), ExportRows(engine))
                    yield from verify_bulk(
                        config, connection, kept, known, selection.file, remembered=rows
                    )
                elif connection.key in targets and selection.connection in ("", connection.name):
                    folders = {
                        key: open_folder(config, key, source, NothingKnown())
                        for source in connection.source
                        if selection.source(key := connection.key_of(source))
                    }
                    journal = JournalReader(engine)
                    one = ConnectionVerification(connection, folders, journal, selection, deep)
                    yield from one.files(targets[connection.key], cloud.platform)
    finally:
        engine.dispose()


@dataclass(slots=True)
class ConnectionVerification:
    """The verification of one connection."""

    connection: Connection
    folders: Mapping[SourceKey, ShareFolder]
    journal: JournalReader
    selection: Selection
    deep: bool
    drive: Drive = field(default_factory=Drive)

    def files(self, target: Target, platform: Platform) -> Iterator[VerifiedFile]:
        """Yield the connection's files, by path; for a source that was not read, a path of ""."""
        remembered = self.journal.saved_state().sources
        for key, folder in self.folders.items():
            known_of = remembered.get(key, SourceRow(key))
            missed_s = {FileKey(key, path): since_s for path, since_s in known_of.missed}
            self.drive.missed_s |= missed_s
            scan_drive(self.drive, known_of, folder)
        rows = {row.key: row for row in self.journal.every(self.folders)}
        rows = {key: row for key, row in rows.items() if self.selection.file(key)}
        self._look_for_left_out(rows)
        differences, problem = self._compare_with_left_out(target, rows)
        ids_there, all_there, written_by = _changesets(platform, self.connection.imodel_id)
        cloud = Cloud(differences, problem, ids_there, all_there, written_by)
        sources = [self.connection.key_of(each) for each in self.connection.source]
        since_s = self.journal.connection(self.connection.key).home_s
        evidence = read_evidence(self.journal, sources, since_s)
        own = self.connection
        roots = {own.key_of(each): each.is_spatial_root() for each in own.source}
        found = (key for key in (*self.drive.looks, *self.drive.blind) if self.selection.file(key))
        ids = {row.storage_id for row in self.journal.every(sources)}
        known = (key for key, row in rows.items() if _is_known(row, evidence, ids))
        every = {*known, *found}
        for file in sorted({*every, *self._unread_sources(every)}):
            row = rows.get(file)
            entry = JournalEntry(row, evidence.of(row))
            digest = partial(self._digest, file) if self.deep else None
            verified = judge(file, entry, self.drive, cloud, digest)
            yield replace(verified, spatial_root=roots[file.source](file.path))

    def _look_for_left_out(self, rows: Mapping[FileKey, FileRow]) -> None:
        """Note known files that are on the drive, and that the patterns do not take any more."""
        own = self.connection
        matchers = {own.key_of(each): each.matcher() for each in own.source}
        for key in rows:
            if key in self.drive.looks or self.drive.unread(key):
                continue
            matcher = matchers[key.source]
            if matcher.kind(key.path) is not None:
                continue
            try:
                if self.folders[key.source].look(key.path) is not None:
                    why = matcher.explain(key.path).removeprefix("ignored: ")
                    self.drive.left_out[key] = why
            except DiskError as exc:
                self.drive.blind[key] = str(exc)

    def _unread_sources(self, found: Collection[FileKey]) -> Iterator[FileKey]:
        """Yield the sources that were not read: they may hold files that nobody knows."""
        for source in self.drive.offline:
            if not self.selection.keys or not any(each.source == source for each in found):
                yield FileKey(source, "")

    def _digest(self, key: FileKey) -> str:
        """Return the digest of the file on the drive now. Raises DiskError."""
        return self.folders[key.source].digest(key.path, self.drive.looks[key])

    def _compare_with_left_out(
        self, target: Target, rows: dict[FileKey, FileRow]
    ) -> tuple[dict[FileKey, list[Difference]], str]:
        """Compare; the rows of what is left out then say whether the connection has it.

        The daemon keeps no account of that, since it does nothing about such a file.
        """
        if self.connection.target != "storage":  # which alone has source files to ask for
            return self._compare(target, rows)
        for key in self.drive.left_out:
            rows[key] = replace(rows[key], in_connection=True)
        differences, problem = self._compare(target, rows)
        for key in self.drive.left_out:
            found = differences.pop(key, [])
            is_mapped = all(each.differs is not Differs.UNMAPPED for each in found)
            rows[key] = replace(rows[key], in_connection=is_mapped)
            if rest := [each for each in found if each.differs not in _OF_CONNECTION]:
                differences[key] = rest
        return differences, problem

    def _compare(
        self, target: Target, rows: Mapping[FileKey, FileRow]
    ) -> tuple[dict[FileKey, list[Difference]], str]:
        """Return how the service differs, and why that is not known."""
        remote = self.journal.connection(self.connection.key)
        files = (*stored_files(rows.values()), *_forgotten_files(rows.values()))
        if self.deep:
            files = tuple(replace(file, version=_READ_BACK) for file in files)
        command = Compare(self.connection.key, remote.remote_id, files, NO_RUN)
        try:
            compared = target.compare(command)
        except CloudError as exc:
            return {}, exc.failure.message
        differences: dict[FileKey, list[Difference]] = {}
        for difference in compared.differences:
            differences.setdefault(difference.key, []).append(difference)
        return differences, ""


def _forgotten_files(rows: Iterable[FileRow]) -> Iterator[StoredFile]:
    """Yield what may lie in Storage still although it is not kept up there any more."""
    for row in rows:
        if row.stored == row.seen == ABSENT and row.storage_id and not row.in_connection:
            yield StoredFile(row.key, row.storage_id, IN_DOUBT, None, "", False)


def _is_known(row: FileRow, evidence: Evidence, ids: Collection[str]) -> bool:
    """Return whether it is on the drive, or something of it may be in the iModel, under its name.

    Of a file that is gone before any run Storage may have something, which is nobody's question.
    """
    if row.synced != ABSENT or row.covered or row.aside or row.unread or row.note == STAYS:
        return True
    if row.storage_id and (row.seen != ABSENT or evidence.of(row) is not None):
        return True
    found = evidence.by_key.get(row.key)  # deleted since: the iModel may hold its content
    return found is not None and found.storage_id not in ids


def _changesets(
    platform: Platform, imodel_id: str
) -> tuple[frozenset[str], bool, Mapping[str, str]]:
    """Return the ids of the newest changesets, whether these are all, and the newest by task."""
    try:
        found = platform.newest_changesets(imodel_id, CHANGESETS_MAX)
    except CloudError:
        return frozenset(), False, {}
    written_by = {each.task: each.id for each in reversed(found) if each.task}
    return frozenset(each.id for each in found), len(found) < CHANGESETS_MAX, written_by
