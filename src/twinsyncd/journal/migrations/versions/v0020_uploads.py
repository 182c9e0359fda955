"""The heartbeat says how far the uploads under way are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the next heartbeat fills it."""
    op.add_column("daemons", sa.Column("uploads", sa.JSON, nullable=True))
