"""Runs Alembic's migrations over the connection that the journal passes in."""

from __future__ import annotations

from alembic import context

from twinsyncd.journal.lease_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,  # a crash in the middle leaves the tables as they were
)
with context.begin_transaction():
    context.run_migrations()
