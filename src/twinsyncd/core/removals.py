"""Takes files that are gone from the drive out of their connection, where `on_delete` asks for it.

Nothing is removed before it counts as gone, which the guard against mass deletion has a say in, nor
while a new file may turn out to be one that is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from .commands import GoneFile, Remove
from .events import EventKind
from .facts import Removed, RemoveFailed
from .file_changes import leaving, out_of_cloud
from .lane_state import LaneState
from .ledger import Ledger
from .model import (
    ABSENT,
    IN_DOUBT,
    MAY_STAY,
    STAYS,
    ConnectionKey,
    Failure,
    Fault,
    FileKey,
    FileRow,
    Need,
    Now,
    OnDelete,
)
from .remotes import Remotes

_FOLLOWS: Final = {
    OnDelete.KEEP: "it stays in the iModel",
    OnDelete.UNMAP: "it is taken out of its connection",
    OnDelete.DELETE: "it is taken out of its connection, and deleted in Storage",
}
"""What follows in the cloud when a file is gone, in words."""

FILES_MAX: Final = 100  # per command: one list of the source files, and a call or two for each


def consequence(row: FileRow) -> str:
    """Return in words what follows in the cloud, now that the file is gone."""
    return _FOLLOWS[row.removing] if row.storage_id else "nothing of it is in the cloud"


@dataclass(slots=True)
class Removals:
    """The removals of one lane."""

    state: LaneState
    ledger: Ledger
    remotes: Remotes
    must_wait: Callable[[FileKey], bool]  # it may be coming back, or its drive is offline
    is_due: Callable[[FileRow, Now], bool]  # it does not wait after a failure

    def files(self, connection: ConnectionKey, now: Now) -> Iterator[FileRow]:
        """Yield the files of the connection that are to be taken out now."""
        for row in self.ledger.needing(connection, Need.REMOVE):
            if self.is_due(row, now) and not self.must_wait(row.key):
                yield row

    def begin(self, connection: ConnectionKey, now: Now) -> Remove:
        """Ask for some of them to be taken out; the lane does nothing else meanwhile."""
        self.state.asking = True
        rows = list(islice(self.files(connection, now), FILES_MAX))
        for row in rows:  # durable before the effect, of which the answer may be lost
            stored = IN_DOUBT if row.removing is OnDelete.DELETE else row.stored
            self.ledger.put(replace(leaving(row), stored=stored))
        files = (
            GoneFile(r.key, r.storage_id, r.removing is OnDelete.DELETE, r.replaces) for r in rows
        )
        return Remove(connection, self.remotes[connection].remote_id, tuple(files))

    def ended(self, fact: Removed | RemoveFailed, now: Now) -> None:
        """Apply the end of it."""
        self.state.asking = False
        if isinstance(fact, RemoveFailed):
            failure = fact.failure
            if failure.fault is Fault.GONE:  # the connection: found or made again by the next run
                self.remotes.lost(fact.connection, failure.message, now)
                failure = Failure(Fault.TRANSIENT, failure.message, failure.retry_after_s)
            self.state.failed(failure, now)
            return
        self.state.succeeded(now)
        for key in fact.files:
            row = self.ledger.get(key)
            deleted = row.removing is OnDelete.DELETE
            stays = f"; {MAY_STAY}" if row.note == STAYS else ""
            text = "deleted in Storage" if deleted else "it stays in Storage"
            text = text if deleted or row.stored != ABSENT else "nothing of it is in Storage"
            note_removed(self.ledger, row, now, f"{text}{stays}")
        for key, reason in fact.refused:
            give_up(self.ledger, self.ledger.get(key), reason, now)


def note_removed(ledger: Ledger, row: FileRow, now: Now, text: str) -> None:
    """Note that a file is out of its connection."""
    ledger.note(EventKind.FILE_REMOVED, row.key, now, text=text)
    ledger.put(out_of_cloud(row))


def give_up(ledger: Ledger, row: FileRow, reason: str, now: Now) -> None:
    """Keep a file that the service does not let go."""
    ledger.put(replace(row, removing=OnDelete.KEEP, note=reason, attempts=0, next_try_s=0.0))
    text = f"it stays, since the service does not remove it: {reason}"
    ledger.note(EventKind.FILE_DIFFERS, row.key, now, text=text)


def with_removal(row: FileRow, policy: OnDelete) -> FileRow:
    """Return the row of a file that now counts as gone, with what is to be done about it.

    An earlier id of it, which Storage lost, is taken out of the connection whatever the policy:
    every run would fail to read it.
    """
    policy = policy if row.storage_id else OnDelete.KEEP
    if row.replaces and policy is OnDelete.KEEP:
        policy = OnDelete.UNMAP
    return replace(row, removing=policy)
