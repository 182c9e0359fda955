"""Which rows each export file of a bulk connection has, and which files share records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043c"
down_revision = "0043b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables, empty; every export file is read once more, so that they are filled."""
    mark = sa.Column("rows_mark", sa.Text, nullable=False, server_default="")
    op.add_column("bulk_files", mark)
    op.create_table(
        "export_rows",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("digests", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "export_rivals",
        sa.Column("connection", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("rival_source", sa.Text, primary_key=True),
        sa.Column("rival_path", sa.Text, primary_key=True),
    )
    op.execute("UPDATE bulk_files SET needs = 'resend' WHERE needs = ''")
