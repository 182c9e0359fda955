"""A source remembers what its files were chosen by, so that a change of it is noticed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; every source is looked through once, since none has a text."""
    op.add_column("sources", sa.Column("patterns", sa.Text, nullable=False, server_default=""))
