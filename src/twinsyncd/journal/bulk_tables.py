"""What a bulk API took, and what is special about its export files."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, LargeBinary, Table, Text

from .tables import metadata

__all__ = ["bulk_files", "delivered_digests", "delivered_records", "metadata"]

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
)
