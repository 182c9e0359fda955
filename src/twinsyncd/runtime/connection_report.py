"""Lists all connections of the configured iModels, ours and those of others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..cloud.connection_list import ListedConnection, OursOf, list_connections, warnings
from ..cloud.session import open_cloud
from ..config import Config, sources_of
from ..core.model import StorageId
from ..errors import AppError, JournalError
from ..journal.database import open_read_only
from ..journal.reader import JournalReader
from .cloud_wiring import cloud_settings
from .state import journal_of

__all__ = ["IModelConnections", "ListedConnection", "imodel_connections"]


@dataclass(frozen=True, slots=True)
class IModelConnections:
    """The connections of one iModel; `warnings` are words about limits that are near."""

    imodel_id: str
    connections: tuple[ListedConnection, ...]
    warnings: tuple[str, ...]


def imodel_connections(config: Config) -> Iterator[IModelConnections]:
    """Yield one entry per configured iModel. Raises CloudError, AppError; changes nothing.

    What is extra in a connection is known only where there is a journal.
    """
    configured = [each for each in config.connection if each.target != "bulk"]
    if not configured:
        raise AppError(
            "this configuration has no connection of an iModel",
            hint='only target = "storage" and "manifest" make connections in the platform',
        )
    with _ours_of(config) as ours_of, open_cloud(cloud_settings(config)) as cloud:
        for imodel_id in dict.fromkeys(each.imodel_id for each in configured):
            listed = tuple(list_connections(cloud.platform, cloud.manifests, imodel_id, ours_of))
            yield IModelConnections(imodel_id, listed, tuple(warnings(listed)))


@contextmanager
def _ours_of(config: Config) -> Iterator[OursOf | None]:
    try:
        engine = open_read_only(journal_of(config))
    except JournalError:
        yield None
        return
    reader = JournalReader(engine)
    sources = [connection.key_of(source) for connection, source in sources_of(config)]

    def ours_of(storage_ids: Sequence[StorageId]) -> Collection[StorageId]:
        return {row.storage_id for row in reader.having(sources, storage_ids)}

    try:
        yield ours_of
    finally:
        engine.dispose()
