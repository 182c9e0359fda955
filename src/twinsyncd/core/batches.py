"""When the changes of a connection are complete enough for a run: nothing follows, or they wait."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from .model import ConnectionKey, Now
from .setup import Connection


@dataclass(slots=True)
class Batches:
    """The changes of the connections of one lane. Times are monotonic seconds."""

    awaits_more: Callable[[ConnectionKey], bool]  # is more to follow soon, as far as is known?
    touched_s: dict[ConnectionKey, float] = field(default_factory=dict)  # last activity
    waiting_s: dict[ConnectionKey, float] = field(default_factory=dict)  # unsynced since

    def touch(self, connection: ConnectionKey, now: Now) -> None:
        """Note activity on the drive; the batch is quiet once there was none for a while."""
        self.touched_s[connection] = now.at_s

    def note(self, connection: ConnectionKey, now: Now, *, to_run: bool, to_store: bool) -> None:
        """Note since when there is content for a run; what is still to be stored ends no wait."""
        if to_run:
            self.waiting_s.setdefault(connection, now.at_s)
        elif not to_store:
            self.waiting_s.pop(connection, None)

    def run_began(self, connection: ConnectionKey) -> None:
        """Note that what waited is in a run now."""
        self.waiting_s.pop(connection, None)

    def is_quiet(self, connection: Connection, now: Now) -> bool:
        """Return whether nothing more is expected to follow at once."""
        key = connection.key
        if now.at_s < self.touched_s.get(key, -math.inf) + connection.batch_quiet_s:
            return False
        return not self.awaits_more(key)

    def is_overdue(self, connection: Connection, now: Now) -> bool:
        """Return whether its changes have waited for quiet for as long as they may."""
        since_s = self.waiting_s.get(connection.key)
        return since_s is not None and since_s + connection.longest_wait_s <= now.at_s

    def times(self, connection: Connection) -> list[float | None]:
        """Return when it may be quiet, and when it is overdue; nothing if nothing waits."""
        since_s = self.waiting_s.get(connection.key)
        if since_s is None:
            return []
        touched_s = self.touched_s.get(connection.key)
        quiet_s = None if touched_s is None else touched_s + connection.batch_quiet_s
        return [quiet_s, since_s + connection.longest_wait_s]
