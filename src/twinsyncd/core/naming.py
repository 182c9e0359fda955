"""Which files a run is given, where the runs of a connection must name their files."""

from __future__ import annotations

from collections.abc import Iterable

from .commands import NamedFile
from .model import ABSENT, UNMAPPED, FileRow


def named_files(rows: Iterable[FileRow]) -> tuple[NamedFile, ...]:
    """Return what the run is for, and all that is as it was in the last run."""
    return tuple(
        NamedFile(
            row.key,
            row.storage_id,
            row.covered or row.stored,
            covered=row.covered != ABSENT,
            unmap=row.covered == UNMAPPED,
        )
        for row in rows
        if row.covered != ABSENT or (row.seen != ABSENT and row.stored == row.synced)
    )
