"""Reads back what has been written: an iModel's changesets, and the digests of every file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..cloud.session import open_cloud
from ..cloud.values import Changeset
from ..config import Config, sources_of
from ..core.model import Digest, StorageId
from ..journal.database import open_read_only
from ..journal.reader import JournalReader
from .cloud_wiring import cloud_settings
from .state import journal_of


def changesets(config: Config, imodel_id: str) -> list[Changeset]:
    """Return the iModel's changesets, oldest first. Raises CloudError."""
    with open_cloud(cloud_settings(config)) as cloud:
        return list(cloud.platform.changesets(imodel_id))


@dataclass(frozen=True, slots=True)
class Proven:
    """One file that the journal knows: its digest now, and the digest last synced."""

    file: Path
    storage_id: StorageId
    connector: str
    digest: Digest
    synced: Digest


def proven(config: Config) -> Iterator[Proven]:
    """Yield every known file that is on the drive, read anew. Raises OSError."""
    engine = open_read_only(journal_of(config))
    try:
        remembered = JournalReader(engine)
        for connection, source in sources_of(config):
            for row in remembered.every([connection.key_of(source)]):
                file = source.folder / row.key.path
                with file.open("rb") as content:
                    digest = Digest(hashlib.file_digest(content, "sha256").hexdigest())
                connector = source.connector_of(file.name)
                yield Proven(file, row.storage_id, connector, digest, row.synced)
    finally:
        engine.dispose()
