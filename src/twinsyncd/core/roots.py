"""Which files of one iModel go in first: its spatial roots, as long as no run of ours ended.

The first file with coordinates decides where the iModel is, whatever comes later. A root that
fails, or is set aside, holds up no other file, and none is waited for longer than the longest wait
of the connection that waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .ledger import Ledger
from .model import ConnectionKey, FileRow, Need, need
from .remotes import Remotes
from .setup import Connection


@dataclass(slots=True)
class Roots:
    """The spatial roots of one lane's connections."""

    connections: Sequence[Connection]
    ledger: Ledger
    remotes: Remotes
    unsettled: Callable[[ConnectionKey], bool]  # may files that nobody knows of yet follow?

    def are_wanted(self) -> bool:
        """Return whether the iModel is to be placed by a root, and was not placed yet."""
        return any(each.has_root for each in self.connections) and not any(
            self.remotes[each.key].last_run for each in self.connections
        )

    def waiting(self, connection: ConnectionKey, *what: Need) -> Iterator[FileRow]:
        """Yield the connection's roots with these needs, none of which has failed."""
        for row in self.ledger.roots(connection):
            if need(row) in what and not row.attempts:
                yield row

    def to_store(self, connection: ConnectionKey) -> list[FileRow]:
        """Return the roots that are to be stored before the connection's other files."""
        return list(self.waiting(connection, Need.STORE)) if self.are_wanted() else []

    def in_order(self, rows: list[FileRow]) -> list[FileRow]:
        """Return the rows of a run, its roots first, or alone if they are to place the iModel."""
        roots = [row for row in rows if self.ledger.is_root(row.key)]
        if not roots:
            return rows
        if any(not row.attempts for row in roots) and self.are_wanted():
            return roots
        return [*roots, *(row for row in rows if row not in roots)]

    def connections_first(self, in_turn: list[Connection]) -> list[Connection]:
        """Return the connections in turn, but those with a waiting root first."""
        if not self.are_wanted():
            return in_turn
        return sorted(in_turn, key=lambda each: not self.has_waiting(each.key))

    def has_waiting(self, connection: ConnectionKey) -> bool:
        """Return whether a root of the connection waits for its store or its run."""
        return any(self.waiting(connection, Need.STORE, Need.RUN))

    def must_wait(self, connection: ConnectionKey) -> bool:
        """Return whether a root of another connection goes in before this connection's files."""
        if not self.are_wanted() or self.has_waiting(connection):
            return False
        others = [each for each in self.connections if each.has_root and each.key != connection]
        going = [each.key for each in others if not self.remotes[each.key].paused_s]
        return any(self.unsettled(key) or self.has_waiting(key) for key in going)
