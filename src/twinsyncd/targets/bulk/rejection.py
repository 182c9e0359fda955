"""The words for people when rows of a file, or all of it, are not in the service."""

from __future__ import annotations

from typing import Final

from ...core.deliveries import RejectedRow
from ...core.model import Failure, Fault
from ...errors import CloudError
from .snapshot import Leaving
from .summary import Rejected, Summary

NAMED_MAX: Final = 3  # rejected rows that a message names; the log has more
KEPT_MAX: Final = 20  # rejected rows that the journal keeps: more than anybody corrects at once
_TRAP: Final = (
    "; the service took such a parent before and has it no more: if it deletes what a request"
    ' leaves out, set mode = "snapshot" below [connection.bulk]'
)


def rejection(path: str, sheet: str, summary: Summary) -> CloudError:
    """Return the error that names the first rejected rows.

    Sending them again helps once somebody corrected them, or their parents came.
    """
    named = [
        str(row) for each in sorted(summary.rejected)[:NAMED_MAX] for row in _named(each, sheet)
    ]
    more = summary.rejected_count - NAMED_MAX
    rest = f"; and {more:,} more row{'' if more == 1 else 's'}" if more > 0 else ""
    good = summary.rows - summary.rejected_count
    others = f" (the other{' is' if good == 1 else 's are'})" if good else ""
    if summary.is_snapshot:
        others = ", and none is sent, since a snapshot without them would delete them"
    row = "row" if summary.rows == 1 else "rows"
    are = "is" if summary.rejected_count == 1 else "are"
    text = (
        f"{path}: {summary.rejected_count:,} of {summary.rows:,} {row} {are} not in the service"
        f"{others}: {'; '.join(named)}{rest}{_TRAP if summary.lost_parents else ''}"
    )
    return CloudError("send rows", Failure(Fault.REFUSED, text))


def delivery_of(sheet: str, summary: Summary) -> dict[str, object]:
    """Return what the journal keeps of a delivery so far, with the places of rejected rows."""
    return {
        "rows": summary.rows,
        "acknowledged": summary.acknowledged,
        "rejected": summary.rejected_count,
        "changed": summary.changed,
        "inserted": summary.inserted,
        "updated": summary.updated,
        "leaving": summary.leaving,
        "requests": summary.requests,
        "batches": summary.batches,
        "done": summary.done,
        "rejected_rows": [
            row._asdict()
            for each in sorted(summary.rejected)[:KEPT_MAX]
            for row in _named(each, sheet)
        ],
    }


def counted(entity: str, summary: Summary) -> str:
    """Return what a delivery did in words, for the history of its file."""
    rows = f"{summary.rows:,} row{'' if summary.rows == 1 else 's'} of {entity}"
    if not summary.requests:
        return f"{rows}: no change"
    gone = f", {summary.leaving:,} deleted" if summary.leaving else ""
    requests = f"{summary.requests:,} request{'' if summary.requests == 1 else 's'}"
    sent = f"{summary.inserted:,} inserted, {summary.updated:,} updated{gone} in {requests}"
    return f"{rows}: {sent}"


def held(path: str, entity: str, connection: str, leaving: Leaving) -> CloudError:
    """Return the error that asks for an approval."""
    if leaving.known:
        what = f"{leaving.leaving} of {leaving.known} {entity} that the service holds are not in it"
        what += ", and what lies below them goes with them" if leaving.below else ""
    else:
        what = f"it is the first snapshot, and {entity} of the company that are not in it go"
    text = (
        f"{path}: nothing was sent, since a snapshot of its {leaving.rows} rows deletes what it"
        f' leaves out: {what}; if that is meant: twinsyncd approve "{connection}"'
    )
    return CloudError("send rows", Failure(Fault.REFUSED, text))


def too_large(path: str, entity: str, limit: int) -> CloudError:
    """Return the error for a set that does not fit one request."""
    text = (
        f"{path}: it has more than {limit} rows, and a snapshot of {entity} must fit one request;"
        " nothing was sent. Ask the operator of the service to switch its deletion off, and set"
        ' mode = "upsert" below [connection.bulk]'
    )
    return CloudError("send rows", Failure(Fault.REFUSED, text))


def _named(rejected: Rejected, sheet: str) -> list[RejectedRow]:
    return [
        RejectedRow(rejected.row, message, fix, column, sheet)
        for column, message, fix in rejected.mistakes[:NAMED_MAX]
    ]
