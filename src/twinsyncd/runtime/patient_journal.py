"""The daemon's journal: waits while its disk is full, read-only or locked, instead of dying.

What was decided is kept in memory and committed once it can be; nothing is begun before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from ..core.decision import Decision, FileRows, SavedState
from ..core.model import (
    Digest,
    FileKey,
    FileRow,
    Fingerprint,
    LaneKey,
    SourceKey,
    StorageId,
)
from ..core.progress import Heartbeat
from ..errors import JournalError, JournalGone
from ..journal.bulk_files import BulkFiles
from ..journal.delivered import DeliveredRecords
from ..journal.drawing_references import ReferenceStore
from ..journal.export_rows import ExportRows
from ..journal.new_folders import NewFolders
from ..journal.notices import Alert, Notice, NoticeState
from ..journal.outlets import Outlet
from ..journal.reader import Look
from ..journal.requests import Request
from ..journal.writer import Journal
from .journal_place import JournalPlace
from .patience import Patience

T = TypeVar("T")


class PatientJournal(FileRows):
    """A journal whose every call waits until it works."""

    def __init__(
        self, journal: Journal, patience: Patience, place: JournalPlace | None = None
    ) -> None:
        """`journal` is closed by whoever opened it; `place` is the file that it is in."""
        self._journal = journal
        self._place = place
        self.patience = patience

    def _call(self, act: Callable[[], T]) -> T:
        """Return what `act` returns, once it does. Raises JournalError if waiting is no use."""

        def act_in_place() -> T:
            try:
                return act()
            except JournalGone:
                raise
            except JournalError:
                self._check_place()  # a file that is gone explains it
                raise

        return self.patience.call(act_in_place)

    def _check_place(self) -> None:
        if self._place is not None:
            self._place.check(self._journal)

    def stop_waiting(self) -> None:
        """Let whoever waits for the journal give up."""
        self.patience.stop()
        self._journal.hurry()

    def saved_state(self) -> SavedState:
        """Return what the machine starts from."""
        return self._call(self._journal.saved_state)

    def register(self, version: str, now_s: float, on_upgrade: Request) -> None:
        """Say that this process keeps the journal now; ask `on_upgrade` if another version did."""
        self._call(lambda: self._journal.register(version, now_s, on_upgrade))
        self.patience.begun()

    def delivered_records(self) -> DeliveredRecords:
        """Return what bulk connections took; not patient: a store that fails is tried again."""
        return self._journal.delivered_records()

    def bulk_files(self) -> BulkFiles:
        """Return which export files wait for something; not patient, as above."""
        return self._journal.bulk_files()

    def export_rows(self) -> ExportRows:
        """Return which rows export files have; not patient, as above."""
        return self._journal.export_rows()

    def references(self) -> ReferenceStore:
        """Return what design files name; not patient, as above."""
        return self._journal.references()

    def new_folders(self) -> NewFolders:
        """Return which folders of Storage were asked for lately; not patient, as above."""
        return self._journal.new_folders()

    def leave_request(self, request: Request, now_s: float, lane: LaneKey | None = None) -> None:
        """Add a request, from any thread; not patient: a person waits for the answer."""
        self._journal.leave_request(request, now_s, lane)

    def write_outlet(self, outlet: Outlet) -> None:
        """Remember whether people are reached by it, from any thread; not patient."""
        self._journal.write_outlet(outlet)

    def read_notices(self) -> NoticeState:
        """Return what people were notified of, for any thread; not patient."""
        return self._journal.read_notices()

    def save_notices(
        self, alerts: Iterable[Alert], changed: Iterable[Notice], now_s: float
    ) -> None:
        """Remember all alerts, and these messages; not patient: people are told all the same."""
        self._journal.save_notices(alerts, changed, now_s)

    def keep_outlets(self, names: Collection[str]) -> None:
        """Forget the outlets that are not configured any more."""
        self._call(lambda: self._journal.keep_outlets(names))

    # ---- rows ---------------------------------------------------------------------------

    def get(self, key: FileKey) -> FileRow | None:
        """Return the remembered row, or None."""
        return self._call(lambda: self._journal.get(key))

    def get_many(self, source: SourceKey, paths: Sequence[str]) -> Mapping[str, FileRow]:
        """Return the remembered rows among these paths of a source."""
        return self._call(lambda: self._journal.get_many(source, paths))

    def active(self, sources: Iterable[SourceKey]) -> list[FileRow]:
        """Return the rows of these sources with work left, in doubt, or covered by a run."""
        keys = list(sources)
        return self._call(lambda: list(self._journal.active(keys)))

    def hashed_before(
        self, sources: Iterable[SourceKey], before_s: float, limit: int
    ) -> list[FileRow]:
        """Return files last read before that wall-clock time [s], longest ago first."""
        keys = list(sources)
        return self._call(lambda: self._journal.hashed_before(keys, before_s, limit))

    def having(
        self, sources: Iterable[SourceKey], storage_ids: Sequence[StorageId]
    ) -> list[FileRow]:
        """Return the rows of these sources that have one of these ids in Storage."""
        keys = list(sources)
        return self._call(lambda: self._journal.having(keys, storage_ids))

    def with_content(
        self, sources: Iterable[SourceKey], digests: Collection[Digest]
    ) -> list[FileRow]:
        """Return the rows of these sources whose file in Storage has one of these contents."""
        keys = list(sources)
        return self._call(lambda: self._journal.with_content(keys, digests))

    def with_file_id(
        self, sources: Iterable[SourceKey], file_ids: Collection[int]
    ) -> list[FileRow]:
        """Return the rows of these sources that were one of these files when last read."""
        keys = list(sources)
        return self._call(lambda: self._journal.with_file_id(keys, file_ids))

    def every(self, sources: Iterable[SourceKey]) -> list[FileRow]:
        """Return all remembered rows of these sources."""
        keys = list(sources)
        return self._call(lambda: list(self._journal.every(keys)))

    # ---- what a scan compares with; any thread ------------------------------------------

    def folders(self, source: SourceKey) -> Sequence[str]:
        """Return every folder of the source that is remembered to hold files."""
        return self._call(lambda: self._journal.folders(source))

    def files(self, source: SourceKey, folder: str) -> Mapping[str, Fingerprint]:
        """Return the remembered fingerprints of the files directly in a folder, by name."""
        return self._call(lambda: self._journal.files(source, folder))

    def files_from(
        self, source: SourceKey, folder: str, rows: int
    ) -> tuple[list[tuple[str, list[Look]]], bool]:
        """Return this folder and those after it, each with all its hashed files; about `rows`."""
        return self._call(lambda: self._journal.files_from(source, folder, rows))

    def changes(self) -> float:
        """Return how many commits have changed remembered files so far."""
        return self._journal.changes()

    def changed_at(self, source: SourceKey, folder: str) -> float:
        """Return the number of the newest change of a file directly in the folder."""
        return self._journal.changed_at(source, folder)

    def changed_in(self, source: SourceKey) -> float:
        """Return the number of the newest change of any file of the source."""
        return self._journal.changed_in(source)

    def recent_folders(self, source: SourceKey) -> list[str]:
        """Return folders in which files of the source changed last, the newest first."""
        return self._journal.recent_folders(source)

    # ---- the engine ---------------------------------------------------------------------

    def commit(self, decision: Decision, taken: Sequence[int], now_s: float) -> None:
        """Commit all rows of the decision and the handled requests `taken`, or nothing."""
        self._call(lambda: self._journal.commit(decision, taken, now_s))

    def open_requests(self) -> Sequence[Request]:
        """Return the requests of people that are not handled yet."""
        return self._call(self._journal.open_requests)

    def beat(self, now_s: float, beat: Heartbeat) -> None:
        """Write the heartbeat. Raises JournalGone if the file was deleted or replaced."""
        self._call(self._check_place)
        self._call(lambda: self._journal.beat(now_s, beat))
