"""Tables of clients, tokens, roles, and what users authorised."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, ForeignKey, String, Table

from localtwin.world.tables.metadata import metadata

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
    Column("nonce", String, nullable=False, server_default=""),
    Column("signed_in", String, nullable=False, server_default=""),
    Column("expires", String, nullable=False),
)

revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("id", String, primary_key=True),
    Column("expires", Float, nullable=False),
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

roles = Table(
    "roles",
    metadata,
    Column("id", String, primary_key=True),
    Column("itwin_id", String, ForeignKey("itwins.id", ondelete="CASCADE"), nullable=False),
    Column("display_name", String, nullable=False),
    Column("description", String, nullable=False),
    Column("permissions", JSON, nullable=False),
)

# What roles a user has in an iTwin; with none, it is no member.
members = Table(
    "members",
    metadata,
    Column("itwin_id", String, ForeignKey("itwins.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("role_ids", JSON, nullable=False),
)

# Users who are no members of an iTwin unless it gives them a role.
outsiders = Table("outsiders", metadata, Column("user_id", String, primary_key=True))
