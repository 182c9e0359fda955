"""Folders just made in Storage, so that the next process does not make them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "new_folders",
        sa.Column("parent_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("made_id", sa.Text, nullable=False),
        sa.Column("asked_s", sa.Float, nullable=False),
    )
