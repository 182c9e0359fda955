"""The spatial root of each connection, and which connection waits for which root."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; the next decision fills them."""
    for name, kind, default in (
        ("spatial_root", sa.Text, ""),
        ("root_wait", sa.Text, ""),
        ("root_wait_s", sa.Float, "0"),
    ):
        column = sa.Column(name, kind, nullable=False, server_default=default)
        op.add_column("connections", column)
