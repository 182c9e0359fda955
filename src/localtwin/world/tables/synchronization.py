"""Tables of connections, source files and runs."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, text

from localtwin.world.tables.metadata import metadata

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
    # Under which id the iModel knows what it brought: that of the first file it was mapped to.
    Column("origin", String, nullable=False),
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
    Column("origin", String, nullable=False),
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
    Column("document", JSON),
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

configurations = Table(
    "configurations",
    metadata,
    Column("scope", String, primary_key=True),
    Column("scope_id", String, primary_key=True),
    Column("settings", JSON, nullable=False),
)
