"""Says which runs wait since an upload that broke off may still change Storage.

Its request may be carried out long after it was given up, in the midst of a run. Nothing fails
meanwhile, so without this nobody would know why a run that is due does not begin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .ledger import Ledger
from .model import ConnectionKey, Need, Now
from .remotes import Remotes
from .stores import Stores

SAME_S: Final = 1.0  # two moments this near are one, as clocks are read one after the other


@dataclass(slots=True)
class LateStores:
    """Those of one lane."""

    connections: Sequence[ConnectionKey]
    ledger: Ledger
    stores: Stores
    remotes: Remotes

    def note(self, now: Now) -> None:
        """Remember until when the runs of each connection wait, and for which upload."""
        for connection in self.connections:
            file, until_s = self._waits(connection, now)
            row = self.remotes[connection]
            if row.late_store != file or abs(row.late_until_s - until_s) > SAME_S:
                self.remotes.change(connection, late_store=file, late_until_s=until_s)

    def _waits(self, connection: ConnectionKey, now: Now) -> tuple[str, float]:
        """Return the upload, and until when on the wall clock [s]; "" and 0 for none."""
        if not self.stores.doubts or not self.ledger.count(connection, Need.RUN):
            return "", 0.0
        settled_s = self.stores.settled_s(connection, now)
        key = self.stores.last_doubt(connection)
        if key is None or key in self.stores.busy or settled_s <= now.at_s:
            return "", 0.0
        return f"{key.source}/{key.path}", now.wall_s + settled_s - now.at_s
