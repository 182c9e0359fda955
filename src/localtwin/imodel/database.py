"""How the file of a local iModel is created, opened, migrated and written.

Version 1 files are brought to the current version when they are opened to be written; to be read,
a migrated temporary copy is opened instead.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from localtwin.imodel.tables import STEPS, VERSION

APPLICATION_ID = 0x694D6F64  # "iMod", so that `file` and a person see what this is
BUSY_TIMEOUT_MS = 10_000  # a reader waits for a commit, never for a whole run (WAL)


class NotAnIModelError(Exception):
    """The file is no local iModel, or of a version that this program does not know."""


def create_imodel(file: Path) -> None:
    """Write an empty iModel to `file`, wholly or not at all.

    Raises FileExistsError if there is something already.
    """
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    try:
        with _connection(draft, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE) as database:
            database.pragma("journal_mode", "wal")
            with database:
                _migrate(database, 0)
                database.pragma("application_id", APPLICATION_ID)
        os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(file.parent)


@contextmanager
def opened(file: Path) -> Iterator[apsw.Connection]:
    """Open the iModel `file` to read and write, and bring an older one to the current version.

    Raises FileNotFoundError if there is no file, NotAnIModelError if it can't be used.
    """
    if not file.exists():
        raise FileNotFoundError(file)
    with _connection(file, apsw.SQLITE_OPEN_READWRITE) as database:
        if _version(database, file) < VERSION:
            with transaction(database):
                _migrate(database, _version(database, file))
        yield database


@contextmanager
def opened_to_read(file: Path) -> Iterator[apsw.Connection]:
    """Open the iModel `file` without ever writing to it; raises as `opened` does."""
    if not file.exists():
        raise FileNotFoundError(file)
    # Opened as read-only, SQLite would leave its shared memory beside the file.
    with _connection(file, apsw.SQLITE_OPEN_READWRITE) as database:
        database.pragma("query_only", 1)
        if _version(database, file) == VERSION:
            yield database
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / file.name
            copy_database(database, copy)
            with opened(copy) as migrated:
                yield migrated


def copy_database(database: apsw.Connection, target: Path) -> None:
    """Write what `database` holds now to the new file `target`."""
    create = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    with (
        _connection(target, create) as copy,
        copy.backup("main", database, "main") as backup,
    ):
        backup.step()


@contextmanager
def transaction(database: apsw.Connection) -> Iterator[None]:
    """Hold the one write lock of the iModel; commits at the end, undoes all on any exception."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


@contextmanager
def savepoint(database: apsw.Connection) -> Iterator[None]:
    """Undo what was written inside if an exception passes; the transaction stays open."""
    database.execute("SAVEPOINT source")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK TO source")
        raise
    finally:
        database.execute("RELEASE source")


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut; Windows keeps them without being asked."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _connection(file: Path, flags: int) -> Iterator[apsw.Connection]:
    database = apsw.Connection(str(file), flags=flags)
    try:
        database.set_busy_timeout(BUSY_TIMEOUT_MS)
        try:
            database.pragma("synchronous", "full")
        except apsw.NotADBError as exc:
            raise NotAnIModelError(f"{file} is not a local iModel.") from exc
        yield database
    finally:
        database.close()


def _version(database: apsw.Connection, file: Path) -> int:
    application = database.pragma("application_id")
    version = int(database.pragma("user_version"))
    if application != APPLICATION_ID or version < 1:
        raise NotAnIModelError(f"{file} is not a local iModel.")
    if version > VERSION:
        raise NotAnIModelError(
            f"{file} was written by a newer release (version {version} of the file; this release"
            f" reads up to version {VERSION}). Update twinsyncd to open it."
        )
    return version


def _migrate(database: apsw.Connection, version: int) -> None:
    """Bring the tables to the current version; the caller holds the transaction."""
    for step in range(version, VERSION):
        database.execute(STEPS[step])
    database.pragma("user_version", VERSION)
