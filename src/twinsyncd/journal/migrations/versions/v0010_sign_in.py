"""The journal keeps who waits for a sign-in, and since when runs may act for a user."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nobody waited, and nothing was known, before this version."""
    op.add_column(
        "lanes", sa.Column("needs_person", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.add_column(
        "connections", sa.Column("authorised_s", sa.Float, nullable=False, server_default="0")
    )
    op.add_column(
        "connections", sa.Column("warned_days", sa.Integer, nullable=False, server_default="0")
    )
