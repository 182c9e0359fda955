"""What needs attention, one condition each: for the page, health, notifications and the digest.

A condition has a key that stays the same while it lasts, so that it is reported once. Its text is
the service's or the system's own; its fix says what a person does about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..core.authorization import WARN_DAYS
from ..core.drive_facts import PART_SILENT, SILENT
from ..core.model import Phase
from ..core.progress import SET_CLOCK
from ..core.results import Outcome, RunRecord
from .cloud_words import PUT_RIGHT, clock_text, differences_text
from .formatting import count, some_of
from .open_files import LEFT_OVER, REFUSED_NAME, TWIN, UNREAD, OpenFile
from .reference_words import advice, open_references
from .report import ConnectionReport, Report
from .report_lines import CLOUD_UNKNOWN, KEPT_OUT, WITHOUT_JOURNAL, Level
from .source_reports import Blind, Hold

FILES_MAX: Final = 50  # conditions of single files; the others are counted in one
UNSERVED_NAMED: Final = 5  # connections that no machine serves, by name
AWAY_FIX: Final = "bring the drive back; nothing counts as deleted meanwhile"
SILENT_FIX: Final = (
    "see whether its server runs, and whether this machine reaches it; nothing counts as deleted"
    " meanwhile, and it goes on by itself"
)
SETTLING_S: Final = 3600.0  # a file that takes longer is worth a look


class Kind(StrEnum):
    """The kind of a condition."""

    REBUILT = "journal rebuilt"  # the one before was damaged
    DAEMON = "not working"  # it hangs, or cannot use its journal
    UNSERVED = "not served"  # by any of the machines that share the journal
    HALTED = "halted"  # the service refused; nothing goes on without a person
    SIGN_IN = "sign-in"  # a person must sign in, or agree to runs
    HELD = "held"  # missing files, or another drive; a person approves
    OFFLINE = "offline"  # a drive does not answer; it mends itself
    MISSING = "missing"  # files that do not count as gone yet
    UNREADABLE = "unreadable"  # files or folders that the account cannot read
    FILE = "set aside"  # a file, or one that cannot be read
    RUN_FAILED = "run failed"
    PAUSED = "paused"  # by a person, who may have forgotten it
    WAITS = "waiting"  # an outage, a limit
    SLOW_RUN = "slow run"
    FOREIGN_RUN = "foreign run"
    UNSETTLED = "never settles"
    EMPTY = "nothing matches"
    UNLISTED = "not looked at yet"
    NOT_COMPARED = "not compared"  # what others did in the cloud is not known
    LATE = "noticed late"
    REFERENCE = "references"  # drawings name files that Storage will not have
    DIFFERED = "changed by others"  # in the cloud; it is put right by itself
    CLOCK = "clock"  # this machine's clock is wrong
    AUTHORIZATION = "authorization ends"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is not as it should be. `since_s`: wall clock [s], 0: not known."""

    kind: Kind
    level: Level  # BAD: a person must act; WAITS: it ends by itself
    about: str  # the connection, the source folder, or the file
    text: str
    fix: str
    since_s: float = 0.0
    connection: str = ""

    @property
    def key(self) -> str:
        """The same as long as the condition lasts."""
        return f"{self.kind.value}: {self.about}"


def conditions_of(report: Report, now_s: float) -> tuple[Condition, ...]:
    """Return what needs attention at `now_s` (wall clock [s]); what needs a person comes first."""
    found = [*_of_daemon(report), *_of_clock(report), *_of_journal(report), *_of_machines(report)]
    for connection in report.connections:
        found += _of_lane(connection)
        found += _of_comparison(connection)
        found += _of_differences(connection, now_s)
        found += _of_sources(connection)
        found += _of_runs(connection, report.runs)
    found += _of_files(report)
    found += _unsettled(report, now_s)
    return tuple(sorted(found, key=lambda each: each.level is not Level.BAD))


def _of_daemon(report: Report) -> Iterator[Condition]:
    if report.daemon.level is Level.BAD:
        fix = "see the log; restart the service if it does not go on"
        if report.daemon.state == KEPT_OUT:
            fix = "ask with the configuration of that one (--config), or stop it"
        if report.daemon.state == WITHOUT_JOURNAL:
            fix = "correct what the reason says; the daemon goes on by itself, without a restart"
        yield Condition(Kind.DAEMON, Level.BAD, "the daemon", str(report.daemon), fix)


def _of_clock(report: Report) -> Iterator[Condition]:
    process = report.process if report.running else None
    if process and (text := clock_text(process.ahead_of_platform_s)):
        yield Condition(Kind.CLOCK, Level.WAITS, "the clock", text, SET_CLOCK)


