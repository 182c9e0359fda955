"""Several machines share a journal: who serves what, and which of them a request is for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0035c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables and columns; a journal in a file has one daemon, whose name is empty."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.schema.CreateSequence(sa.Sequence("lease_tokens")))
    op.create_table(
        "machines",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("home", sa.Text, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("is_standby", sa.Boolean, nullable=False),
        sa.Column("joined_s", sa.Float, nullable=False),
        sa.Column("until_s", sa.Float, nullable=False),
    )
    op.create_table(
        "leases",
        sa.Column("lane", sa.Text, primary_key=True),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("token", sa.BigInteger, nullable=False),
        sa.Column("since_s", sa.Float, nullable=False),
        sa.Column("wished_by", sa.Text, nullable=False),
    )
    op.create_index("leases_by_machine", "leases", ["machine"])
    for table, name in (("daemons", "machine"), ("requests", "addressee")):
        op.add_column(table, sa.Column(name, sa.Text, nullable=False, server_default=""))
