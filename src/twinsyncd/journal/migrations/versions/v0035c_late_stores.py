"""A connection says which upload that broke off its runs wait for, and until when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035c"
down_revision = "0035b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; the next decision fills them in."""
    op.add_column(
        "connections",
        sa.Column("late_store", sa.Text, nullable=False, server_default=sa.text("''")),
    )
    op.add_column(
        "connections",
        sa.Column("late_until_s", sa.Float, nullable=False, server_default=sa.text("0")),
    )
