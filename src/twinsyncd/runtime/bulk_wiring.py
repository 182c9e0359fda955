"""Builds the targets of bulk connections from the configuration; a part of the composition root."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import structlog

from ..cloud.bulk_sign_in import Account
from ..cloud.network import NetworkSettings
from ..cloud.session import open_bulk
from ..config import Config, Connection, Source, sources_of
from ..config.bulk import Bulk
from ..core.decision import Decision
from ..core.facts import Fact, RetryAsked
from ..core.model import ABSENT, ConnectionKey, FileKey, SourceKey
from ..core.setup import Guard
from ..errors import DiskError, JournalError
from ..journal.writer import Journal
from ..targets.bulk.connection import BulkConnection, BulkMemory, BulkSettings
from ..targets.bulk.mapping import RowMapping, RowReader
from ..targets.bulk.rivals import FileRows
from ..targets.bulk.tables import Table
from .patient_journal import PatientJournal
from .share_folder import Share
from .state import journal_file

log = structlog.get_logger()
GRACE_S: Final = 0.5  # files that were exported together settle together, but begin one by one


@contextmanager
def bulk_targets(
    config: Config,
    journal: PatientJournal,
    network: NetworkSettings,
    shares: Mapping[SourceKey, Share],
    post: Callable[[Fact], None],
) -> Iterator[dict[ConnectionKey, BulkConnection]]:
    """Yield one target per bulk connection; nothing is sent before it is used.

    `shares`: to read another file beside the one that is delivered. `post`: a fact for the engine.
    """
    with ExitStack() as stack:
        memory = memory_of(journal)
        targets: dict[ConnectionKey, BulkConnection] = {}
        for connection in config.connection:
            if connection.target == "bulk":
                bulk = connection.bulk
                service = stack.enter_context(
                    open_bulk(bulk.url or "", sender_of(bulk), network=network)
                )
                settings = _settings(config, connection, shares, post)
                targets[connection.key] = BulkConnection(service, memory, settings)
        yield targets


def sender_of(bulk: Bulk) -> Callable[[], str] | Account:
    """Return who sends to a bulk API: whoever has the key that is returned, or an account."""
    return Account(bulk.email, bulk.password) if bulk.email else bulk.api_key


def memory_of(journal: Journal | PatientJournal) -> BulkMemory:
    """Return what the journal keeps of bulk connections."""
    return BulkMemory(journal.delivered_records(), journal.bulk_files(), journal.export_rows())


def following(
    targets: Mapping[ConnectionKey, BulkConnection], config: Config
) -> Callable[[Decision], None]:
    """Return what lets files be tried again, once a decision changes what they wait for."""
    target_of = {
        connection.key_of(source): targets[connection.key]
        for connection, source in sources_of(config)
        if connection.key in targets
    }

    def follow(decision: Decision) -> None:
        ended = (row for row in decision.files if row.aside or row.seen in (ABSENT, row.stored))
        found = {target_of[row.key.source] for row in ended if row.key.source in target_of}
        for target in found:
            try:
                target.ask_again()
            except JournalError as exc:  # the next decision, or the next start, does it
                log.warning("bulk.not_asked_again", error=str(exc))

    return follow


def _settings(
    config: Config,
    connection: Connection,
    shares: Mapping[SourceKey, Share],
    post: Callable[[Fact], None],
) -> BulkSettings:
    sources = {connection.key_of(source): source for source in connection.source}

    def mapping_of(key: FileKey) -> RowMapping:
        return mapping_of_source(sources[key.source], connection.bulk.company_guid or "")

    def format_of(key: FileKey) -> tuple[str, str]:
        rows = sources[key.source].rows
        return rows.sheet, rows.encoding

    spool = journal_file(config).parent / "spool"

    @contextmanager
    def opens(key: FileKey) -> Iterator[FileRows | None]:
        source = sources[key.source]
        with tempfile.NamedTemporaryFile(dir=spool) as copy:
            file = source.folder / key.path
            try:
                shares[key.source].threads.call(lambda: shutil.copyfile(file, copy.name))
            except (OSError, DiskError) as exc:
                log.warning("bulk.rival_unread", path=key.path, error=str(exc))
                yield None
                return
            yield rows_in(Path(copy.name), key.path, source, connection)

    return BulkSettings(
        connection.name,
        connection.bulk.url or "",
        spool,
        mapping_of,
        format_of,
        lambda key: key.source in sources,
        snapshot=connection.bulk.mode == "snapshot",
        guard=Guard(connection.mass_deletion_share, connection.mass_deletion_least),
        grace_s=GRACE_S,
        opens=opens,
        ask=lambda key: post(RetryAsked(key, "another export that changed has records of it")),
    )


def rows_in(file: Path, path: str, source: Source, connection: Connection) -> FileRows:
    """Return the rows of a source's file, or of a copy of it; `path` is its own."""
    mapping = mapping_of_source(source, connection.bulk.company_guid or "")
    given, ending = source.rows, f".{path.rpartition('.')[2].lower()}"
    table = Table(file, ending, mapping.wanted(), given.sheet, given.encoding)
    return FileRows(table, RowReader(mapping))


def mapping_of_source(source: Source, company_guid: str) -> RowMapping:
    """Return how the rows of a source become records."""
    rows = source.rows
    assert rows.entity is not None, "the configuration was checked"
    return RowMapping(
        rows.entity, company_guid, rows.columns, rows.keys, rows.constants, rows.decimal
    )
