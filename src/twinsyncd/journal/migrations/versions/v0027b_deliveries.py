"""What the last delivery of each export file did, in records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027b"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the next delivery of a file fills it."""
    op.add_column("bulk_files", sa.Column("delivery", sa.JSON, nullable=True))
