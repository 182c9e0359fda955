"""A source remembers which files its last list lacked, so that the next process can go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034c"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the next list begins anew."""
    op.add_column(
        "sources", sa.Column("missed", sa.JSON, nullable=False, server_default=sa.text("'[]'"))
    )
