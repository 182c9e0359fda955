"""Tables of iTwins, iModels with their changesets and versions, and webhooks."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table

from localtwin.world.tables.metadata import metadata

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
    Column("modified", String),
    Column("modified_by", String),
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
