"""Columns take the names that the program uses for what they hold."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

RENAMED = {
    "files": {"item": "storage_id", "mapped": "in_connection"},
    "sources": {"lost": "missing_count"},
    "daemons": {"at_rest": "is_idle", "restless": "unsettled"},
    "requests": {"taken_s": "handled_s"},
}
"""By table, the old name of a column and its new one."""


def upgrade() -> None:
    """Rename the columns; the statement is the same in SQLite and PostgreSQL."""
    for table, columns in RENAMED.items():
        for old, new in columns.items():
            op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
