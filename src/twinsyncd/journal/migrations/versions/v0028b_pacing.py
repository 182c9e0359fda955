"""The rate limit that slows the daemon's requests at its last heartbeat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028b"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the next heartbeat fills it."""
    op.add_column("daemons", sa.Column("pacing", sa.JSON, nullable=True))
