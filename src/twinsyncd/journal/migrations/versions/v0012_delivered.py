"""The journal keeps what a bulk API took, and which export files wait for something."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; nothing was delivered before this version."""
    op.create_table(
        "delivered_records",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("guid", sa.LargeBinary(16), primary_key=True),
        sa.Column("digest", sa.LargeBinary(8), nullable=False),
    )
    op.create_table(
        "bulk_files",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("needs", sa.Text, nullable=False),
        sa.Column("held_digest", sa.Text, nullable=False),
        sa.Column("held_rows", sa.Integer, nullable=False),
        sa.Column("held_known", sa.Integer, nullable=False),
        sa.Column("held_leaving", sa.Integer, nullable=False),
        sa.Column("approved_digest", sa.Text, nullable=False),
    )
