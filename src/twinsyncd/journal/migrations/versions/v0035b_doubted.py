"""A source remembers which of its files a person doubts until they are read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035b"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing is doubted yet."""
    op.add_column(
        "sources", sa.Column("doubted", sa.JSON, nullable=False, server_default=sa.text("'[]'"))
    )
