"""A person who is to approve a loss is shown some of the files by name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("sources", sa.Column("examples", sa.JSON, nullable=False, server_default="[]"))
