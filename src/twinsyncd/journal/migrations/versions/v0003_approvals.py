"""An approval names what it is for; one that does not is void."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("sources", sa.Column("drive", sa.Text, nullable=False, server_default=""))
    op.add_column("sources", sa.Column("lost", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        sa.table("sources", sa.column("approved", sa.Boolean)).update().values(approved=False)
    )
