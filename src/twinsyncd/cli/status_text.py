"""How everything stands, as text for a terminal: what needs a person first, on one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..redact import redact_for_person
from .markup import plain

if TYPE_CHECKING:
    from ..journal.views import Counts
    from ..runtime.conditions import Condition
    from ..runtime.overall_state import OverallState
    from ..runtime.report import ConnectionReport, Report
    from ..runtime.report_lines import Level, Line
    from ..runtime.source_reports import Hold

RECORD_FILES_MAX: Final = 6
"""Export files of a bulk connection shown one by one, those with rejected rows first."""

CONNECTIONS_MAX: Final = 12
"""Connections shown with details; of more of them so many are named that are not current."""

PEOPLE_MAX: Final = 12
"""Conditions that need a person, shown one by one; the others are counted by kind."""

OTHERS_MAX: Final = 4
"""The same of those that end by themselves: an outage makes one for each of a thousand."""

STYLES: Final = {"good": "green", "plain": "", "waits": "yellow", "bad": "red"}
"""The colour of a line, by how much it matters."""


def status_lines(state: OverallState, files: int, *, every: bool = False) -> Iterator[str]:
    """Yield the lines, with Rich markup; `files`: how many single files to list at most.

    `every`: all connections, however many there are.
    """
    from ..runtime.headline import headline

    report = state.report
    yield f"[bold]{styled(headline(report, state.conditions))}[/]"
    shown = list(_shown(state, files, every=every))
    said = {each.text for each in shown}
    yield f"[bold]daemon[/]  {_once(report.daemon, said, 'see below')}"
    yield from _unseen(report)
    yield from (f"[bold]{plain(each.name)}[/]  {styled(each.line)}" for each in report.machines)
    yield from (f"[bold]{plain(name)}[/]  {styled(line)}" for name, line in report.outlets)
    yield from _unsettled(report, {each.about for each in shown})
    yield from _conditions(state, shown, files)
    yield from _connections(state, said, every=every)
    yield from _open_files(report, files, state.now_s)
    yield from _runs(report)


def styled(line: Line) -> str:
    """Return a line as markup: its state in the colour of its level."""
    return f"{_colour(plain(line.state), line.level)}{_words(line.detail)}"


def _once(line: Line, said: Collection[str], where: str) -> str:
    """Return a line as markup; its state alone if the rest is among what needs attention."""
    if str(line) not in said:
        return styled(line)
    return f"{_colour(plain(line.state), line.level)}, {where}"


def _words(text: str) -> str:
    """Return words of others as markup, without the secret parts of addresses in them."""
    return plain(redact_for_person(text))


def _colour(text: str, level: Level) -> str:
    style = STYLES[level.value]
    return f"[{style}]{text}[/]" if style else text


def _unseen(report: Report) -> Iterator[str]:
    """Yield since when nobody looks at the drive, and what to do."""
    from ..runtime.formatting import clock_time
    from ..runtime.report_lines import KEPT_OUT, STARTING, WITHOUT_JOURNAL

    if not report.unseen_since_s:
        return
    since = clock_time(report.unseen_since_s)
    fix = "start the daemon, or run: twinsyncd sync"
    if report.daemon.state == KEPT_OUT:
        return
    if report.daemon.state == STARTING:
        fix = "the daemon looks once it has started"
    elif report.daemon.state == WITHOUT_JOURNAL:
        fix = "the daemon looks again once it can use its journal"
    elif report.daemon.level.value == "bad":
        fix = "see the daemon's line and its log; restart it if it does not go on"
    yield f"        [red]changes on the drive since {since} are not known[/]: {fix}"


def _unsettled(report: Report, named: Collection[str]) -> Iterator[str]:
    """Yield what is still settling, without the files `named` among what needs attention."""
    from ..runtime.formatting import count

    if not report.unsettled:
        return
    waiting = f"{count(report.unsettled, 'file')} still settling"
    yield f"        [yellow]{waiting}[/]: known once they have not changed for a while"
    for each in report.unsettled_files:
        name = f"{each.source}/{each.path}"
        if name not in named:
            yield f"          {plain(name)}  {plain(each.text)}"


# ---- what needs attention ---------------------------------------------------------------


def _shown(state: OverallState, files: int, *, every: bool) -> Iterator[Condition]:
    """Yield the conditions that are shown one by one: so many files, and so many others."""
    from ..runtime.conditions import Kind
    from ..runtime.report_lines import Level

    yield from [each for each in state.conditions if each.kind is Kind.FILE][:files]
    others = [each for each in state.conditions if each.kind is not Kind.FILE]
    for most, needs_person in ((PEOPLE_MAX, True), (OTHERS_MAX, False)):
        group = [each for each in others if (each.level is Level.BAD) is needs_person]
        yield from group if every else group[:most]


def _conditions(state: OverallState, shown: Sequence[Condition], files: int) -> Iterator[str]:
    from ..runtime.conditions import Kind
    from ..runtime.report_lines import Level

    one_by_one = set(shown)
    groups = (("needs a person", True), ("ends by itself, or is worth a look", False))
    for title, needs_person in groups:
        group = [each for each in state.conditions if (each.level is Level.BAD) is needs_person]
        if group:
            yield f"\n[bold]{title}[/]"
        left = [each for each in group if each not in one_by_one]
        for each in group:
            if each in one_by_one:
                yield from _condition(each, state.now_s)
        kinds = Counter(each.kind.value for each in left if each.kind is not Kind.FILE)
        yield from (f"  and {n:,} more, {kind}: see all: --all" for kind, n in kinds.items())
    single = sum(each.kind is Kind.FILE for each in state.conditions)
    if single > files:
        yield f"  and {single - files:,} more files: twinsyncd status --files 1000"


def _condition(condition: Condition, now_s: float) -> Iterator[str]:
    yield f"  {_colour(plain(condition.about), condition.level)}: {_words(condition.text)}"
    yield f"    {_since(condition.since_s, now_s)}→ {plain(condition.fix)}"


def _since(since_s: float, now_s: float) -> str:
    from ..runtime.formatting import clock_time, duration

    if not since_s:
        return ""
    return f"since {clock_time(since_s)} ({duration(max(now_s - since_s, 0.0))}) "


# ---- connections ------------------------------------------------------------------------


def _connections(state: OverallState, said: Collection[str], *, every: bool) -> Iterator[str]:
    found = [(each, state.current(each)) for each in state.report.connections]
    if every or len(found) <= CONNECTIONS_MAX:
        for each, current in found:
            yield from _connection(each, current, said, state.report.unseen_since_s)
        return
    troubled = [pair for pair in found if pair[1].level.value != "good"]
    yield ""
    for each, current in troubled[:CONNECTIONS_MAX]:
        yield f"[bold]{plain(each.name)}[/]  {styled(current)}"
    if len(troubled) > CONNECTIONS_MAX:
        yield f"and {len(troubled) - CONNECTIONS_MAX:,} more that are not current"
    good = len(found) - len(troubled)
    yield f"[green]current[/]  {good:,} of {len(found):,} connections; see all: --all"


def _connection(
    connection: ConnectionReport, current: Line, said: Collection[str], unseen_since_s: float
) -> Iterator[str]:
    yield f"\n[bold]{plain(connection.name)}[/]  {styled(current)}"
    yield f"  {_once(connection.line, said, 'see above')}"
    yield f"  {_once(_compared(connection), said, 'see above')}"
    if connection.authorised_days is not None:
        yield f"  {_authorization(connection.authorised_days)}"
    held = {hold.source: hold for hold in connection.holds}
    missing = {each.source: each.number for each in connection.missing}
    for each in connection.counts:
        gone = missing.get(each.source, 0)
        yield f"  {_counts(each, unseen_since_s, held.get(each.source), gone)}"
    yield from _records(connection)


def _compared(connection: ConnectionReport) -> Line:
    """Return when the cloud was looked at, without a reason that the line above it has."""
    lane, line = connection.lane, connection.compared
    reason = (lane.halt or lane.wait_reason) if lane else ""
    if not reason:
        return line
    return replace(line, detail=line.detail.replace(f": {reason};", ", for the same reason;"))


def _records(connection: ConnectionReport) -> Iterator[str]:
    """Yield how the records of a bulk connection stand, in all and by file."""
    from ..runtime.bulk_records import file_line, records_line, records_of, worst_first

    records = records_of(connection)
    if records is None:
        return
    yield f"  {styled(records_line(records))}"
    found = worst_first(connection.deliveries)
    for each in found[:RECORD_FILES_MAX]:
        yield f"    {plain(f'{each.key.source}/{each.key.path}')}: {plain(file_line(each))}"
    if len(found) > RECORD_FILES_MAX:
        yield f"    and {len(found) - RECORD_FILES_MAX:,} more files: twinsyncd status --json"


def _authorization(days: int) -> str:
    """Return for how long runs may act for the person who signed in."""
    from ..core.authorization import WARN_DAYS
    from ..runtime.formatting import count

    style = "yellow" if days <= WARN_DAYS[0] else ""
    left = f"[{style}]{count(days, 'day')}[/]" if style else count(days, "day")
    return f"runs may act for you for about {left} more; renew it: twinsyncd login"


def _counts(counts: Counts, unseen_since_s: float, hold: Hold | None, missing: int) -> str:
    """Return the counts of a source; they are of a moment if nobody has looked since then.

    `missing`: how many of them the last list of the drive lacked.
    """
    from ..runtime.formatting import clock_time, count

    since_s = min(filter(None, (unseen_since_s, hold.since_s if hold else 0.0)), default=0.0)
    as_of = f" as of {clock_time(since_s)}" if since_s else ""
    left = [
        f"{number:,} {words}"
        for number, words in (
            (counts.to_store, "to upload"),
            (counts.to_run, "waiting for a run"),
            (counts.aside, "[red]set aside[/]"),
            (missing, "[yellow]of them not on the drive any more[/]"),
            (counts.gone, "gone or excluded, kept in the iModel"),
        )
        if number
    ]
    left += ["[yellow]on hold, see above[/]"] if hold else []
    done = f"{counts.synced:,} of {count(counts.known, 'file')} synced{as_of}"
    return f"{plain(counts.source)}: {', '.join([done, *left])}"


# ---- files and runs ---------------------------------------------------------------------


def _open_files(report: Report, files: int, now_s: float) -> Iterator[str]:
    """Yield the files that wait for us; those that need a person are listed as such."""
    from ..runtime.formatting import count, duration

    waiting = [each for each in report.open_files if not each.needs_person][:files]
    people = sum(each.aside for found in report.connections for each in found.counts)
    total = max(report.open_total - people, len(waiting))
    if not total:
        return
    yield f"\n[bold]on their way[/]  {count(total, 'file')}"
    for each in waiting:
        reason = f": {_words(each.reason)}" if each.reason else ""
        wait_s = each.next_try_s - now_s
        again = f"; next try in {duration(wait_s)}" if wait_s > 0 and report.running else ""
        yield f"  {plain(f'{each.source}/{each.path}')}  [yellow]{each.state}[/]{reason}{again}"
    if total > len(waiting):
        yield f"  and {total - len(waiting):,} more"


def _runs(report: Report) -> Iterator[str]:
    from ..runtime.formatting import clock_time, count, duration

    if report.runs:
        yield "\n[bold]last runs[/]"
    for run in report.runs:
        length = duration(run.ended_s - run.started_s)
        message = f": {_words(run.message)}" if run.message else ""
        yield (
            f"  {clock_time(run.ended_s)}  {plain(run.connection)}  {run.outcome.value}"
            f" in {length}, {count(run.files, 'changed file')}{message}"
        )
