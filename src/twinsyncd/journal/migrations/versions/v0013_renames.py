"""Renames on the drive keep the file in the cloud; a held deletion lets uploads go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and indexes by which a renamed file is found."""
    for name in ("moved_source", "moved_path"):
        op.add_column("files", sa.Column(name, sa.Text, nullable=False, server_default=""))
    false = sa.false()
    op.add_column("sources", sa.Column("is_read", sa.Boolean, nullable=False, server_default=false))
    op.create_index("files_by_content", "files", ["stored"])
    op.create_index("files_by_file_id", "files", ["file_id"])
