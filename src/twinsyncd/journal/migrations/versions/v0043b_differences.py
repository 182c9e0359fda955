"""Finds the newest differences between the cloud and the journal without reading all events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043b"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    columns, differs = ["kind", "connection", "at_s"], sa.text("kind = 'file.differs'")
    op.create_index("events_of_differences", "events", columns, sqlite_where=differs)
