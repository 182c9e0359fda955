"""The heartbeat says which sources the daemon has not looked at since it started."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; until the next heartbeat it is not known of any source."""
    op.add_column("daemons", sa.Column("unlisted", sa.JSON, nullable=True))
