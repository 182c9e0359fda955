"""The journal keeps events, the result of each file in each run, and since when things wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXTS = {"files": ("note", "version"), "lanes": ("wait_reason",)}
TIMES = {
    "files": ("seen_s", "aside_since_s", "next_try_s"),
    "sources": ("offline_since_s",),
    "connections": ("compared_s",),
}
COUNTS = {"lanes": ("throttles", "fruitless")}


def upgrade() -> None:
    """Add the columns; "" and 0 are nothing known, which is what an older version knew."""
    for table, columns in TEXTS.items():
        for name in columns:
            op.add_column(table, sa.Column(name, sa.Text, nullable=False, server_default=""))
    for table, columns in TIMES.items():
        for name in columns:
            op.add_column(table, sa.Column(name, sa.Float, nullable=False, server_default="0"))
    for table, columns in COUNTS.items():
        for name in columns:
            op.add_column(table, sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    op.add_column(
        "daemons", sa.Column("unsettled_files", sa.JSON, nullable=False, server_default="[]")
    )
    _create_events()
    _create_run_files()


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at_s", sa.Float, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("changeset", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("events_by_file", "events", ["source", "path"])


def _create_run_files() -> None:
    op.create_table(
        "run_files",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("storage_id", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("changeset", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("ended_s", sa.Float, nullable=False),
    )
    op.create_index("run_files_by_file", "run_files", ["source", "path"])
    op.create_index("run_files_by_run", "run_files", ["run"])
