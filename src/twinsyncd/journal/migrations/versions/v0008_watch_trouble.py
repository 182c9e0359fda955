"""A source remembers why changes in it are not noticed at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; "" is no trouble, as far as is known."""
    op.add_column("sources", sa.Column("watch_trouble", sa.Text, nullable=False, server_default=""))
