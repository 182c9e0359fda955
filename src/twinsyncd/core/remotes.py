"""What is remembered of each connection in the service."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from . import authorization
from .events import Event, EventKind
from .ledger import Ledger
from .model import NO_RUN, ConnectionKey, ConnectionRow, Now
from .places import Places


@dataclass(slots=True)
class Remotes:
    """The durable rows of all connections, and what hangs on them."""

    ledger: Ledger
    rows: dict[ConnectionKey, ConnectionRow]
    homes: dict[ConnectionKey, str] = field(default_factory=dict)  # where each is now
    places: Places = field(default_factory=Places)  # of all lanes, to compare with the cloud
    _taken: dict[ConnectionKey, ConnectionRow] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what is in the journal."""
        self._taken = dict(self.rows)

    def take_changes(self) -> tuple[ConnectionRow, ...]:
        """Return the rows to be committed and forget that they changed."""
        if self.rows == self._taken:
            return ()
        changed = tuple(row for key, row in self.rows.items() if row != self._taken[key])
        self._taken = dict(self.rows)
        return changed

    def __getitem__(self, connection: ConnectionKey) -> ConnectionRow:
        """Return the row of a connection."""
        return self.rows[connection]

    def change(self, connection: ConnectionKey, **changes: Any) -> None:
        """Replace fields of a row."""
        self.rows[connection] = replace(self.rows[connection], **changes)

    def put(self, row: ConnectionRow) -> None:
        """Replace a row."""
        self.rows[row.key] = row

    def found(self, connection: ConnectionKey, remote_id: str, now: Now) -> None:
        """Note which connection of the service it is."""
        self.change(connection, home=self.homes.get(connection, ""))
        before = self.rows[connection].remote_id
        if before == remote_id:
            return
        if before:
            self.lost(connection, "there is another one in its place", now)
        self.change(connection, remote_id=remote_id)
        self._note(EventKind.CONNECTION_FOUND, connection, remote_id, now)

    def lost(self, connection: ConnectionKey, reason: str, now: Now) -> None:
        """Forget a connection that is not there any more, and what its runs proved."""
        self.ledger.forget_connection(connection)
        self.change(connection, remote_id="", last_run=NO_RUN)
        self._note(EventKind.CONNECTION_LOST, connection, reason, now)

    def pause(self, connection: ConnectionKey | None, now: Now) -> None:
        """Pause a connection, or all; those that are paused already stay so."""
        for key in self._meant(connection):
            if not self.rows[key].paused_s:
                self.change(key, paused_s=now.wall_s)
                self._note(EventKind.PAUSED, key, "", now)

    def resume(self, connection: ConnectionKey | None, now: Now) -> None:
        """End the pause of a connection, or of all."""
        for key in self._meant(connection):
            if self.rows[key].paused_s:
                self.change(key, paused_s=0.0)
                self._note(EventKind.RESUMED, key, "", now)

    def _meant(self, connection: ConnectionKey | None) -> list[ConnectionKey]:
        return [key for key in self.rows if connection in (None, key)]

    def renew_authorizations(self, now: Now) -> None:
        """Note that the user has just agreed that runs act for them."""
        for row in list(self.rows.values()):
            self.put(authorization.renewed(row, now))

    def warn_of_lapses(self, now: Now) -> None:
        """Note each connection whose user must agree again soon; a warning is given once."""
        for key, row in [each for each in self.rows.items() if each[1].authorised_s]:
            if days := authorization.warning_days(row, now):
                self.change(key, warned_days=days)
                left = f"{days} day{'s' if days > 1 else ''}"
                text = f"runs may act for the user for {left} more, or less; run: twinsyncd login"
                self._note(EventKind.AUTHORIZATION_ENDS, key, text, now)

    def _note(self, kind: EventKind, connection: ConnectionKey, text: str, now: Now) -> None:
        self.ledger.events.add(Event(kind, now.wall_s, connection, text=text))
