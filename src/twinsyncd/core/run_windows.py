"""When runs of a lane may begin: the timetable of each connection, and what people publish anyway.

Uploads know no timetable here; they are limited elsewhere, by their rate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from .events import Event, EventKind
from .ledger import Ledger
from .model import ConnectionKey, LaneRow, Need, Now, Phase
from .person_facts import PublishAsked, SyncAsked
from .remotes import Remotes
from .setup import Connection, always_open

PUBLISH_S: Final = 600.0  # a change found later than this, after the request, is not part of it
_ON_THEIR_WAY: Final = (Need.STORE, Need.PLACE, Need.RUN)


@dataclass(slots=True)
class RunWindows:
    """Keeps which connections may begin no run now; the rest is durable or configured."""

    connections: Sequence[Connection]
    remotes: Remotes
    ledger: Ledger
    unsettled: Callable[[ConnectionKey], bool]  # does the connection have unsettled files?
    closed: frozenset[ConnectionKey] = field(default_factory=frozenset)
    timed: tuple[Connection, ...] = field(init=False)  # those that are not always open

    def __post_init__(self) -> None:
        """Ask only those for the time that have a timetable."""
        self.timed = tuple(each for each in self.connections if each.opens_s is not always_open)

    def note(self, now: Now) -> None:
        """Note which connections are closed at this moment; ends what was published."""
        outside = [each.key for each in self.timed if each.opens_s(now.wall_s) > now.wall_s]
        for each in self.timed:
            published_s = self.remotes[each.key].published_s
            over = now.wall_s > published_s + PUBLISH_S and self._is_done(each.key)
            if published_s and (over or each.key not in outside):
                self.published(each.key)
        self.closed = frozenset(key for key in outside if not self.remotes[key].published_s)

    def publish(self, connection: ConnectionKey | None, now: Now) -> None:
        """Let the next run of a connection, or of all, begin outside its timetable."""
        for each in self.timed:
            if connection in (None, each.key) and each.opens_s(now.wall_s) > now.wall_s:
                self.remotes.change(each.key, published_s=now.wall_s)

    def published(self, connection: ConnectionKey) -> None:
        """End the exception: a run of it has ended, or there is nothing left to run."""
        self.remotes.change(connection, published_s=0.0)

    def must_give_up(self, row: LaneRow, *, in_doubt: bool) -> bool:
        """Return whether a run was to begin, surely none has, and its time is over.

        `in_doubt`: the answer to a request for it may have been lost.
        """
        if row.phase not in (Phase.PREPARING, Phase.STARTING) or (in_doubt and row.asks):
            return False
        return row.connection in self.closed

    def opens_at_s(self, connection: Connection, now: Now) -> float | None:
        """Return the monotonic time [s] at which a closed connection opens; None: it is open."""
        if connection.key not in self.closed:
            return None
        return now.at_s + connection.opens_s(now.wall_s) - now.wall_s

    def _is_done(self, connection: ConnectionKey) -> bool:
        """Return whether nothing of a connection is on its way to a run."""
        left = any(self.ledger.count(connection, each) for each in _ON_THEIR_WAY)
        return not left and not self.unsettled(connection)


def event_of(fact: SyncAsked | PublishAsked, now: Now) -> Event:
    """Return what is remembered of a person's request to do everything now."""
    is_sync = isinstance(fact, SyncAsked)
    return Event(EventKind.SYNC_ASKED if is_sync else EventKind.PUBLISH_ASKED, now.wall_s)
