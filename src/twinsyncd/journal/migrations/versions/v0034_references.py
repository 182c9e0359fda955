"""What each design file names: other drawings, images, documents, and whether they are there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0031b"
branch_labels = None
depends_on = None

ONLY = sa.text("open_count > 0")


def upgrade() -> None:
    """Add the table; files that are known already are read in the background."""
    op.create_table(
        "drawing_references",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("found", sa.JSON, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.Column("open_count", sa.Integer, nullable=False),
        sa.Column("since_s", sa.Float, nullable=False),
    )
    op.create_index(
        "drawing_references_open",
        "drawing_references",
        ["source"],
        sqlite_where=ONLY,
        postgresql_where=ONLY,
    )
