"""A source remembers when its drive answered last, so that a restart does not forget it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042b"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a drive that does not answer is noticed within seconds."""
    text = sa.Column("silent", sa.Text, nullable=False, server_default="")
    op.add_column("sources", text)
    since = sa.Column("silent_since_s", sa.Float, nullable=False, server_default="0")
    op.add_column("sources", since)
