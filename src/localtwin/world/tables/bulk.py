"""Tables of the bulk Synchronization API: companies, their accounts and keys, their records."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, String, Table

from localtwin.world.tables.metadata import metadata

bulk_companies = Table(
    "bulk_companies",
    metadata,
    Column("guid", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("created", String, nullable=False),
)

bulk_accounts = Table(
    "bulk_accounts",
    metadata,
    Column("email", String, primary_key=True),
    Column("guid", String, nullable=False),
    Column("company_guid", String, ForeignKey("bulk_companies.guid"), nullable=False),
    Column("role", String, nullable=False),
    Column("salt", String, nullable=False),
    Column("password_hash", String, nullable=False),
    Column("is_active", Boolean, nullable=False),
)

bulk_keys = Table(
    "bulk_keys",
    metadata,
    Column("guid", String, primary_key=True),
    Column("key_hash", String, nullable=False, unique=True),
    Column("company_guid", String, ForeignKey("bulk_companies.guid"), nullable=False),
    Column("description", String, nullable=False),
    Column("scopes", String, nullable=False),  # separated by commas
    Column("created", String, nullable=False),
)

# One table for all five kinds: what differs between them is in `fields`, what rules need is not.
bulk_records = Table(
    "bulk_records",
    metadata,
    Column("company_guid", String, ForeignKey("bulk_companies.guid"), primary_key=True),
    Column("entity", String, primary_key=True),
    Column("guid", String, primary_key=True),
    Column("project_guid", String),
    Column("component_guid", String),
    Column("assembly_guid", String),
    Column("fields", JSON, nullable=False),  # as sent, without those above
    Column("created", String, nullable=False),
    Column("updated", String, nullable=False),
    Column("deleted", String),  # null while it is active
    Index("bulk_records_by_project", "company_guid", "project_guid"),
    sqlite_with_rowid=False,
)
