"""How far the clock of a daemon's machine is ahead of the platform's, at its last heartbeat."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; the next heartbeat fills it."""
    clock = sa.Column("ahead_of_platform_s", sa.Float, nullable=False, server_default="0")
    op.add_column("daemons", clock)
