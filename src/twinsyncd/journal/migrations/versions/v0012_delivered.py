"""The journal keeps which records a bulk API holds, so that only changed ones are sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nothing was delivered before this version."""
    op.create_table(
        "delivered_records",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("guid", sa.LargeBinary(16), primary_key=True),
        sa.Column("digest", sa.LargeBinary(8), nullable=False),
    )