def _of_journal(report: Report) -> Iterator[Condition]:
    if report.damaged:
        newest = report.damaged[-1]
        text = f"was damaged and is kept as {newest.file}; a new one was made, without its history"
        fix = "check the disk and its cables; delete the copy once nobody needs its history"
        yield Condition(Kind.REBUILT, Level.WAITS, "the journal", text, fix, newest.at_s)


def _of_machines(report: Report) -> Iterator[Condition]:
    if report.unserved is None:
        return
    number = len(report.unserved.connections)
    names = some_of(report.unserved.connections[:UNSERVED_NAMED], number)
    text = f"no machine serves {count(number, 'connection')}: {names}"
    if report.unserved.moves:
        fix = "nothing to do: another machine takes over within 30 s, if one can"
    else:
        fix = (
            "start the daemon on a machine that can serve them; a source with the key machine is"
            " served by that one alone"
        )
    yield Condition(Kind.UNSERVED, report.unserved.level, "the machines", text, fix)


_OPEN_PAGE: Final = "open the page named above, or run: twinsyncd login"


def _of_lane(connection: ConnectionReport) -> Iterator[Condition]:
    line, lane, name = connection.line, connection.lane, connection.name
    days = connection.authorised_days
    if days is not None and days <= WARN_DAYS[0]:
        text = f"runs may act for you for about {count(days, 'day')} more"
        fix = "renew it: twinsyncd login"
        yield Condition(Kind.AUTHORIZATION, Level.WAITS, name, text, fix, 0.0, name)
    if connection.paused_since_s:
        text, fix = "a person has paused it; changes are noticed and kept", "twinsyncd resume"
        since_s = connection.paused_since_s
        yield Condition(Kind.PAUSED, Level.WAITS, name, text, f'{fix} "{name}"', since_s, name)
        return
    if lane is None or line.level not in (Level.BAD, Level.WAITS):
        return
    kind, fix = (
        Kind.WAITS,
        "it is tried again by itself; act if the reason says what to correct",
    )
    if lane.halt:
        kind, fix = Kind.HALTED, "correct what the service names, then: twinsyncd retry"
    elif lane.needs_person:
        names_a_page = "://" in lane.wait_reason
        kind, fix = Kind.SIGN_IN, _OPEN_PAGE if names_a_page else "run: twinsyncd login"
    elif lane.throttles:
        fix = "nothing to do: it goes on by itself when the service takes requests again"
    elif lane.usual_s is not None and lane.phase is Phase.BLOCKED:
        kind, fix = Kind.FOREIGN_RUN, "look at that run in the portal; ours starts when it ends"
    elif lane.usual_s is not None:
        kind, fix = Kind.SLOW_RUN, "look at the run in the portal; it goes on until it ends there"
    since_s = connection.trouble_since_s or (lane.since_s if lane.usual_s is not None else 0.0)
    yield Condition(kind, line.level, name, str(line), fix, since_s, name)


def _of_comparison(connection: ConnectionReport) -> Iterator[Condition]:
    """Yield that the cloud cannot be looked at, unless the lane's own trouble says so already."""
    compared = connection.compared
    if compared.state != CLOUD_UNKNOWN or compared.level is not Level.BAD:
        return
    if connection.paused_since_s or connection.line.level is Level.BAD:
        return
    fix = "correct what the service names, then: twinsyncd retry"
    name = connection.name
    yield Condition(Kind.NOT_COMPARED, Level.BAD, name, str(compared), fix, 0.0, name)


def _of_differences(connection: ConnectionReport, now_s: float) -> Iterator[Condition]:
    found, name = connection.differences, connection.name
    if connection.deliveries:
        return  # nothing is read back of a bulk API, so what differs are files of the drive
    if found and (text := differences_text(found, now_s)):
        yield Condition(Kind.DIFFERED, Level.WAITS, name, text, PUT_RIGHT, found.since_s, name)


