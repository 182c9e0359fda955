"""What the last delivery of each export file of a bulk connection did, from the journal."""

from __future__ import annotations

from ..bulk_entities import RANK
from ..config import Config, Connection
from ..core.deliveries import LastDelivery
from ..core.model import FileKey
from ..journal.bulk_files import BulkFiles
from ..journal.database import journal_exists, open_read_only
from .state import journal_of

__all__ = ["LastDelivery", "files_to_resend", "last_deliveries"]


def last_deliveries(config: Config, connection: Connection) -> list[LastDelivery]:
    """Return those of a connection's configured sources, parents first. Raises JournalError."""
    where = journal_of(config)
    if connection.target != "bulk" or not journal_exists(where):
        return []
    sources = {connection.key_of(source) for source in connection.source}
    engine = open_read_only(where)
    try:
        found = BulkFiles(engine).deliveries(connection.name)
    finally:
        engine.dispose()
    mine = (each for each in found if each.key.source in sources)
    return sorted(mine, key=lambda each: RANK[each.entity])


def files_to_resend(config: Config) -> set[FileKey]:
    """Return the files that are sent again, since records above theirs came or went.

    Raises JournalError.
    """
    where = journal_of(config)
    bulk = [connection for connection in config.connection if connection.target == "bulk"]
    if not bulk or not journal_exists(where):
        return set()
    engine = open_read_only(where)
    try:
        files = BulkFiles(engine)
        every = {connection.key: files.to_resend(connection.name) for connection in bulk}
    finally:
        engine.dispose()
    sources = {connection.key_of(source) for connection in bulk for source in connection.source}
    return {key for keys in every.values() for key in keys if key.source in sources}
