"""A source remembers how many files its last list lacked, where they are too many to be named."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the next list fills it."""
    column = sa.Column("missed_unnamed", sa.Integer, nullable=False, server_default="0")
    op.add_column("sources", column)
