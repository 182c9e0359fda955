"""A person published what waits, outside the timetable of its connection."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing was published before."""
    column = sa.Column("published_s", sa.Float, nullable=False, server_default="0")
    op.add_column("connections", column)
