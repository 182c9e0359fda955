"""The digests of records that a bulk API took, in pieces that are read at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, empty: the first delivery of each kind writes it."""
    op.create_table(
        "delivered_digests",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("is_removal", sa.Boolean, nullable=False),
        sa.Column("digests", sa.LargeBinary, nullable=False),
    )
