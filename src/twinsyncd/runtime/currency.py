"""Whether a connection is current: what is saved on the drive is in the iModel, and since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ..core.model import SourceKey
from ..core.results import RunRecord
from .formatting import clock_time, count, duration
from .report import ConnectionReport
from .report_lines import CLOUD_UNKNOWN, Level, Line

NAMED_MAX: Final = 3  # source folders named in one line


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
        detail = f": {count(connection.unsettled, 'file')} still settling"
        return Line(Level.WAITS, "not current", detail)
    if connection.missing:
        gone = count(sum(each.number for each in connection.missing), "file")
        return Line(Level.WAITS, "not current", f": {gone} not on the drive any more")
    if connection.unlisted:
        detail = ": not all folders have been looked at since the daemon started"
        return Line(Level.WAITS, "not known", detail)
    if connection.holds or connection.blind or connection.empty:
        level = Level.BAD if connection.blind else Level.WAITS
        return Line(level, "not known", f": {_unread(connection)}")
    if connection.compared.state == CLOUD_UNKNOWN:
        detail = ": all was synced, but whether the cloud still has it cannot be looked at"
        return Line(connection.compared.level, "not known", detail)
    if connection.unserved:
        detail = ": all was synced, but no machine looks at its folders now"
        return Line(connection.unserved, "not known", detail)
    if unseen_since_s:
        detail = f": all was synced, but changes since {clock_time(unseen_since_s)} are not seen"
        return Line(Level.BAD, "not known", detail)
    last = next((run for run in runs if run.connection == connection.name), None)
    detail = f", last change synced {clock_time(last.ended_s)}" if last else ""
    return Line(Level.GOOD, "current", detail)


def _unread(connection: ConnectionReport) -> str:
    """Return of which source folders not everything is known, and why."""
    held = [f"{each.source} is on hold" for each in connection.holds]
    blind = [f"{each.source}: {each.text}" for each in connection.blind]
    empty = [f"no file matches in {source}" for source in connection.empty]
    found = [*held, *blind, *empty]
    more = f", and {len(found) - NAMED_MAX:,} more" if len(found) > NAMED_MAX else ""
    return f"{'; '.join(found[:NAMED_MAX])}{more}"