def _of_sources(connection: ConnectionReport) -> Iterator[Condition]:
    name = connection.name
    for hold in connection.holds:
        yield _held(hold, name, dict(connection.folders).get(hold.source, ""))
    for blind in connection.blind:
        text = "; ".join((blind.text, *blind.names))
        fix = _fix_of(blind)
        yield Condition(Kind.UNREADABLE, Level.BAD, blind.source, text, fix, blind.since_s, name)
    for each in connection.missing:
        since_s = each.since_s
        yield Condition(Kind.MISSING, Level.WAITS, each.source, each.text, each.fix, since_s, name)
    for source in connection.unlisted:
        text = "not looked at since the daemon started, so changes are not known"
        fix = "nothing: its first scan is under way; a large share takes some minutes"
        yield Condition(Kind.UNLISTED, Level.WAITS, source, text, fix, 0.0, name)
    for source in connection.empty:
        text, fix = "no file matches", "check its folder, include, exclude and connector"
        gone = sum(each.gone for each in connection.counts if each.source == source)
        if gone:
            text = f"no file matches any more; {count(gone, 'file')} kept in the iModel"
            fix += ", or delete this source from the configuration if that is meant"
        fix += ": twinsyncd check"
        yield Condition(Kind.EMPTY, Level.WAITS, source, text, fix, 0.0, name)
    for key, found in connection.references:
        text, fix = open_references(found), advice(found)
        yield Condition(Kind.REFERENCE, Level.WAITS, key, text, fix, found.since_s, name)
    for late in connection.late:
        text = f"changes are noticed by scans alone: {late.reason}"
        fix = "nothing is lost; twinsyncd check says how to be quicker"
        yield Condition(Kind.LATE, Level.WAITS, late.source, text, fix, 0.0, name)


def _fix_of(blind: Blind) -> str:
    """Return what helps: the account's rights, unless every example says what else does."""
    readable = "let the account that twinsyncd runs as read"
    if blind.advised:
        return "do what is said there; it is noticed by itself"
    if blind.partly_advised:
        return f"do what is said there, and {readable} the others; it is noticed by itself"
    return f"{readable} them; it is noticed by itself"


def _held(hold: Hold, name: str, folder: str) -> Condition:
    if not hold.approvable:
        text, fix = hold.reason, AWAY_FIX
        if text.startswith((SILENT, PART_SILENT)):
            text, fix = f"{folder}: {text}", SILENT_FIX
        return Condition(Kind.OFFLINE, Level.WAITS, hold.source, text, fix, hold.since_s, name)
    missing = f"; missing: {', '.join(hold.examples)}" if hold.examples else ""
    fix = f'bring the files back, or, if it is meant: twinsyncd approve "{name}"'
    text = f"{hold.reason}{missing}"
    return Condition(Kind.HELD, Level.BAD, hold.source, text, fix, hold.since_s, name)


def _of_runs(connection: ConnectionReport, runs: Iterable[RunRecord]) -> Iterator[Condition]:
    """Yield a condition for the newest run, if it failed and no later one succeeded."""
    newest = next((run for run in runs if run.connection == connection.name), None)
    if newest is None or newest.outcome is not Outcome.FAILED:
        return
    text = newest.message or "the newest run failed, and the service gives no reason"
    fix = "correct what the service names and save the file, or: twinsyncd retry"
    yield Condition(
        Kind.RUN_FAILED, Level.BAD, connection.name, text, fix, newest.ended_s, connection.name
    )


def _of_files(report: Report) -> Iterator[Condition]:
    files = [each for each in report.open_files if each.needs_person]
    for each in files[:FILES_MAX]:
        yield _file(each)
    total = sum(counts.aside for each in report.connections for counts in each.counts)
    if total > FILES_MAX:
        text = f"{count(total, 'file')} set aside in all, of which {FILES_MAX} are listed"
        yield Condition(
            Kind.FILE, Level.BAD, "further files", text, "twinsyncd status --files 1000"
        )


def _file(each: OpenFile) -> Condition:
    about = f"{each.source}/{each.path}"
    fix = f'correct the file and save it, or try it again as it is: twinsyncd retry "{about}"'
    if each.state == UNREAD:
        fix = f'make it readable; that is noticed by itself, at once by: twinsyncd retry "{about}"'
    if TWIN in each.reason:
        fix = "rename one of the two on the drive; nothing else is needed"
    if REFUSED_NAME in each.reason:
        fix = "rename it on the drive; nothing else is needed"
    text = f"{each.state}: {each.reason}"
    if each.state == LEFT_OVER:
        fix = f'put it back on the drive, or: twinsyncd forget --delete "{about}"'
    return Condition(
        Kind.FILE, Level.BAD, about, text, fix, each.since_s, each.source.partition("/")[0]
    )


def _unsettled(report: Report, now_s: float) -> Iterator[Condition]:
    for each in report.unsettled_files:
        if now_s - each.since_s > SETTLING_S:
            fix = "close it where it is open, or see which program writes it"
            about = f"{each.source}/{each.path}"
            text = f"has not settled {each.text}"
            yield Condition(Kind.UNSETTLED, Level.WAITS, about, text, fix, each.since_s)
