"""What the missing files of a source are to the cloud: renamed perhaps, or nothing to lose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .ledger import Ledger
from .model import ABSENT, ConnectionKey, FileKey, Fingerprint, Need, SourceKey
from .settle import Settler
from .source_state import SourceState


class Missing(NamedTuple):
    """Files that are missing, by path in their source."""

    moved: set[str]  # perhaps; nothing counts as lost while it may be
    unstored: set[str]  # nothing of them is in the cloud, so nothing can be lost


def split_missing(
    ledger: Ledger,
    settler: Settler,
    watched: Mapping[SourceKey, SourceState],
    source: SourceKey,
) -> Missing:
    """Return what the missing files of a source are to the cloud, before any counts as lost.

    One may be there under another name: a new file of the connection, not stored yet, has the same
    size and time, or is the same file of the file system. It shows once that has been read.
    """
    missing = watched[source].missing
    if not missing:
        return Missing(set(), set())
    rows = ledger.known_among(source, list(missing))
    connection = ledger.connection_of(FileKey(source, ""))
    new = _new_files(ledger, settler, connection)
    marks = (_marks(look) for key, look in new if key.path not in watched[key.source].missing)
    looks = {mark for each in marks for mark in each}
    known = {path: row.fingerprint for path, row in rows.items() if row.fingerprint}
    return Missing(
        moved={path for path, look in known.items() if _marks(look) & looks},
        unstored={p for p, row in rows.items() if not row.storage_id and row.stored == ABSENT},
    )


def _new_files(
    ledger: Ledger, settler: Settler, connection: ConnectionKey
) -> Iterator[tuple[FileKey, Fingerprint]]:
    for key, look in settler.last_looks():
        if ledger.connection_of(key) == connection:
            row = ledger.known(key)
            if row is None or not row.storage_id:
                yield key, look
    for row in ledger.needing(connection, Need.STORE):
        if row.fingerprint is not None and not row.storage_id:
            yield row.key, row.fingerprint


def _marks(look: Fingerprint) -> set[tuple[str, int, int]]:
    marks = {("time", look.size_bytes, look.mtime_ns)}
    return marks | {("file", look.file_id, 0)} if look.file_id else marks
