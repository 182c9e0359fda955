"""Source files of a connection that are ours, are not on the drive, and that nobody saw go.

A journal that was made anew knows nothing of a file that was deleted before that: it stays in
Storage, in the connection and in the iModel, and nothing would name it. That a file was ours is
proven by two things together: a source file of our connection points at it, and it lies in
Storage where a file of a configured source would lie. One alone proves nothing: anybody may add
files to the connection, or put some into our folder. That it is gone is known only of a drive
that was listed whole.

Such a file is set aside, and only a person decides: nothing is removed by itself, since nobody saw
whether the file was deleted or the drive is not what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .compare_facts import Compared
from .events import EventKind
from .file_changes import LEFT, is_leftover
from .ledger import Ledger
from .model import ABSENT, MAY_STAY, STAYS, ConnectionKey, FileRow, Need, Now, SourceKey, StorageId


@dataclass(slots=True)
class Leftovers:
    """Those of all connections. `is_listed`: whether all that a source's drive holds is known."""

    ledger: Ledger
    is_listed: Callable[[SourceKey], bool]

    def note(self, fact: Compared, now: Now) -> bool:
        """Set aside what was found, release what is there no more; return whether all is known."""
        self._release(fact.connection, {storage_id for storage_id, _ in fact.others}, now)
        owners = self.ledger.having([storage_id for _, storage_id in fact.leftovers])
        is_known = True
        for key, storage_id in fact.leftovers:
            row = self.ledger.get(key)
            if storage_id in owners or _is_known(row):
                continue
            if not self.is_listed(key.source):
                is_known = False
                continue
            self.ledger.set_aside(replace(row, storage_id=storage_id, aside=LEFT), now)
            self.ledger.change(key, in_connection=True)  # which a new id is not, as a rule
        return is_known

    def _release(self, connection: ConnectionKey, mapped: set[StorageId], now: Now) -> None:
        """Let go those that are no source files any more: a person has decided."""
        for row in list(self.ledger.needing(connection, Need.ASIDE)):
            if is_leftover(row) and row.storage_id not in mapped:
                self.ledger.put(FileRow(row.key, storage_id=row.storage_id, note=STAYS))
                text = f"it is out of the connection now; {MAY_STAY}"
                self.ledger.note(EventKind.FILE_REMOVED, row.key, now, text=text)


def _is_known(row: FileRow) -> bool:
    """Return whether the journal has a file of this path: on the drive, or in the cloud."""
    return bool(row.storage_id or row.seen != ABSENT or row.unread)
