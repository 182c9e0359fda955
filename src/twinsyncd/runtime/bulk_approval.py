"""Snapshots of bulk connections that wait for a person's approval."""

from __future__ import annotations

from ..config import Config, Connection
from ..core.facts import RetryAsked
from ..journal.bulk_files import BulkFiles, HeldSnapshot
from ..journal.database import journal_exists, open_read_only, open_unchanged
from .state import journal_of
from .sync_once import leave_request

__all__ = ["HeldSnapshot", "approve_snapshot", "held_snapshots"]


def held_snapshots(config: Config, connection: Connection) -> list[HeldSnapshot]:
    """Return those of a connection. Raises JournalError."""
    where = journal_of(config)
    if connection.target != "bulk" or not journal_exists(where):
        return []
    engine = open_read_only(where)
    try:
        return BulkFiles(engine).held(connection.name)
    finally:
        engine.dispose()


def approve_snapshot(config: Config, connection: Connection, held: HeldSnapshot) -> bool:
    """Approve exactly this one, and let the daemon send it; return whether one is running.

    Raises JournalError.
    """
    engine = open_unchanged(journal_of(config))
    try:
        BulkFiles(engine).approve(connection.name, held)
    finally:
        engine.dispose()
    return leave_request(config, RetryAsked(held.key))
