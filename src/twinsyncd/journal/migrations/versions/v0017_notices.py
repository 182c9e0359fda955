"""The journal keeps what people were notified of, so that a restart repeats nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; nobody was notified of anything before this version."""
    op.create_table(
        "alerts",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("needs_person", sa.Boolean, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("fix", sa.Text, nullable=False),
        sa.Column("seen_s", sa.Float, nullable=False),
        sa.Column("since_s", sa.Float, nullable=False),
        sa.Column("sent_s", sa.Float, nullable=False),
        sa.Column("gone_s", sa.Float, nullable=False),
        sa.Column("reminders", sa.Integer, nullable=False),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("made_s", sa.Float, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("deliveries", sa.JSON, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
    )
