"""Where any file stands, in a sentence: for explain, status of a path, and the page of a file."""

from __future__ import annotations

from typing import Final

from ..core.deliveries import LastDelivery
from ..core.file_changes import is_leftover
from ..core.model import ABSENT, MAY_STAY, STAYS, FileRow, LaneRow, Need, OnDelete, need
from .formatting import with_it
from .open_files import run_state


def explain_file(
    row: FileRow | None,
    *,
    ignored: bool,
    doubt: str = "",
    delivery: LastDelivery | None = None,
    unknown: str = "never seen by a scan; it has not settled yet",
    is_reference: bool = False,
    lane: LaneRow | None = None,
) -> tuple[str, bool]:
    """Return any file's state in a sentence, and whether nothing is left to do for it.

    `row` is None for a file that the journal does not know; `ignored`: no pattern takes it.
    `unknown`: why the journal does not know a file that a pattern takes.
    `doubt`: why nobody knows whether it is still as it was read. `delivery`: of an export file,
    whose rows go to a bulk API and not into an iModel. `is_reference`: runs read it only for the
    sake of what refers to it, and report nothing of it. `lane`: how the iModel's runs stand.
    """
    if row is None:
        return ("not taken" if ignored else unknown), ignored
    if row.unread or row.aside:
        return _aside(row), False
    if row.seen == ABSENT and row.removing is OnDelete.KEEP and row.moved_from is None:
        return f"not on the drive any more, or not taken; {_left_of(row)}", True
    match need(row):
        case Need.PLACE:
            return _misplaced(row), False
        case Need.STORE if delivery:
            return "waits until its rows are sent", False
        case Need.STORE:
            return "waits for its upload", False
        case Need.REMOVE:
            return "gone from the drive; waits to be taken out of its connection", False
        case Need.RUN if row.covered:
            return f"uploaded; {run_state(lane)}", False
        case Need.RUN:
            return "uploaded; waits for the next run", False
        case _ if doubt:
            return f"synced when it was last read, but {doubt}", False
        case _ if delivery:
            return "synced: the service has every record of it as the file has it", True
        case _:
            return _REFERENCE if is_reference else _SYNCED, True


_SYNCED: Final = "synced: drive, Storage and iModel have the same content"
_REFERENCE: Final = (
    "uploaded: Storage has the same content, and a run has begun since; whether it read anew what"
    " refers to this file, the service does not report. If that is not so, save what refers to it"
)


def _aside(row: FileRow) -> str:
    if row.is_open_elsewhere:
        return f"waits until it is closed: {with_it(row.unread, row.key.path)}"
    if is_leftover(row):
        out = "put it back, or take it out: twinsyncd forget --delete PATH"
        return f"not on the drive, but in the cloud: {row.aside}; {out}"
    reason = with_it(row.unread or row.aside, row.key.path)
    name = f"{row.key.source}/{row.key.path}"
    return f'set aside: {reason}; try it again: twinsyncd retry "{name}"'


def _misplaced(row: FileRow) -> str:
    if row.moved_from == row.key:
        return "renamed or moved in Storage by somebody; waits to be put back there"
    return "renamed on the drive; waits to be renamed in Storage"


def _left_of(row: FileRow) -> str:
    """Return what is left in the cloud of a file that is gone."""
    if row.note == STAYS:
        return f"runs do not keep it up any more; {MAY_STAY}"
    if row.synced != ABSENT:
        return "it stays in the iModel"
    if row.stored != ABSENT:
        return "it stays in Storage, and no run has brought it into the iModel"
    return "nothing of it is in Storage"
