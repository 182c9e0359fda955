"""What is to be done about a file that is gone, and which connections are paused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and an index; until now everything was kept, and nothing could be paused."""
    op.add_column("files", sa.Column("removing", sa.Text, nullable=False, server_default="keep"))
    op.add_column(
        "connections", sa.Column("paused_s", sa.Float, nullable=False, server_default="0")
    )
    op.create_index("files_by_storage_id", "files", ["storage_id"])
