"""What DGN files name is read anew: older versions knew nothing of reference attachments."""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forget what was read of DGN files; the next start reads them in the background."""
    op.execute("DELETE FROM drawing_references WHERE lower(path) LIKE '%.dgn'")
