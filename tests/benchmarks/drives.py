# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Drives to measure with: many small files, and a journal that knows them already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from system.site import Site
from twinsyncd.config import Config, load, sources_of
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import FileKey, FileRow
from twinsyncd.disk.look import look
from twinsyncd.disk.tree import Tree
from twinsyncd.journal.database import open_database
from twinsyncd.journal.writer import Journal

BATCH: Final = 5_000
DIGEST: Final = "5ca1ab1e" * 8


def fill(drive: Path, folders: int, files_each: int, size_bytes: int = 64) -> int:
    """Write that many design files, every one with content of its own; return how many."""
    for folder in range(folders):
        below = drive / f"area {folder // 25:03d}" / f"sheet set {folder:04d}"
        below.mkdir(parents=True, exist_ok=True)
        for number in range(files_each):
            name = f"sheet {number:04d}.{'ifc' if number % 4 == 0 else 'dxf'}"
            head = f"{folder} {number} ".encode()
            (below / name).write_bytes(head.ljust(size_bytes, b"."))
    return folders * files_each


def remember_synced(site: Site) -> None:
    """Let the site's journal know every file of the drive as synced."""
    config = load(site.config, {})
    connection, source = next(sources_of(config))
    journal = Journal(open_database(site.journal))
    rows = (_synced(connection.key_of(source), site.drive, path) for path in _paths(config))
    while part := tuple(islice(rows, BATCH)):
        journal.commit(Decision(files=part))
    journal.close()


def _paths(config: Config) -> Iterator[str]:
    drive = next(sources_of(config))[1].folder
    for folder, _, names in os.walk(drive):
        below = Path(folder).relative_to(drive)
        yield from ((below / name).as_posix() for name in names)


def _synced(source: str, drive: Path, path: str) -> FileRow:
    return FileRow(
        key=FileKey(source, path),
        fingerprint=look(Tree(drive), path),
        seen=DIGEST,
        stored=DIGEST,
        synced=DIGEST,
        storage_id=f"item-of-{path}",
        in_connection=True,
    )
