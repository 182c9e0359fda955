"""The tables of the world's one database."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    text,
)

metadata = MetaData()

clients = Table(
    "clients",
    metadata,
    Column("id", String, primary_key=True),
    Column("secret_hash", String),
    Column("name", String, nullable=False),
    Column("created", String, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("secret_hash", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("client_id", String, nullable=False),
    Column("redirect_uri", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("challenge", String, nullable=False),
    Column("expires", String, nullable=False),
)

configurations = Table(
    "configurations",
    metadata,
    Column("scope", String, primary_key=True),
    Column("scope_id", String, primary_key=True),
    Column("settings", JSON, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String, primary_key=True),
    Column("seq", Integer, nullable=False, unique=True),
    Column("callback_url", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("scope_id", String),
    Column("event_types", JSON, nullable=False),
    Column("secret", String, nullable=False),
    Column("active", Boolean, nullable=False),
)

itwins = Table(
    "itwins",
    metadata,
    Column("id", String, primary_key=True),
    Column("seq", Integer, nullable=False, unique=True),
    Column("display_name", String, nullable=False),
    Column("number", String, nullable=False),
    Column("properties", JSON, nullable=False),
    Column("created", String, nullable=False),
    Column("created_by", String, nullable=False),
)

imodels = Table(
    "imodels",
    metadata,
    Column("id", String, primary_key=True),
    Column("itwin_id", String, ForeignKey("itwins.id", ondelete="CASCADE"), nullable=False),
    Column("name", String, nullable=False),
    Column("description", String),
    Column("extent", JSON),
    Column("coordinate_system", JSON),
    Column("created", String, nullable=False),
    Column("creator", String, nullable=False),
    Index("imodels_by_name", "itwin_id", "name", unique=True),
)

changesets = Table(
    "changesets",
    metadata,
    Column("imodel_id", String, ForeignKey("imodels.id", ondelete="CASCADE"), primary_key=True),
    Column("index", Integer, primary_key=True),
    Column("id", String, nullable=False),
    Column("parent_id", String, nullable=False),
    Column("description", String),
    Column("creator", String, nullable=False),
    Column("pushed", String, nullable=False),
    Column("containing_changes", Integer, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("run_id", String, nullable=False),
    Column("task_id", String),
    Column("changed_files", JSON, nullable=False),
    Column("inserted", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("deleted", Integer, nullable=False),
    Index("changesets_by_id", "imodel_id", "id", unique=True),
)

named_versions = Table(
    "named_versions",
    metadata,
    Column("id", String, primary_key=True),
    Column("imodel_id", String, ForeignKey("imodels.id", ondelete="CASCADE"), nullable=False),
    Column("name", String, nullable=False),
    Column("description", String),
    Column("changeset_id", String),
    Column("changeset_index", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("created", String, nullable=False),
    Column("creator", String, nullable=False),
    Index("named_versions_by_name", "imodel_id", "name", unique=True),
    Index("named_versions_by_changeset", "imodel_id", "changeset_index", unique=True),
)

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
    "told", metadata, Column("content", String, primary_key=True), Column("headers", JSON)
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

connections = Table(
    "connections",
    metadata,
    Column("id", String, primary_key=True),
    Column("seq", Integer, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("imodel_id", String, ForeignKey("imodels.id", ondelete="CASCADE"), nullable=False),
    Column("itwin_id", String, nullable=False),
    Column("display_name", String),
    Column("authentication_type", String, nullable=False),
    Column("last_run_id", String),
    Column("created", String, nullable=False),
    Index("connections_by_imodel", "imodel_id", "kind", "seq"),
)

sources = Table(
    "sources",
    metadata,
    Column("id", String, primary_key=True),
    Column("seq", Integer, nullable=False, unique=True),
    Column(
        "connection_id", String, ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    Column("imodel_id", String, nullable=False),
    Column("file_id", String, nullable=False),
    Column("connector_type", String),
    Column("last_known_name", String, nullable=False, default=""),
    Index("sources_by_connection", "connection_id", "seq"),
    # The same file may be mapped to an iModel only once, whatever the connection.
    Index("sources_by_file", "imodel_id", "file_id", unique=True),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("seq", Integer, nullable=False, unique=True),
    Column(
        "connection_id", String, ForeignKey("connections.id", ondelete="CASCADE"), nullable=False
    ),
    Column("imodel_id", String, nullable=False),
    Column("started", String, nullable=False),
    Column("ended", String),
    Column("phase", String, nullable=False),
    Column("state", String, nullable=False),
    Column("result", String, nullable=False),
    Column("error", JSON),
    Column("attempts", Integer, nullable=False, default=0),
    Index("runs_by_connection", "connection_id", "seq"),
    Index("runs_by_imodel", "imodel_id", "seq"),
    # The per-iModel run lock: the database itself admits one unfinished run.
    Index(
        "active_run",
        "imodel_id",
        unique=True,
        sqlite_where=text("state <> 'Completed'"),
        postgresql_where=text("state <> 'Completed'"),
    ),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", String, primary_key=True),
    Column("run_id", String, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("job_id", String, nullable=False),
    Column("connector_type", String, nullable=False),
    Column("file_id", String, nullable=False),
    Column("name", String, nullable=False),
    Column("action", String, nullable=False),
    Column("content", String),
    Column("url", String),  # a secret, so forgotten when the run ends
    Column("state", String, nullable=False),
    Column("result", String, nullable=False),
    Column("started", String),
    Column("ended", String),
    Column("error", JSON),
    Column("report", String),
    Index("tasks_by_run", "run_id", "position"),
)

references = Table(
    "references",
    metadata,
    Column("task_id", String, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("content", String, nullable=False),
    Column("url", String),  # a secret, so forgotten when the run ends
    Column("problem", String),
)

# The person whose sign-in the runs of a connection use, where one made it.
owners = Table(
    "owners",
    metadata,
    Column(
        "connection_id", String, ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("user_id", String, nullable=False),
)

authorizations = Table(
    "authorizations",
    metadata,
    Column("user_id", String, primary_key=True),
    Column("given", String, nullable=False),
)
