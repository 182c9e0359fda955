"""The tables of a local iModel, and how its file is opened.

The words are those of the BIS schemas: every element stands in a model, and an external source
aspect says which thing of which external source it comes from. Tables under RECORDED travel in
changesets; the others belong to this copy of the file alone.
Source: iTwin.js documentation, "BisCore.ecschema", ExternalSource and ExternalSourceAspect.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

APPLICATION_ID = 0x694D6F64  # "iMod", so that `file` and a person see what this is
SCHEMA_VERSION = 1
BUSY_TIMEOUT_MS = 10_000  # a reader waits for a commit, never for a whole run (WAL)

RECORDED = (
    "ec_Class",
    "bis_ExternalSource",
    "bis_Model",
    "bis_Element",
    "bis_ExternalSourceAspect",
    "bis_GeometricElement",
    "bis_ElementRefersToElements",
)

DDL = """
CREATE TABLE ec_Class (
    Id INTEGER PRIMARY KEY,
    Name TEXT NOT NULL UNIQUE
);
CREATE TABLE bis_ExternalSource (
    Id INTEGER PRIMARY KEY AUTOINCREMENT,
    Identifier TEXT NOT NULL UNIQUE,
    Label TEXT NOT NULL,
    ConnectorName TEXT NOT NULL,
    ConnectorVersion TEXT NOT NULL,
    Digest TEXT NOT NULL
);
CREATE TABLE bis_Model (
    Id INTEGER PRIMARY KEY AUTOINCREMENT,
    ClassId INTEGER NOT NULL,
    SourceId INTEGER NOT NULL,
    UNIQUE (SourceId, ClassId)
);
CREATE TABLE bis_Element (
    Id INTEGER PRIMARY KEY AUTOINCREMENT,
    ClassId INTEGER NOT NULL,
    ModelId INTEGER NOT NULL,
    ParentId INTEGER,
    CategoryId INTEGER,
    TypeDefinitionId INTEGER,
    CodeValue TEXT,
    UserLabel TEXT,
    JsonProperties TEXT NOT NULL,
    MinX REAL, MinY REAL, MinZ REAL, MaxX REAL, MaxY REAL, MaxZ REAL
);
CREATE INDEX bis_Element_Model ON bis_Element (ModelId);
CREATE TABLE bis_ExternalSourceAspect (
    SourceId INTEGER NOT NULL,
    Identifier TEXT NOT NULL,
    ElementId INTEGER NOT NULL,
    Checksum TEXT NOT NULL,
    PRIMARY KEY (SourceId, Identifier)
) WITHOUT ROWID;
CREATE TABLE bis_GeometricElement (
    ElementId INTEGER PRIMARY KEY,
    Shape TEXT,
    Placement TEXT,
    Outline BLOB
);
CREATE TABLE bis_ElementRefersToElements (
    ExternalSourceId INTEGER NOT NULL,
    ClassId INTEGER NOT NULL,
    SourceId INTEGER NOT NULL,
    TargetId INTEGER NOT NULL,
    JsonProperties TEXT NOT NULL,
    PRIMARY KEY (ExternalSourceId, ClassId, SourceId, TargetId)
) WITHOUT ROWID;
CREATE TABLE local_Read (
    Source TEXT PRIMARY KEY,
    Digest TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE local_Changeset (
    Number INTEGER PRIMARY KEY,
    Id TEXT NOT NULL UNIQUE,
    Report TEXT NOT NULL
);
"""


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
                database.execute(DDL)
                database.pragma("application_id", APPLICATION_ID)
                database.pragma("user_version", SCHEMA_VERSION)
        os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(file.parent)


@contextmanager
def opened(file: Path) -> Iterator[apsw.Connection]:
    """Open the iModel `file` to read and write; raises FileNotFoundError if there is none."""
    if not file.exists():
        raise FileNotFoundError(file)
    with _connection(file, apsw.SQLITE_OPEN_READWRITE) as database:
        version = database.pragma("user_version")
        if version != SCHEMA_VERSION:
            raise ValueError(f"{file} is not an iModel of version {SCHEMA_VERSION}: {version}")
        yield database


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
    """Undo what is written inside if an exception passes; the transaction goes on."""
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
        database.pragma("synchronous", "full")
        yield database
    finally:
        database.close()
