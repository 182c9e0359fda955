"""Which files of one iModel go in first: its spatial roots, as long as no run of ours ended.

The first file with coordinates decides where the iModel is, whatever comes later. A root that
fails, or is set aside, holds up no other file, and none is waited for longer than the longest wait
of the connection that waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from .ledger import Ledger
from .model import ConnectionKey, FileRow, Need, Now, need
from .remotes import Remotes
from .setup import Connection

_LEFT: Final = (Need.STORE, Need.RUN)


@dataclass(slots=True)
class Roots:
    """The spatial roots of one lane's connections."""

    connections: Sequence[Connection]
    ledger: Ledger
    remotes: Remotes
    unsettled: Callable[[ConnectionKey], bool]  # may files that nobody knows of yet follow?
    has_any: bool = field(init=False)

    def __post_init__(self) -> None:
        """Ask only lanes for their roots that have one, or had one at the last start."""
        rows = (self.remotes[each.key] for each in self.connections)
        waited = any(row.root_wait for row in rows)
        self.has_any = waited or any(each.has_root for each in self.connections)

    def note(self, now: Now) -> None:
        """Note each connection's root, whose root it waits for, and since when."""
        for key in (each.key for each in self.connections if self.has_any):
            row = self.remotes[key]
            root = next((row.key for row in self.ledger.roots(key)), None)
            name = f"{root.source}/{root.path}" if root else row.spatial_root
            waits = self._waited_for(key)
            since_s = (row.root_wait_s if row.root_wait else now.wall_s) if waits else 0.0
            self.remotes.put(replace(row, spatial_root=name, root_wait=waits, root_wait_s=since_s))

    def _waited_for(self, connection: ConnectionKey) -> str:
        """Return whose root goes in before files of the connection; "" if none of them waits."""
        if not self.are_wanted() or self.remotes[connection].paused_s:
            return ""
        own = sum(1 for _ in self.waiting(connection, *_LEFT))
        if sum(self.ledger.count(connection, what) for what in _LEFT) <= own:
            return ""  # there is nothing beside its roots
        return connection if own else next(self._ahead(connection), "")

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
        return any(self.waiting(connection, *_LEFT))

    def must_wait(self, connection: ConnectionKey) -> bool:
        """Return whether a root of another connection goes in before this connection's files."""
        if not self.are_wanted() or self.has_waiting(connection):
            return False
        return any(self._ahead(connection))

    def _ahead(self, connection: ConnectionKey) -> Iterator[ConnectionKey]:
        """Yield the other connections whose root goes in before files of this one."""
        for each in self.connections:
            if not each.has_root or each.key == connection or self.remotes[each.key].paused_s:
                continue
            if self.unsettled(each.key) or self.has_waiting(each.key):
                yield each.key
