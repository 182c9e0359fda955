"""Delivers export files to a bulk API, as a Target like any other.

A store reads, checks and sends one file. The service has no runs: what was sent is processed when
it is answered, so a run of this target covers stored files and is over when it begins.
"""

from __future__ import annotations

import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from ...bulk_entities import RANK
from ...core import commands, facts
from ...core.content import Content
from ...core.model import Failure, Fault, FileKey, RunKey, StorageId
from ...core.results import Outcome
from ...errors import CloudError
from .delivery import Delivered, Delivery, Sends, Summary
from .mapping import RowMapping, RowReader
from .tables import BadTableError, Row, read_rows

PIECE_BYTES: Final = 1 << 20
NAMED_MAX: Final = 3  # rejected rows that a message names; the log has more

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class BulkSettings:
    """One configured connection. `spool`: a folder for the file that is being read."""

    connection: str
    url: str
    spool: Path
    mapping_of: Callable[[FileKey], RowMapping]
    sheet_of: Callable[[FileKey], str] = lambda _key: ""


class BulkConnection:
    """A Target: one file at a time, parents before what names them."""

    def __init__(self, service: Sends, delivered: Delivered, settings: BulkSettings) -> None:
        """Send nothing before the first command."""
        self._service = service
        self._delivered = delivered
        self._settings = settings
        self._turns = _Turns()
        self._started = RunKey("")

    def store(
        self,
        command: commands.Store,
        content: Content,
        note: Callable[[facts.Reserved], None],
    ) -> facts.Stored:
        """Deliver the rows that changed. Raises CloudError REFUSED while rows are rejected."""
        key = command.key
        mapping = self._settings.mapping_of(key)
        storage_id = StorageId(f"{mapping.entity}/{key.path}")
        note(facts.Reserved(key, storage_id))
        with self._spooled(content) as file, self._turns.take(RANK[mapping.entity]):
            summary = self._deliver(key, file, mapping)
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
            rejected=summary.rejected_count,
        )
        if summary.rejected_count:
            raise self._rejection(key, summary)
        return facts.Stored(key, command.digest, storage_id)

    def prepare(self, command: commands.Prepare) -> facts.Prepared:
        """Return that everything stored is held; there is nothing to make."""
        held = tuple(file.key for file in command.files)
        return facts.Prepared(command.connection, self._settings.url, RunKey(""), held)

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
        """Return that all is as remembered; the service has no way to read records back."""
        return facts.Compared(command.connection)

    # ---- inside -------------------------------------------------------------------------

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

    def _deliver(self, key: FileKey, file: Path, mapping: RowMapping) -> Summary:
        ending = f".{key.path.rpartition('.')[2].lower()}"
        sheet = self._settings.sheet_of(key)

        def rows() -> Iterator[Row]:
            return read_rows(file, ending, mapping.wanted(), sheet)

        delivery = Delivery(
            self._settings.connection, RowReader(mapping), rows, self._delivered, self._service
        )
        try:
            return delivery.deliver()
        except BadTableError as bad:
            raise CloudError(
                f"read {key.path}", Failure(Fault.REFUSED, f"{key.path}: {bad}; nothing was sent")
            ) from bad

    def _rejection(self, key: FileKey, summary: Summary) -> CloudError:
        """Return the error that names the first rejected rows; parents may yet come (FILE)."""
        named = [
            f"row {rejected.row}"
            + (f", column {mistake.column}" if mistake.column else "")
            + f": {mistake.message} (fix: {mistake.fix})"
            for rejected in summary.rejected[:NAMED_MAX]
            for mistake in rejected.mistakes[:NAMED_MAX]
        ]
        for rejected in summary.rejected:
            log.warning("bulk.rejected", path=key.path, row=rejected.row, why=rejected.mistakes)
        more = summary.rejected_count - NAMED_MAX
        rest = f"; and {more} more rows" if more > 0 else ""
        text = (
            f"{key.path}: {summary.rejected_count} of {summary.rows} rows are not in the service, "
            f"the others are: {'; '.join(named)}{rest}"
        )
        fault = Fault.FILE if summary.orphans else Fault.REFUSED
        return CloudError("send rows", Failure(fault, text))


class _Turns:
    """Lets one file go at a time, of those that wait the one with the lowest rank."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: list[int] = []
        self._busy = False

    @contextmanager
    def take(self, rank: int) -> Iterator[None]:
        """Hold the turn while the context lasts."""
        with self._condition:
            self._waiting.append(rank)
            self._condition.wait_for(lambda: not self._busy and rank == min(self._waiting))
            self._waiting.remove(rank)
            self._busy = True
        try:
            yield
        finally:
            with self._condition:
                self._busy = False
                self._condition.notify_all()
