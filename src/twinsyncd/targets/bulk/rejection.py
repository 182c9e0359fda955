"""The words for people when rows of a file, or all of it, are not in the service."""

from __future__ import annotations

from typing import Final

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


def place_of(row: int, column: str, sheet: str) -> str:
    """Return where to look for a cell, as the program that shows the file calls it."""
    parts = (
        f'sheet "{sheet}"' if sheet else "",
        f"row {row}",
        f"column {column}" if column else "",
    )
    return ", ".join(part for part in parts if part)


def rejection(path: str, sheet: str, summary: Summary) -> CloudError:
    """Return the error that names the first rejected rows; parents may yet come (FILE)."""
    named = [text for each in summary.rejected[:NAMED_MAX] for text in _mistakes(each, sheet)]
    more = summary.rejected_count - NAMED_MAX
    rest = f"; and {more} more rows" if more > 0 else ""
    others = "the others are"
    if summary.is_snapshot:
        others = "and none is sent, since a snapshot without them would delete them"
    text = (
        f"{path}: {summary.rejected_count} of {summary.rows} rows are not in the service, "
        f"{others}: {'; '.join(named)}{rest}{_TRAP if summary.lost_parents else ''}"
    )
    return CloudError("send rows", Failure(Fault.FILE if summary.orphans else Fault.REFUSED, text))


def delivery_of(sheet: str, summary: Summary) -> dict[str, object]:
    """Return what the journal keeps of a delivery, with the places of rejected rows in words."""
    some = summary.rejected[:KEPT_MAX]
    return {
        "rows": summary.rows,
        "rejected": summary.rejected_count,
        "changed": summary.changed,
        "inserted": summary.inserted,
        "updated": summary.updated,
        "leaving": summary.leaving,
        "requests": summary.requests,
        "mistakes": [text for each in some for text in _mistakes(each, sheet)],
    }


def held(path: str, entity: str, connection: str, leaving: Leaving) -> CloudError:
    """Return the error that asks for an approval."""
    if leaving.known:
        what = f"{leaving.leaving} of {leaving.known} {entity} that the service holds are not in it"
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


def _mistakes(rejected: Rejected, sheet: str) -> list[str]:
    return [
        f"{place_of(rejected.row, column, sheet)}: {message} (fix: {fix})"
        for column, message, fix in rejected.mistakes[:NAMED_MAX]
    ]
