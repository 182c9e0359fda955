"""A connection remembers which iModel, and whose Storage, all that is known of it is of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038b"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; the next run fills them."""
    home = sa.Column("home", sa.Text, nullable=False, server_default="")
    op.add_column("connections", home)
    op.add_column("connections", sa.Column("home_s", sa.Float, nullable=False, server_default="0"))
