"""Builds the targets of bulk connections from the configuration; a part of the composition root."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from ..cloud.bulk_sign_in import Account
from ..cloud.network import NetworkSettings
from ..cloud.session import open_bulk
from ..config import Config, Connection, Source
from ..config.bulk import Bulk
from ..core.model import ConnectionKey, FileKey
from ..core.setup import Guard
from ..journal.writer import Journal
from ..targets.bulk.connection import BulkConnection, BulkMemory, BulkSettings
from ..targets.bulk.mapping import RowMapping
from ..targets.protocol import Target
from .patient_journal import PatientJournal
from .state import journal_file

GRACE_S: Final = 0.5  # files that were exported together settle together, but begin one by one


@contextmanager
def bulk_targets(
    config: Config, memory: BulkMemory, network: NetworkSettings
) -> Iterator[dict[ConnectionKey, Target]]:
    """Yield one target per bulk connection; nothing is sent before it is used."""
    with ExitStack() as stack:
        targets: dict[ConnectionKey, Target] = {}
        for connection in config.connection:
            if connection.target == "bulk":
                bulk = connection.bulk
                service = stack.enter_context(
                    open_bulk(bulk.url or "", sender_of(bulk), network=network)
                )
                settings = _settings(config, connection)
                targets[connection.key] = BulkConnection(service, memory, settings)
        yield targets


def sender_of(bulk: Bulk) -> Callable[[], str] | Account:
    """Return who sends to a bulk API: whoever has the key that is returned, or an account."""
    return Account(bulk.email, bulk.password) if bulk.email else bulk.api_key


def memory_of(journal: Journal | PatientJournal) -> BulkMemory:
    """Return what the journal keeps of bulk connections."""
    return BulkMemory(journal.delivered_records(), journal.bulk_files())


def _settings(config: Config, connection: Connection) -> BulkSettings:
    sources = {connection.key_of(source): source for source in connection.source}

    def mapping_of(key: FileKey) -> RowMapping:
        return mapping_of_source(sources[key.source], connection.bulk.company_guid or "")

    def format_of(key: FileKey) -> tuple[str, str]:
        rows = sources[key.source].rows
        return rows.sheet, rows.encoding

    spool = journal_file(config).parent / "spool"
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
    )


def mapping_of_source(source: Source, company_guid: str) -> RowMapping:
    """Return how the rows of a source become records."""
    rows = source.rows
    assert rows.entity is not None, "the configuration was checked"
    return RowMapping(
        rows.entity, company_guid, rows.columns, rows.keys, rows.constants, rows.decimal
    )
