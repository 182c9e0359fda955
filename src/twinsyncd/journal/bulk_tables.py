"""What a bulk API took, and what is special about its export files."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
)

from ..core.model import FileKey
from .tables import files, metadata

__all__ = [
    "NEW_FILE",
    "bulk_files",
    "delivered_digests",
    "delivered_records",
    "export_rivals",
    "export_rows",
    "is_file",
    "metadata",
    "same_file",
]

delivered_records = Table(  # what a bulk API took; written by the threads that send
    "delivered_records",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("guid", LargeBinary(16), primary_key=True),
    Column("digest", LargeBinary(8), nullable=False),  # of the row and its mapping
    sqlite_with_rowid=False,  # half the size, and a kind's digests lie in one piece
)

delivered_digests = Table(  # the digests of these records again, to be read at once
    "delivered_digests",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True),  # in the order in which they are written
    Column("is_removal", Boolean, nullable=False),
    Column("digests", LargeBinary, nullable=False),
)

bulk_files = Table(  # what is special about an export file of a bulk API
    "bulk_files",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("needs", Text, nullable=False),  # "", "parents" or "resend"
    Column("held_digest", Text, nullable=False),  # of the snapshot that waits for approval; or ""
    Column("held_rows", Integer, nullable=False),
    Column("held_known", Integer, nullable=False),
    Column("held_leaving", Integer, nullable=False),
    Column("approved_digest", Text, nullable=False),  # of the snapshot that a person approved
    Column("delivery", JSON, nullable=True),  # what the last delivery did; null before there is one
    # Of the digests of its rows in `export_rows`; "" while none are kept.
    Column("rows_mark", Text, nullable=False, server_default=""),
)

export_rows = Table(  # the digests of an export file's rows, in order, to be read at once
    "export_rows",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("number", Integer, primary_key=True),  # of the piece
    Column("digests", LargeBinary, nullable=False),
)

export_rivals = Table(  # the other files that have records of an export file, too
    "export_rivals",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("rival_source", Text, primary_key=True),
    Column("rival_path", Text, primary_key=True),
)

NEW_FILE: Final[dict[str, Any]] = {
    "needs": "",
    "held_digest": "",
    "held_rows": 0,
    "held_known": 0,
    "held_leaving": 0,
    "approved_digest": "",
}
"""What is special about an export file of which nothing is."""


def is_file(table: Table, connection: str, key: FileKey) -> ColumnElement[bool]:
    """Return the condition for the rows of one file."""
    own = (table.c.connection == connection, table.c.source == key.source, table.c.path == key.path)
    return and_(*own)


def same_file() -> ColumnElement[bool]:
    """Return the condition that joins an export file with what is remembered of it."""
    return and_(files.c.source == bulk_files.c.source, files.c.path == bulk_files.c.path)
