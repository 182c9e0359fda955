"""What is compared with the cloud: our newest run, and source files that were replaced."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; "" is none known."""
    for table, name in (("files", "replaces"), ("connections", "last_run")):
        op.add_column(table, sa.Column(name, sa.Text, nullable=False, server_default=""))
