"""Where a connection's files go: an iTwin's Storage, and an iModel. Another one knows none of them.

A person may configure another iModel under the same name, as where the earlier one was deleted.
What the journal remembers of the earlier one would be taken for the new one's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .file_changes import is_leftover
from .ledger import Ledger
from .model import ABSENT, NO_ID, STAYS, FileRow, LaneKey, Now, OnDelete
from .remotes import Remotes
from .setup import Connection


def home_of(itwin: str, imodel: LaneKey) -> str:
    """Return the iTwin and iModel as one text."""
    return f"{itwin}/{imodel}"


def forget_earlier_homes(
    connections: Iterable[Connection], remotes: Remotes, ledger: Ledger, now: Now
) -> None:
    """Forget what is remembered of iModels and Storage that are configured no more."""
    for connection in connections:
        key, home = connection.key, home_of(connection.itwin, connection.lane)
        earlier = remotes[key].home
        remotes.homes[key] = home
        if earlier in ("", home):
            continue
        itwin, _, imodel = earlier.partition("/")
        for row in list(ledger.every(key)):
            ledger.put(_in_new_imodel(row, same_storage=itwin == connection.itwin))
        remotes.lost(key, f"its iModel was {imodel} before", now)
        remotes.change(key, home=home, home_s=now.wall_s, compared_s=0.0, authorised_s=0.0)


def _in_new_imodel(row: FileRow, *, same_storage: bool) -> FileRow:
    """Return the row of a file of which the iModel has nothing, and perhaps Storage neither."""
    if is_leftover(row):
        row = FileRow(row.key, storage_id=row.storage_id)
    if row.note == STAYS:
        row = replace(row, note="")
    row = replace(row, synced=ABSENT, covered=ABSENT, in_connection=False, replaces=())
    if same_storage:
        return row
    row = replace(row, stored=ABSENT, storage_id=NO_ID, version="", moved_from=None)
    return replace(row, removing=OnDelete.KEEP)
