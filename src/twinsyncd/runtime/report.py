"""Everything that people read about the state, made in one place for status, page, JSON and mail.

A report joins the journal's rows with the configured connections and says everything in words;
whoever shows it only chooses colours and layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ..config import Config, Connection
from ..core.model import ABSENT, FileRow, LaneRow, Need, Phase, SourceKey, need
from ..core.results import RunRecord
from ..journal.views import Counts, DaemonRow, Status
from .formatting import clock_time, count, duration

SILENT_S: Final = 15.0  # a daemon writes its heartbeat every 5 s

PHASES: Final = {
    Phase.QUIET: "no run active",
    Phase.PREPARING: "preparing the connection",
    Phase.STARTING: "asking for a run",
    Phase.RUNNING: "a run of ours is active",
    Phase.BLOCKED: "waiting for somebody else's run",
}
"""What a lane does, by its phase."""

_FRUITLESS: Final = "earlier starts brought no run of ours"


class Level(StrEnum):
    """How much a line matters to a person."""

    GOOD = "good"
    PLAIN = "plain"
    WAITS = "waits"  # it ends by itself
    BAD = "bad"  # a person must act


@dataclass(frozen=True, slots=True)
class Line:
    """A short state, how much it matters, and what there is to say about it."""

    level: Level
    state: str
    detail: str = ""

    def __str__(self) -> str:
        """Return the line as plain text."""
        return f"{self.state}{self.detail}"


@dataclass(frozen=True, slots=True)
class Hold:
    """A source folder on hold; `approvable`: `twinsyncd approve` ends it."""

    source: SourceKey
    reason: str
    approvable: bool


@dataclass(frozen=True, slots=True)
class Blind:
    """What of a source folder could not be read; `names` are some examples with reasons."""

    source: SourceKey
    text: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenFile:
    """One file that is not synced, and what it waits for."""

    source: SourceKey
    path: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Late:
    """A source folder in which changes are noticed by scans alone, and why."""

    source: SourceKey
    reason: str


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A file that is still being written, since when, and what it waits for."""

    source: SourceKey
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """One configured connection."""

    name: str
    line: Line
    compared: Line  # when the cloud was last compared with what is remembered
    counts: tuple[Counts, ...]
    holds: tuple[Hold, ...]
    blind: tuple[Blind, ...]
    empty: tuple[SourceKey, ...]  # sources in which no file ever matched
    late: tuple[Late, ...]
    authorised_days: int | None  # for which its runs may act for the user; None: for a service


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a person sees, at one moment."""

    in_sync: bool  # everything that can match was read and is proven
    unsettled: int  # files that were still being written at the last heartbeat
    unsettled_files: tuple[Unsettled, ...]  # some of them, the longest waiting first
    daemon: Line
    connections: tuple[ConnectionReport, ...]
    open_files: tuple[OpenFile, ...]
    open_total: int
    runs: tuple[RunRecord, ...]


def make_report(config: Config, status: Status, *, running: bool, now_s: float) -> Report:
    """Return the report at `now_s`, wall clock [s]; `running`: a daemon holds the journal."""
    lanes = {lane.key: lane for lane in status.lanes}
    connections = tuple(
        _connection(each, status, lanes.get(each.lane), now_s) for each in config.connection
    )
    return Report(
        in_sync=is_synced(status)
        and not any(each.empty for each in connections)
        and all(status.compared_s.get(each.key) for each in config.connection),
        unsettled=status.daemon.unsettled if status.daemon else 0,
        unsettled_files=_unsettled(status.daemon, now_s),
        daemon=daemon_line(status.daemon, running=running, now_s=now_s),
        connections=connections,
        open_files=tuple(map(open_file, status.open_files)),
        open_total=status.open_total,
        runs=status.runs,
    )


def is_synced(status: Status) -> bool:
    """Return whether every known file is synced and nothing prevents us from knowing."""
    halted = any(lane.halt or lane.needs_person for lane in status.lanes)
    unsettled = status.daemon is not None and status.daemon.unsettled
    return not (status.open_total or status.offline or status.blind or halted or unsettled)


def open_file(row: FileRow) -> OpenFile:
    """Return a file that is not synced with its state in words, and the reason."""
    return OpenFile(row.key.source, row.key.path, *_open_state(row))


def _open_state(row: FileRow) -> tuple[str, str]:
    if row.unread:
        return "cannot be read", row.unread
    if row.aside:
        return "set aside", row.aside
    if row.covered:
        return "in the active run", ""
    if row.seen != row.stored:
        return "to be uploaded", ""
    return "uploaded, waits for a run", ""


def explain_file(row: FileRow | None, *, ignored: bool) -> tuple[str, bool]:
    """Return any file's state in a sentence, and whether nothing is left to do for it.

    `row` is None for a file that the journal does not know; `ignored`: no pattern takes it.
    """
    if row is None:
        return ("not taken" if ignored else "never seen by a scan; it has not settled yet"), ignored
    if row.unread or row.aside:
        return f"set aside: {row.unread or row.aside}; try it again: twinsyncd retry", False
    if row.seen == ABSENT:
        return "not on the drive any more, or not taken; it stays in the iModel", True
    match need(row):
        case Need.STORE:
            return "waits for its upload", False
        case Need.RUN if row.covered:
            return "uploaded; the active run processes it", False
        case Need.RUN:
            return "uploaded; waits for the next run", False
        case _:
            return "synced: drive, Storage and iModel have the same content", True


def daemon_line(daemon: DaemonRow | None, *, running: bool, now_s: float) -> Line:
    """Return whether the daemon runs, and how it is."""
    if daemon is None:
        return Line(Level.PLAIN, "never started")
    if not running:
        return Line(Level.WAITS, "not running", f", last alive {clock_time(daemon.beat_s)}")
    silent_s = now_s - daemon.beat_s
    if silent_s > SILENT_S:
        detail = f": process {daemon.pid} has written no heartbeat for {duration(silent_s)}"
        return Line(Level.BAD, "hangs", detail)
    unsettled = f", {count(daemon.unsettled, 'file')} still settling" if daemon.unsettled else ""
    work = "idle" if daemon.is_idle else f"working{unsettled}"
    since = clock_time(daemon.started_s)
    return Line(Level.GOOD, "running", f" since {since}, process {daemon.pid}, {work}")


def lane_line(lane: LaneRow | None, now_s: float) -> Line:
    """Return what a lane does or waits for."""
    if lane is None:
        return Line(Level.PLAIN, "no run yet")
    if lane.halt:
        again_s = max(lane.not_before_s - now_s, 0.0)
        again = f"; tried again in {duration(again_s)}, or at once by `twinsyncd retry`"
        return Line(Level.BAD, "halted", f": {lane.halt}{again}")
    if lane.needs_person:
        return Line(Level.BAD, "waits for a person", f": {lane.wait_reason}")
    wait_s = lane.not_before_s - now_s
    if wait_s > 0 and (lane.wait_reason or lane.fruitless):
        reason = lane.wait_reason or _FRUITLESS
        return Line(Level.WAITS, "waits", f": {reason}; next try in {duration(wait_s)}")
    if lane.usual_s is None:
        active = lane.phase in (Phase.RUNNING, Phase.BLOCKED)
        since = f" since {clock_time(lane.since_s)}" if active else ""
        return Line(Level.PLAIN, PHASES[lane.phase], since)
    return _slow_line(lane, lane.usual_s, now_s)


def compared_line(compared_s: float, now_s: float) -> Line:
    """Return when the cloud was last looked at."""
    if not compared_s:
        detail = ": what others did there is not known; it is done at the next start or sync"
        return Line(Level.WAITS, "not compared with the cloud yet", detail)
    ago = duration(max(now_s - compared_s, 0.0))
    return Line(Level.PLAIN, "compared with the cloud", f" {ago} ago")


def _unsettled(daemon: DaemonRow | None, now_s: float) -> tuple[Unsettled, ...]:
    if daemon is None:
        return ()
    return tuple(
        Unsettled(
            each.source, each.path, f"since {duration(max(now_s - each.since_s, 0))}, {each.awaits}"
        )
        for each in daemon.unsettled_files
    )


def _slow_line(lane: LaneRow, usual_s: float, now_s: float) -> Line:
    """Say how long the run goes on, what is usual, and where to look; nothing is cancelled."""
    lasts = duration(now_s - lane.since_s)
    where = f"; see run {lane.run} in the iTwin's Synchronization portal"
    if lane.phase is Phase.BLOCKED:
        usual = f"; ours usually take {duration(usual_s)}" if usual_s else ""
        return Line(
            Level.WAITS, "somebody else's run keeps ours waiting", f": {lasts}{usual}{where}"
        )
    usual = f", usually {duration(usual_s)}" if usual_s else ""
    return Line(Level.WAITS, "run takes longer than usual", f": {lasts}{usual}{where}")


def _connection(
    connection: Connection, status: Status, lane: LaneRow | None, now_s: float
) -> ConnectionReport:
    keys = {connection.key_of(source) for source in connection.source}
    counts = tuple(each for each in status.counts if each.source in keys)
    matched = {each.source for each in counts}
    return ConnectionReport(
        connection.name,
        lane_line(lane, now_s),
        compared_line(status.compared_s.get(connection.key, 0.0), now_s),
        counts,
        _holds(keys, status),
        _blind(keys, status),
        tuple(sorted(keys - matched - set(status.offline) - set(status.blind))),
        tuple(
            Late(key, status.watch_trouble[key]) for key in sorted(keys & set(status.watch_trouble))
        ),
        status.authorised_days(connection.key, now_s),
    )


def _blind(keys: set[SourceKey], status: Status) -> tuple[Blind, ...]:
    return tuple(
        Blind(
            key,
            f"{count(found.count, 'path')} cannot be read since {clock_time(found.since_s)}",
            tuple(f"{spot.path}: {spot.reason}" for spot in found.examples),
        )
        for key, found in sorted(status.blind.items())
        if key in keys
    )


def _holds(keys: set[SourceKey], status: Status) -> tuple[Hold, ...]:
    held = sorted(keys & set(status.offline))
    return tuple(Hold(key, status.offline[key], key in status.needs_person) for key in held)
