"""A connection remembers why it could not be compared with the cloud."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031b"
down_revision = "0031"
branch_labels = None
depends_on = None

COLUMNS = (
    sa.Column("compare_failed", sa.Text, nullable=False, server_default=""),
    sa.Column("compare_failed_s", sa.Float, nullable=False, server_default="0"),
    sa.Column("compare_refused", sa.Boolean, nullable=False, server_default=sa.false()),
)


def upgrade() -> None:
    """Add the columns; the next comparison says how it stands."""
    for column in COLUMNS:
        op.add_column("connections", column)
