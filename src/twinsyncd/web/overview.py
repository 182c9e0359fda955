"""What the first page shows, gathered from the report and the figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..core.model import FileKey, HeldSource, Phase
from ..journal.figures import Figures, latencies, percentile
from ..journal.views import Counts, total_counts
from ..runtime.bulk_records import file_line, records_line, records_of, worst_first
from ..runtime.conditions import Condition, Kind, conditions_of
from ..runtime.currency import currency
from ..runtime.formatting import duration
from ..runtime.headline import headline
from ..runtime.report import ConnectionReport, Report
from ..runtime.report_lines import Level, Line
from .page_data import PageData
from .timeline import Timeline, TimelineRow, timeline, timeline_rows

DAYS: Final = (1, 7, 30)  # of the timeline, to choose from
WIDTHS: Final = (880, 340)  # px: on a screen, and on a telephone
ROWS_MAX: Final = 50  # runs in words
RECORD_FILES_MAX: Final = 6  # export files of a bulk connection, those with rejected rows first


@dataclass(frozen=True, slots=True)
class Progress:
    """The active run: how long it goes on, and how long runs usually take."""

    text: str
    share: int | None  # per cent of the usual time, at most 100; None: nothing is usual yet
    run: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One connection."""

    name: str
    current: Line
    report: ConnectionReport
    counts: Counts
    progress: Progress | None
    median: str  # from saved to in the iModel; "" while nothing was synced
    slowest: str  # the same for the slowest one in twenty
    records: Line | None  # of a bulk connection
    record_files: tuple[tuple[FileKey, str], ...]  # some of its export files, in a phrase each


@dataclass(frozen=True, slots=True)
class Need:
    """One condition, with what a person can press about it."""

    condition: Condition
    found: HeldSource | None  # what an approval would be about
    consequence: str  # of an approval
    retry: tuple[str, str] | None  # the source and path of a file to try again
    retry_all: bool


@dataclass(frozen=True, slots=True)
class WatchRow:
    """One source folder: how changes in it are noticed."""

    source: str
    folder: str
    state: Line


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the first page."""

    headline: Line
    daemon: Line
    unread: bool  # of some source folder not everything is known
    needs: tuple[Need, ...]  # a person must act
    waits: tuple[Need, ...]  # it ends by itself
    cards: tuple[Card, ...]
    report: Report
    drawings: tuple[Timeline, ...]
    rows: tuple[TimelineRow, ...]
    watches: tuple[WatchRow, ...]
    days: int
    now_s: float


def read_overview(data: PageData, days: int) -> Overview:
    """Return what the page shows now. Raises JournalError."""
    now_s = data.now_s()
    since_s = now_s - days * 86_400.0
    report, figures = data.report(), data.figures(since_s)
    conditions = conditions_of(report, now_s)
    needs = [_need(each, report) for each in conditions]
    people = tuple(each for each in needs if each.condition.level is Level.BAD)
    waits = tuple(each for each in needs if each.condition.level is not Level.BAD)
    names = [each.name for each in report.connections]
    return Overview(
        headline=headline(report, conditions),
        daemon=report.daemon,
        unread=any(
            each.holds or each.blind or each.unlisted or each.empty or each.missing
            for each in report.connections
        ),
        needs=people,
        waits=waits,
        cards=tuple(_card(each, figures, now_s, report) for each in report.connections),
        report=report,
        drawings=tuple(
            timeline(figures, names, since_s=since_s, now_s=now_s, width=width) for width in WIDTHS
        ),
        rows=timeline_rows(figures, ROWS_MAX),
        watches=tuple(_watches(report)),
        days=days,
        now_s=now_s,
    )


def _card(connection: ConnectionReport, figures: Figures, now_s: float, report: Report) -> Card:
    took = latencies(figures, connection.name)
    median, slowest = percentile(took, 0.5), percentile(took, 0.95)
    records = records_of(connection)
    files = worst_first(connection.deliveries)[:RECORD_FILES_MAX]
    return Card(
        connection.name,
        currency(
            connection,
            oldest_s=figures.oldest_s,
            runs=figures.runs,
            now_s=now_s,
            unseen_since_s=report.unseen_since_s,
        ),
        connection,
        total_counts(connection.counts),
        _progress(connection, figures, now_s),
        "" if median is None else duration(median),
        "" if slowest is None else duration(slowest),
        None if records is None else records_line(records),
        tuple((each.key, file_line(each)) for each in files),
    )


def _progress(connection: ConnectionReport, figures: Figures, now_s: float) -> Progress | None:
    lane = connection.lane
    if lane is None or lane.connection != connection.name:
        return None
    if lane.phase not in (Phase.RUNNING, Phase.BLOCKED):
        return None
    ours = lane.phase is Phase.RUNNING
    lasts_s = max(now_s - lane.since_s, 0.0)
    usual_s = next(
        (usual for name, usual in figures.usual_s.items() if name == connection.name), 0.0
    )
    usual = f", usually {duration(usual_s)}" if usual_s else ""
    text = f"{'active' if ours else 'somebody else’s run'} for {duration(lasts_s)}{usual}"  # noqa: RUF001 - as typeset
    share = min(round(lasts_s / usual_s * 100), 100) if usual_s and ours else None
    return Progress(text, share, lane.run, ours)


def _need(condition: Condition, report: Report) -> Need:
    holds = [hold for each in report.connections for hold in each.holds]
    hold = next((hold for hold in holds if hold.source == condition.about), None)
    held = hold if condition.kind is Kind.HELD else None
    files = ((each.source, each.path) for each in report.open_files)
    file = next((key for key in files if f"{key[0]}/{key[1]}" == condition.about), None)
    return Need(
        condition,
        held.found if held else None,
        held.consequence if held else "",
        file if condition.kind is Kind.FILE else None,
        condition.kind in (Kind.HALTED, Kind.RUN_FAILED),
    )


def _watches(report: Report) -> Iterable[WatchRow]:
    for connection in report.connections:
        held = {hold.source: hold.reason for hold in connection.holds}
        late = {each.source: each.reason for each in connection.late}
        blind = {each.source: each.text for each in connection.blind}
        for source, folder in connection.folders:
            if source in held:
                state = Line(Level.BAD, "on hold", f": {held[source]}")
            elif source in blind:
                state = Line(Level.BAD, "partly unreadable", f": {blind[source]}")
            elif source in late:
                state = Line(Level.WAITS, "scans alone", f": {late[source]}")
            elif report.unseen_since_s or connection.unserved:
                state = Line(Level.BAD, "not looked at", " now, see above")
            elif source in connection.unlisted:
                state = Line(Level.WAITS, "not scanned yet", " since the daemon started")
            else:
                state = Line(Level.GOOD, "watched", ", and scanned")
            yield WatchRow(source, folder, state)
