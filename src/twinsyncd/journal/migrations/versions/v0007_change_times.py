"""Files remember their change time and when they were read; sources what could not be read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. 0 is no change time: such a file is not different until it is read again."""
    op.add_column("files", sa.Column("ctime_ns", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("files", sa.Column("hashed_s", sa.Float, nullable=False, server_default="0"))
    for name in ("drives_inside", "blind"):
        op.add_column("sources", sa.Column(name, sa.JSON, nullable=False, server_default="[]"))
    op.add_column(
        "sources", sa.Column("blind_count", sa.Integer, nullable=False, server_default="0")
    )
    op.add_column(
        "sources", sa.Column("blind_since_s", sa.Float, nullable=False, server_default="0")
    )
