"""Finds the files that are gone at once: status counts them apart from all the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0028b"
branch_labels = None
depends_on = None

ONLY = sa.text("seen = ''")


def upgrade() -> None:
    """Add the index."""
    op.create_index("files_gone", "files", ["source"], sqlite_where=ONLY, postgresql_where=ONLY)
