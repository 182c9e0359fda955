"""Changesets: recorded with SQLite's session extension, applied to a copy, and reverted.

A changeset is the binary format of SQLite itself, so any SQLite can apply it. Its id is the
SHA-1 of the parent's id and its bytes, which makes the ids a chain.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path
from typing import IO

import apsw

from localtwin.imodel.database import opened, sync_folder, transaction
from localtwin.imodel.tables import RECORDED, WRITTEN_ONCE

CHUNK_BYTES = 1 << 20
_PART_ROWS = 20_000
_IN_MEMORY_BYTES = 8 << 20  # of changes; more of them are in a temporary file


class ConflictError(Exception):
    """A changeset does not fit the iModel it was to be applied to."""


class Recording:
    """Records what is written to the tables of the iModel.

    SQLite keeps what it records in memory. So what concerns single elements, where every row is
    written once, is moved to a temporary file from time to time; a changeset may have several
    parts for one table. The few rows that are written again and again are recorded as a whole.
    """

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self._parts = tempfile.SpooledTemporaryFile(  # noqa: SIM115 (`close` closes it)
            max_size=_IN_MEMORY_BYTES
        )
        self._whole = _session(database, set(RECORDED) - set(WRITTEN_ONCE))
        self._part = _session(database, WRITTEN_ONCE)

    def flush(self) -> None:
        """Move the changes of elements so far out of memory."""
        self._part.changeset_stream(_writer(self._parts))
        self._part.close()
        self._part = _session(self._database, WRITTEN_ONCE)

    def write(self, out: Callable[[bytes], object]) -> None:
        """Write the changeset in parts; nothing if there is no change."""
        self.flush()
        self._parts.seek(0)
        while chunk := self._parts.read(CHUNK_BYTES):
            out(chunk)

        def write(data: memoryview | bytes) -> None:
            out(bytes(data))

        self._whole.changeset_stream(write)

    def close(self) -> None:
        """End the recording."""
        self._part.close()
        self._whole.close()
        self._parts.close()


@contextmanager
def recording(database: apsw.Connection) -> Iterator[Recording]:
    """Record what is written to the tables of the iModel while the context lasts."""
    found = Recording(database)
    try:
        yield found
    finally:
        found.close()


def write_changeset(recorded: Recording, folder: Path, parent_id: str) -> tuple[str, int]:
    """Write what was recorded to `folder`, durably; returns its id and size in bytes.

    The file is named by its id. Writes nothing and returns ("", 0) if what was recorded amounts
    to no change. A power cut leaves either no file of that name or the whole of it.
    """
    draft = folder / "draft.part"
    digest = sha1(parent_id.encode("ascii"), usedforsecurity=False)
    try:
        with draft.open("wb") as out:

            def write(data: bytes) -> None:
                digest.update(data)
                out.write(data)

            recorded.write(write)
            size_bytes = out.tell()
            out.flush()
            if size_bytes == 0:
                return "", 0
            os.fsync(out.fileno())
        draft.replace(folder / digest.hexdigest())
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(folder)
    return digest.hexdigest(), size_bytes


def changeset_id(file: Path, parent_id: str) -> str:
    """Return the id that the changeset in `file` has as a child of `parent_id`."""
    digest = sha1(parent_id.encode("ascii"), usedforsecurity=False)
    with file.open("rb") as data:
        while chunk := data.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def apply_changeset(imodel_file: Path, changeset_file: Path) -> None:
    """Bring a copy of an iModel one changeset forward.

    Raises ConflictError, and changes nothing, if the copy is not in the state that the changeset
    was recorded in.
    """
    with opened(imodel_file) as database, transaction(database):
        apply_to(database, changeset_file)


def revert_changeset(imodel_file: Path, changeset_file: Path) -> None:
    """Revert one changeset in a copy of an iModel; the counterpart of apply_changeset."""
    with opened(imodel_file) as database, transaction(database):
        revert_in(database, changeset_file)


def apply_to(database: apsw.Connection, changeset_file: Path) -> None:
    """Apply a changeset within the caller's transaction; raises ConflictError."""
    with changeset_file.open("rb") as data:
        _apply(data.read, database, changeset_file)


def revert_in(database: apsw.Connection, changeset_file: Path) -> None:
    """Revert a changeset within the caller's transaction; raises ConflictError.

    In parts, since SQLite inverts in memory. Their order is of no importance: a changeset names
    each row once.
    """
    for part in _parts(changeset_file):
        _apply(apsw.Changeset.invert(part), database, changeset_file)


def changes_in(changeset_file: Path) -> Iterator[apsw.TableChange]:
    """Yield the row changes of a changeset; each is valid until the next only."""
    with changeset_file.open("rb") as data:
        yield from apsw.Changeset.iter(data.read)


@contextmanager
def reverted(database: apsw.Connection, changeset_file: Path) -> Iterator[None]:
    """Show the state before a changeset as long as the context lasts, then the state after it.

    `database` must be in the state just after it. The cost grows with the changeset, not with the
    iModel. The caller holds a transaction.
    """
    database.execute("SAVEPOINT reverted")
    try:
        revert_in(database, changeset_file)
        yield
    finally:
        database.execute("ROLLBACK TO reverted")
        database.execute("RELEASE reverted")


def _apply(
    changeset: bytes | Callable[[int], bytes], database: apsw.Connection, file: Path
) -> None:
    try:
        apsw.Changeset.apply(changeset, database, conflict=_refuse)
    except apsw.AbortError as exc:
        raise ConflictError(f"The iModel is not in the state that {file.name} expects.") from exc


def _refuse(_reason: int, _change: apsw.TableChange) -> int:
    return apsw.SQLITE_CHANGESET_ABORT


def _parts(changeset_file: Path) -> Iterator[bytes]:
    """Yield a changeset as several smaller ones."""
    if changeset_file.stat().st_size <= _IN_MEMORY_BYTES:
        yield changeset_file.read_bytes()
        return
    builder, size = _builder(), 0
    for change in changes_in(changeset_file):
        builder.add_change(change)
        size += 1
        if size == _PART_ROWS:
            yield builder.output()
            builder.close()
            builder, size = _builder(), 0
    if size:
        yield builder.output()
    builder.close()


def _builder() -> apsw.ChangesetBuilder:
    return apsw.ChangesetBuilder()  # type: ignore[no-untyped-call]  # what apsw declares


def _session(database: apsw.Connection, tables: Iterable[str]) -> apsw.Session:
    session = apsw.Session(database, "main")
    for table in sorted(tables):
        session.attach(table)
    return session


def _writer(file: IO[bytes]) -> Callable[[memoryview | bytes], None]:
    """Return what writes to the file and returns nothing, as SQLite's streams need it."""

    def write(data: memoryview | bytes) -> None:
        file.write(data)

    return write
