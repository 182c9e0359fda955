"""How the records of bulk connections stand, counted and in words: on the drive, acknowledged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..core.deliveries import LastDelivery
from ..core.model import FileKey
from ..journal.views import total_counts
from .formatting import count
from .report import ConnectionReport, Report
from .report_lines import Level, Line


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a connection's export files as they are on the drive.

    The service has `acknowledged` of them as the files have them, `rejected` are wrong, the others
    wait. `done` of `batches` are those of deliveries that have not ended. `uncounted`: files that
    were not delivered as they are now, so nothing is known of their rows.
    """

    on_drive: int
    acknowledged: int
    rejected: int
    batches: int
    done: int
    uncounted: int

    @property
    def waiting(self) -> int:
        """Return how many records are good and not in the service yet."""
        return self.on_drive - self.acknowledged - self.rejected


def records_of(connection: ConnectionReport) -> Records | None:
    """Return how the records of a connection stand; None if nothing of it was ever delivered."""
    here = [each for each in connection.deliveries if not each.is_gone]
    if not connection.deliveries:
        return None
    now = [each for each in here if each.is_current and not each.is_missed]
    missed = sum(each.is_missed for each in here)
    open_ones = [each for each in now if each.done < each.batches]
    return Records(
        on_drive=sum(each.rows for each in now),
        acknowledged=sum(each.acknowledged for each in now),
        rejected=sum(each.rejected for each in now),
        batches=sum(each.batches for each in open_ones),
        done=sum(each.done for each in open_ones),
        uncounted=max(total_counts(connection.counts).known - missed - len(now), 0),
    )


def records_line(records: Records) -> Line:
    """Return how the records stand, for a person."""
    good = f"{records.acknowledged:,} of {count(records.on_drive, 'record')}"
    detail = f": the service has {good} on the drive"
    if records.rejected:
        detail += f", {records.rejected:,} rejected"
    if records.waiting:
        detail += f", {records.waiting:,} not sent yet"
    if records.batches:
        detail += f"; {_batches(records.done, records.batches)}"
    if records.uncounted == 1:
        detail += "; 1 file was not delivered as it is now, so its rows are not counted"
    elif records.uncounted:
        rest = "were not delivered as they are now, so their rows are not counted"
        detail += f"; {records.uncounted:,} files {rest}"
    if records.rejected:
        return Line(Level.BAD, "records rejected", detail)
    if records.waiting or records.uncounted:
        return Line(Level.WAITS, "records wait", detail)
    return Line(Level.GOOD, "records acknowledged", detail)


def file_line(delivery: LastDelivery) -> str:
    """Return how the records of one file stand, in a phrase."""
    what = f"{delivery.acknowledged:,} of {delivery.rows:,} {delivery.entity} in the service"
    if delivery.rejected:
        what += f", {delivery.rejected:,} rejected"
    if delivery.done < delivery.batches:
        what += f", {_batches(delivery.done, delivery.batches)}"
    if delivery.is_gone or delivery.is_missed:
        gone = "is gone" if delivery.is_gone else "is not on the drive any more"
        return f"{what}; the file {gone}, its records stay"
    return what if delivery.is_current else f"{what}, of an earlier version of the file"


def delivery_of(report: Report, key: FileKey) -> LastDelivery | None:
    """Return the last delivery of a file; None if it was never delivered to a bulk API."""
    every = (each for connection in report.connections for each in connection.deliveries)
    return next((each for each in every if each.key == key), None)


def worst_first(deliveries: Iterable[LastDelivery]) -> list[LastDelivery]:
    """Return the deliveries with those first that a person looks for: rejected, then unfinished."""
    return sorted(deliveries, key=lambda each: (-each.rejected, each.acknowledged == each.rows))


def _batches(done: int, batches: int) -> str:
    return f"{done:,} of {batches:,} {'batch' if batches == 1 else 'batches'} sent"
