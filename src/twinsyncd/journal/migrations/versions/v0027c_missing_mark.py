"""Which files are missing of a source that waits for a person, not only how many."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027c"
down_revision = "0027b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what waits for a person now is approved by number, as it was shown."""
    op.add_column("sources", sa.Column("missing_mark", sa.Text, nullable=False, server_default=""))
