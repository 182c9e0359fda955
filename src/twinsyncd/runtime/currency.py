"""Whether a connection is current: what is saved on the drive is in the iModel, and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..core.model import SourceKey
from ..core.results import RunRecord
from .formatting import clock_time, count, duration
from .report import ConnectionReport
from .report_lines import CLOUD_UNKNOWN, Level, Line


def currency(
    connection: ConnectionReport,
    *,
    oldest_s: Mapping[SourceKey, float],
    runs: Sequence[RunRecord],
    now_s: float,
    unseen_since_s: float = 0.0,
) -> Line:
    """Return whether it is current, and since when; times are wall clock [s].

    Nothing is current while nobody looks at the drive, since `unseen_since_s`; 0: a daemon looks.

    `oldest_s`: since when the oldest change waits, by source; `runs`: the newest first.
    """
    since = [oldest_s[key] for key, _ in connection.folders if key in oldest_s]
    left = sum(each.to_store + each.to_run + each.aside for each in connection.counts)
    if since or left:
        waits = f" for {duration(now_s - min(since))}" if since else ""
        detail = f": {count(left, 'change')} left, the oldest waits{waits}"
        bad = connection.line.level is Level.BAD or any(each.aside for each in connection.counts)
        return Line(Level.BAD if bad else Level.WAITS, "not current", detail)
    if connection.unsettled:
        detail = f": {count(connection.unsettled, 'file')} still being written"
        return Line(Level.WAITS, "not current", detail)
    if connection.unlisted:
        detail = ": not all folders have been looked at since the daemon started"
        return Line(Level.WAITS, "not known", detail)
    if connection.holds or connection.blind or connection.empty:
        detail = ": not everything that can match could be read"
        return Line(Level.BAD if connection.blind else Level.WAITS, "not known", detail)
    if connection.compared.state == CLOUD_UNKNOWN:
        detail = ": all was synced, but whether the cloud still has it cannot be looked at"
        return Line(connection.compared.level, "not known", detail)
    if unseen_since_s:
        detail = f": all was synced, but changes since {clock_time(unseen_since_s)} are not seen"
        return Line(Level.BAD, "not known", detail)
    last = next((run for run in runs if run.connection == connection.name), None)
    detail = f", last change synced {clock_time(last.ended_s)}" if last else ""
    return Line(Level.GOOD, "current", detail)
