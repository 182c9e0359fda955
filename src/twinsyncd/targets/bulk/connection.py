"""Delivers export files to a bulk API, as a Target like any other.

A store reads, checks and sends one file. The service has no runs: what was sent is processed when
it is answered, so a run of this target covers stored files and is over when it begins.
"""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import structlog

from ...bulk_entities import RANK, children_of
from ...core import commands, facts
from ...core.content import Content
from ...core.model import Failure, Fault, FileKey, RunKey, StorageId
from ...core.results import Outcome
from ...core.setup import Guard
from ...errors import CloudError
from .delivery import Delivery, Sends
from .mapping import RowMapping, RowReader
from .marks import FileMarks, KeepsRows
from .rejection import counted, delivery_of, held, rejection, too_large
from .rivals import FileRows, OpensFile, Rivals
from .snapshot import DeliveredSets, Leaving, SetTooLargeError, Snapshot
from .summary import Summary
from .tables import BadTableError, Table
from .turns import Turns

PIECE_BYTES: Final = 1 << 20

log = structlog.get_logger()


def _no_file(_key: FileKey) -> AbstractContextManager[FileRows | None]:
    return nullcontext()


def _ask_nobody(_key: FileKey) -> None:
    pass


@dataclass(frozen=True, slots=True)
class BulkSettings:
    """One configured connection. `spool`: a folder for the file that is being read.

    `format_of`: the sheet of a workbook ("" for the first), and the encoding of a text file.
    `snapshot`: a request holds the complete set, since the service deletes what it leaves out.
    `wall_s`: the wall clock [s], of which each delivery gets the time.
    `grace_s`: how long a file waits for files of its parents that are read at the same time [s].
    `opens`: opens another file of the connection. `ask`: lets a file be tried again, from any
    thread.
    """

    connection: str
    url: str
    spool: Path
    mapping_of: Callable[[FileKey], RowMapping]
    format_of: Callable[[FileKey], tuple[str, str]] = lambda _key: ("", "utf-8")
    is_configured: Callable[[FileKey], bool] = lambda _key: True
    snapshot: bool = False
    guard: Guard = field(default_factory=Guard)
    wall_s: Callable[[], float] = time.time
    grace_s: float = 0.0
    opens: OpensFile = _no_file
    ask: Callable[[FileKey], None] = _ask_nobody


@dataclass(frozen=True, slots=True)
class BulkMemory:
    """What the journal keeps of bulk connections."""

    delivered: DeliveredSets
    files: FileMarks
    rows: KeepsRows


