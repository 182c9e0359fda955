"""Builds the targets of bulk connections from the configuration; a part of the composition root."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ..cloud.session import open_bulk
from ..config import Config, Connection, Source
from ..core.model import ConnectionKey, FileKey
from ..targets.bulk.connection import BulkConnection, BulkSettings
from ..targets.bulk.delivery import Delivered
from ..targets.bulk.mapping import RowMapping
from ..targets.protocol import Target
from .state import journal_file


@contextmanager
def bulk_targets(config: Config, delivered: Delivered) -> Iterator[dict[ConnectionKey, Target]]:
    """Yield one target per bulk connection; nothing is sent before it is used."""
    with ExitStack() as stack:
        targets: dict[ConnectionKey, Target] = {}
        for connection in config.connection:
            if connection.bulk is not None and connection.target == "bulk":
                service = stack.enter_context(
                    open_bulk(connection.bulk.url, connection.bulk.api_key)
                )
                settings = _settings(config, connection, connection.bulk.company_guid)
                targets[connection.key] = BulkConnection(service, delivered, settings)
        yield targets


def _settings(config: Config, connection: Connection, company_guid: str) -> BulkSettings:
    sources = {connection.key_of(source): source for source in connection.source}

    def mapping_of(key: FileKey) -> RowMapping:
        return _mapping(sources[key.source], company_guid)

    def sheet_of(key: FileKey) -> str:
        rows = sources[key.source].rows
        return rows.sheet if rows else ""

    spool = journal_file(config).parent / "spool"
    url = connection.bulk.url if connection.bulk else ""
    return BulkSettings(connection.name, url, spool, mapping_of, sheet_of)


def _mapping(source: Source, company_guid: str) -> RowMapping:
    rows = source.rows
    assert rows is not None, "every source of a bulk connection has rows; the configuration says so"
    return RowMapping(
        rows.entity, company_guid, rows.columns, rows.keys, rows.constants, rows.decimal
    )
