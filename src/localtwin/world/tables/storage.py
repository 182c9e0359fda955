"""Tables of Storage items and of the blobs behind them."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, text

from localtwin.world.tables.metadata import metadata

items = Table(
    "items",
    metadata,
    Column("guid", String, primary_key=True),
    Column("itwin_id", String, ForeignKey("itwins.id", ondelete="CASCADE"), nullable=False),
    Column("parent", String),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("description", String),
    Column("size_bytes", Integer, nullable=False, default=0),
    Column("complete", Boolean, nullable=False),
    Column("locked", Boolean, nullable=False, default=False),
    Column("recycled", String),
    Column("created", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("modified", String, nullable=False),
    Column("modified_by", String, nullable=False),
    Index("items_by_parent", "parent"),
    # In the order of listings and with what they show only, so that a page costs a page.
    Index(
        "items_listed",
        "parent",
        "kind",
        "name",
        "guid",
        sqlite_where=text("recycled IS NULL AND complete = 1"),
    ),
    Index("items_recycled", "itwin_id", "recycled", sqlite_where=text("recycled IS NOT NULL")),
)

blobs = Table(
    "blobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("content", String, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("etag", String, nullable=False),
    Column("content_type", String, nullable=False),
    Column("md5", String),
    Column("created", String, nullable=False),
    Column("modified", String, nullable=False),
)

stored_headers = Table(
    "stored_headers",
    metadata,
    Column("content", String, primary_key=True),
    Column("headers", JSON),
)

committed_blocks = Table(
    "committed_blocks",
    metadata,
    Column("blob", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("block", String, nullable=False),
    Column("offset", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),
)

staged_blocks = Table(
    "staged_blocks",
    metadata,
    Column("blob", String, primary_key=True),
    Column("block", String, primary_key=True),
    Column("content", String, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("staged", String, nullable=False),
)
