"""Changesets: recorded with SQLite's session extension, applied to a copy, and reverted.

A changeset is the binary format of SQLite itself, so any SQLite can apply it. Its id is the
SHA-1 of the parent's id and its bytes, which makes the ids a chain.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path

import apsw

from localtwin.imodel.database import opened, sync_folder, transaction
from localtwin.imodel.tables import RECORDED

CHUNK_BYTES = 1 << 20


class ConflictError(Exception):
    """A changeset does not fit the iModel it was to be applied to."""


@contextmanager
def recording(database: apsw.Connection) -> Iterator[apsw.Session]:
    """Record what is written to the tables of the iModel while the context lasts."""
    session = apsw.Session(database, "main")
    try:
        for table in RECORDED:
            session.attach(table)
        yield session
    finally:
        session.close()


def write_changeset(session: apsw.Session, folder: Path, parent_id: str) -> tuple[str, int]:
    """Write what `session` recorded to `folder`, durably; returns its id and size in bytes.

    The file is named by its id. Writes nothing and returns ("", 0) if what was recorded amounts
    to no change. A power cut leaves either no file of that name or the whole of it.
    """
    draft = folder / "draft.part"
    digest = sha1(parent_id.encode("ascii"), usedforsecurity=False)
    try:
        with draft.open("wb") as out:

            def write(data: memoryview | bytes) -> None:
                digest.update(data)
                out.write(data)

            session.changeset_stream(write)
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
    """Revert a changeset within the caller's transaction; raises ConflictError."""
    _apply(apsw.Changeset.invert(changeset_file.read_bytes()), database, changeset_file)


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