class BulkConnection:
    """A Target: one file at a time, parents before what names them."""

    def __init__(self, service: Sends, memory: BulkMemory, settings: BulkSettings) -> None:
        """Send nothing before the first command."""
        self._service = service
        self._delivered = memory.delivered
        self._files = memory.files
        self._rows = memory.rows
        self._asked: set[FileKey] = set()  # to be tried again, and not begun yet
        self._settings = settings
        self._turns = Turns(settings.grace_s)
        self._started = RunKey("")

    def store(
        self,
        command: commands.Store,
        content: Content,
        note: Callable[[facts.Reserved], None],
    ) -> facts.Stored:
        """Deliver the rows that changed. Raises CloudError REFUSED while rows are rejected."""
        key = command.key
        self._asked.discard(key)
        mapping = self._settings.mapping_of(key)
        storage_id = _storage_id(command, mapping.entity)
        command = replace(command, storage_id=storage_id)
        note(facts.Reserved(key, storage_id))
        with self._spooled(content) as file, self._turns.take(RANK[mapping.entity]):
            sheet, encoding = self._settings.format_of(key)
            table = Table(file, _ending(key), mapping.wanted(), sheet, encoding)
            summary = self._deliver(command, table, mapping)
            sheet = table.sheet_shown() if summary.rejected_count else ""
        self._note(command, mapping.entity, summary, sheet)
        log.info(
            "bulk.delivered",
            connection=self._settings.connection,
            path=key.path,
            entity=mapping.entity,
            rows=summary.rows,
            changed=summary.changed,
            inserted=summary.inserted,
            updated=summary.updated,
            requests=summary.requests,
            leaving=summary.leaving,
            rejected=summary.rejected_count,
        )
        for each in summary.rejected:
            log.warning("bulk.rejected", path=key.path, row=each.row, why=each.mistakes)
        if summary.rejected_count:
            raise rejection(key.path, sheet, summary)
        text = counted(mapping.entity, summary)
        return facts.Stored(key, command.digest, storage_id, text=text)

    def place(self, command: commands.Place) -> facts.Placed:
        """Keep what is known of a file that was renamed; the service knows records, not files."""
        name = self._settings.connection
        before = self._files.rename(name, command.storage_id, command.key)
        if before is not None:
            self._rows.rename(name, before, command.key)
        return facts.Placed(command.key)

    def remove(self, command: commands.Remove) -> facts.Removed:
        """Do nothing: the service knows records, not files."""
        return facts.Removed(command.connection, tuple(file.key for file in command.files))

    def prepare(self, command: commands.Prepare) -> facts.Prepared:
        """Return that everything stored is held; there is nothing to make.

        Storage is not as expected while files are to be sent again: they are looked up soon.
        """
        return facts.Prepared(
            command.connection,
            self._settings.url,
            RunKey(""),
            tuple(file.key for file in command.files),
            storage_as_expected=not self._files.to_resend(self._settings.connection),
        )

    def start_run(self, command: commands.StartRun) -> facts.RunStarted:
        """Begin the run that is over at once."""
        self._started = RunKey(f"bulk/{uuid.uuid4()}")
        return facts.RunStarted(command.connection, self._started)

    def find_run(self, command: commands.FindRun) -> facts.RunFound:
        """Return the run that this process began last."""
        return facts.RunFound(command.connection, self._started)

    def look_at_run(self, command: commands.LookAtRun) -> facts.RunSeen:
        """Return that it is over: every record of its files was answered before it began."""
        return facts.RunSeen(command.connection, command.run, Outcome.SUCCEEDED)

    def compare(self, command: commands.Compare) -> facts.Compared:
        """Return what is to be sent again; the service has no way to read records back."""
        self._ask_again(aside=True)  # the others are differences
        text = "records of other files came, changed or went, so its rows are compared again"
        found = [
            facts.Difference(key, facts.Differs.MISSING, text)
            for key in self._files.to_resend(self._settings.connection)
            if self._settings.is_configured(key)
        ]
        return facts.Compared(command.connection, tuple(found))

    def ask_again(self) -> None:
        """Let files be tried again that wait for what other files brought, or took away."""
        self._ask_again(aside=False)

    # ---- inside -------------------------------------------------------------------------

    def _ask_again(self, *, aside: bool) -> None:
        name, is_configured = self._settings.connection, self._settings.is_configured
        self._rows.forget_gone(name, is_configured)
        for key in self._files.to_ask(name, aside=aside):
            if is_configured(key) and key not in self._asked:
                self._asked.add(key)
                self._settings.ask(key)

    @contextmanager
    def _spooled(self, content: Content) -> Iterator[Path]:
        """Yield a private copy of exactly the settled content. Raises FileMoved, DiskError."""
        folder = self._settings.spool
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=folder) as spooled:
            for piece in content.chunks(PIECE_BYTES):
                spooled.write(piece)
            spooled.flush()
            content.verify()
            yield Path(spooled.name)

    def _deliver(self, command: commands.Store, table: Table, mapping: RowMapping) -> Summary:
        key, name = command.key, self._settings.connection
        common = (name, RowReader(mapping), table, self._delivered, self._service)

        def note(summary: Summary) -> None:
            self._note_delivery(command, mapping.entity, summary)

        try:
            if not self._settings.snapshot:
                rivals = Rivals(name, mapping.entity, key, self._rows, self._settings.opens)
                return Delivery(*common, note=note, rivals=rivals).deliver()
            snapshot = Snapshot(*common, note=note)
            below = children_of(mapping.entity)
            return snapshot.deliver(
                lambda leaving: self._permit(command, mapping.entity, leaving),
                lambda: self._files.resend(name, below),
            )
        except BadTableError as bad:
            text = f"{key.path}: {bad}; nothing was sent"
            raise CloudError(f"read {key.path}", Failure(Fault.REFUSED, text)) from bad
        except SetTooLargeError as large:
            raise too_large(key.path, mapping.entity, large.limit) from large

    def _permit(self, command: commands.Store, entity: str, leaving: Leaving) -> None:
        """Raise CloudError REFUSED unless a person approved, or need not."""
        key, name = command.key, self._settings.connection
        if not leaving.needs_person(self._settings.guard):
            return
        if self._files.approved_digest(name, key) == command.digest:
            return
        self._files.hold(name, key, entity, command.digest, leaving[:3])
        log.warning("bulk.held", path=key.path, entity=entity, **leaving._asdict())
        raise held(key.path, entity, name, leaving)

    def _note_delivery(
        self, command: commands.Store, entity: str, summary: Summary, sheet: str = ""
    ) -> None:
        """Remember how far the delivery of this content is."""
        of_content = {
            "digest": command.digest,
            "at_s": self._settings.wall_s(),
            "storage_id": command.storage_id,
        }
        delivery = delivery_of(sheet, summary) | of_content
        self._files.note_delivery(self._settings.connection, command.key, entity, delivery)

    def _note(self, command: commands.Store, entity: str, summary: Summary, sheet: str) -> None:
        """Remember what the file waits for, and let those go on that waited for it."""
        name, key = self._settings.connection, command.key
        if summary.orphans:
            self._files.await_parents(name, key, entity)
        else:
            self._files.note(name, key, entity)
        self._note_delivery(command, entity, summary, sheet)
        if summary.inserted or summary.updated:
            self._files.parents_came(name, children_of(entity))


def _storage_id(command: commands.Store, entity: str) -> StorageId:
    """Return the id of a file, which it keeps when it is renamed.

    So the path cannot be it: another file may get the path that a renamed one had.
    """
    if command.storage_id.startswith(f"{entity}/"):
        return command.storage_id
    return StorageId(f"{entity}/{uuid.uuid4()}")


def _ending(key: FileKey) -> str:
    return f".{key.path.rpartition('.')[2].lower()}"
