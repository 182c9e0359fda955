"""Everything that people read about the state, made in one place for status, page, JSON and mail.

A report joins the journal's rows with the configured connections and says everything in words;
whoever shows it only chooses colours and layout.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..config import Config, Connection
from ..core.deliveries import LastDelivery
from ..core.model import (
    ConnectionKey,
    LaneKey,
    LaneRow,
    SourceKey,
)
from ..core.results import RunRecord
from ..journal.damage import SetAside
from ..journal.differences import Differences
from ..journal.drawing_references import OpenReferences
from ..journal.root_waits import RootWait
from ..journal.views import Counts, DaemonRow, Status
from .machine_lines import MachineReport, Unserved, machine_reports, unserved_by
from .missing_files import MissingFiles, missing_of
from .open_files import (
    OpenFile,
    Unsettled,
    as_last_listed,
    in_one_state,
    open_file,
    unsettled_of,
)
from .report_lines import (
    Level,
    Line,
    compared_line,
    connection_line,
    daemon_line,
    late_line,
    outlet_line,
    rival_line,
    root_line,
    unseen_since_s,
    window_line,
)
from .source_reports import Blind, Hold, blind_of, holds_of
from .trouble import Trouble


@dataclass(frozen=True, slots=True)
class Late:
    """A source folder in which changes are noticed by scans alone, and why."""

    source: SourceKey
    reason: str


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """One configured connection."""

    name: str
    line: Line
    compared: Line  # when the cloud was last compared with what is remembered
    counts: tuple[Counts, ...]
    holds: tuple[Hold, ...]
    blind: tuple[Blind, ...]
    missing: tuple[MissingFiles, ...]  # sources of which the last list lacked files
    empty: tuple[SourceKey, ...]  # sources in which no file matches
    unlisted: tuple[SourceKey, ...]  # sources that the daemon has not scanned since it started
    late: tuple[Late, ...]
    authorised_days: int | None  # for which its runs may act for the user; None: for a service
    trouble_since_s: float  # since when its runs cannot go on, wall clock [s]; 0: they can
    paused_since_s: float  # since when a person has paused it, wall clock [s]; 0: it is not
    lane: LaneRow | None  # how the iModel's runs stand, which connections of one iModel share
    folders: tuple[tuple[SourceKey, str], ...]  # each source and its folder on the drive
    opens_s: float = 0.0  # from when on its runs may begin, wall clock [s]; 0: now
    unsettled: int = 0  # files that have not settled, among those that are named
    deliveries: tuple[LastDelivery, ...] = ()  # of a bulk connection, by file
    root_wait: RootWait | None = None  # the spatial root that goes in before its files
    references: tuple[tuple[SourceKey, OpenReferences], ...] = ()  # named, and not in Storage
    unserved: Level | None = None  # how much it matters that no machine serves it; None: one does
    differences: Differences | None = None  # what the last comparisons found in the cloud


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a person sees, at one moment."""

    in_sync: bool  # everything that can match was read and is proven
    unseen_since_s: float  # wall clock [s] since when nobody looks at the drive; 0: somebody does
    unsettled: int  # files that had not settled at the last heartbeat
    unsettled_files: tuple[Unsettled, ...]  # some of them, the longest waiting first
    daemon: Line
    running: bool  # a daemon keeps the journal now
    process: DaemonRow | None  # the last one, and its last heartbeat; None: none was ever started
    connections: tuple[ConnectionReport, ...]
    open_files: tuple[OpenFile, ...]
    open_total: int
    runs: tuple[RunRecord, ...]
    outlets: tuple[tuple[str, Line], ...]  # the page and each notification target, by name
    damaged: tuple[SetAside, ...] = ()  # damaged journals that were set aside, the newest last
    machines: tuple[MachineReport, ...] = ()  # those that share the journal, if several can
    unserved: Unserved | None = None  # connections that none of them serves

    def lane_of(self, source: SourceKey) -> LaneRow | None:
        """Return how the runs of a source's iModel stand; None: not known."""
        found = (each for each in self.connections if source in dict(each.folders))
        return next((each.lane for each in found), None)


def make_report(
    config: Config,
    status: Status,
    *,
    running: bool,
    now_s: float,
    trouble: Trouble | None = None,
    just_synced: bool = False,
    rival: str = "",
) -> Report:
    """Return the report at `now_s`, wall clock [s]; `running`: a daemon holds the journal.

    `trouble`: why that daemon cannot use its journal. `just_synced`: a sync that has just ended
    looked at everything, so it does not matter whether a daemon does. `rival`: a connection that
    another program of this machine serves with another journal, which keeps this one out.
    """
    trouble = trouble if running else None
    daemon = daemon_line(status.daemon, running=running, now_s=now_s, trouble=trouble)
    daemon = rival_line(rival) if rival and not running else daemon
    lanes = {lane.key: lane for lane in status.lanes}
    counted = {each.source: each for each in status.counts}
    names: dict[LaneKey, list[str]] = {}
    for each in config.connection:
        names.setdefault(each.lane, []).append(each.name)
    unserved = None if just_synced or not running else unserved_by(status.machines, names)
    connections = tuple(
        _connection(each, status, counted, lanes.get(each.lane), now_s=now_s, running=running)
        for each in config.connection
    )
    if unserved is not None:
        connections = tuple(
            replace(each, unserved=unserved.level) if each.name in unserved.connections else each
            for each in connections
        )
    unsettled = unsettled_of(status.daemon, now_s, running=running)
    lane_of = _lanes_by_source(config, lanes)
    shown = tuple(open_file(row, lane_of.get(row.key.source), now_s) for row in status.open_files)
    missing = {found.source: found.paths for each in connections for found in each.missing}
    again, open_files = in_one_state(unsettled, as_last_listed(shown, missing))
    return Report(
        in_sync=is_synced(status)
        and (just_synced or daemon.level is Level.GOOD)
        and unserved is None
        and not any(each.empty or each.unlisted for each in connections)
        and all(_is_compared(status, each.key) for each in config.connection),
        unseen_since_s=0.0 if just_synced else unseen_since_s(status.daemon, daemon, trouble),
        unsettled=len(unsettled) + _unnamed(status.daemon) - len(again),
        unsettled_files=tuple(each for each in unsettled if each not in again),
        daemon=daemon,
        running=running,
        process=status.daemon,
        connections=connections,
        open_files=open_files,
        open_total=status.open_total,
        runs=status.runs,
        outlets=tuple((each.name, outlet_line(each)) for each in status.outlets) if running else (),
        damaged=status.damaged,
        machines=machine_reports(status.machines, names),
        unserved=unserved,
    )


def _lanes_by_source(config: Config, lanes: Mapping[LaneKey, LaneRow]) -> dict[SourceKey, LaneRow]:
    return {
        connection.key_of(source): lanes[connection.lane]
        for connection in config.connection
        for source in connection.source
        if connection.lane in lanes
    }


def _is_compared(status: Status, connection: ConnectionKey) -> bool:
    return bool(status.compared_s.get(connection)) and connection not in status.failed_comparisons


def is_synced(status: Status) -> bool:
    """Return whether every known file is synced and nothing prevents us from knowing."""
    halted = any(lane.halt or lane.needs_person for lane in status.lanes)
    unsettled = status.daemon is not None and status.daemon.unsettled
    unread = status.offline or status.blind or status.missed
    return not (status.open_total or unread or halted or unsettled)


def _unnamed(daemon: DaemonRow | None) -> int:
    """Return how many more files are being written than those that are named."""
    return max(daemon.unsettled - len(daemon.unsettled_files), 0) if daemon else 0


def _being_written(daemon: DaemonRow | None) -> set[SourceKey]:
    return {each.source for each in daemon.unsettled_files} if daemon else set()


def _unsettled_among(keys: set[SourceKey], daemon: DaemonRow | None) -> int:
    return sum(each.source in keys for each in daemon.unsettled_files) if daemon else 0


def _connection(
    connection: Connection,
    status: Status,
    counted: Mapping[SourceKey, Counts],
    lane: LaneRow | None,
    *,
    now_s: float,
    running: bool,
) -> ConnectionReport:
    keys = {connection.key_of(source) for source in connection.source}
    counts = tuple(counted[key] for key in sorted(keys & counted.keys()))
    matching = {each.source for each in counts if each.known or each.aside}
    matched = matching | _being_written(status.daemon)
    unlisted, late = _unlisted(connection, status, running), status.watch_trouble.keys()
    opens_s = connection.window.opens_s(now_s)
    opens_s = 0.0 if opens_s <= now_s or status.published_s.get(connection.key) else opens_s
    paused_s = status.paused_s.get(connection.key, 0.0)
    line = connection_line(lane, paused_s, connection.name, now_s, running=running)
    root_wait = status.root_waits.get(connection.key)
    line = late_line(line, lane, status.late_stores.get(connection.key), now_s)
    rooted = root_line(line, lane, root_wait, connection.name)
    to_run = sum(each.to_run for each in counts)
    return ConnectionReport(
        connection.name,
        window_line(rooted, lane, opens_s, connection.name, to_run),
        compared_line(
            status.compared_s.get(connection.key, 0.0),
            status.failed_comparisons.get(connection.key),
            now_s,
            is_new=_is_new(connection, status, counts),
        ),
        counts,
        holds_of(keys, status, connection.on_delete),
        blind_of(keys, status),
        missing_of(keys, status, connection.on_delete, running=running),
        tuple(sorted(keys - matched - status.offline.keys() - status.blind.keys() - set(unlisted))),
        unlisted,
        tuple(Late(key, status.watch_trouble[key]) for key in sorted(keys & late)),
        status.authorised_days(connection.key, now_s),
        status.lane_trouble_s.get(connection.lane, 0.0),
        status.paused_s.get(connection.key, 0.0),
        lane,
        tuple((connection.key_of(source), str(source.folder)) for source in connection.source),
        opens_s,
        _unsettled_among(keys, status.daemon),
        tuple(_delivery(each, status) for each in status.deliveries if each.key.source in keys),
        root_wait,
        references=tuple(
            (key, status.references[key]) for key in sorted(keys & status.references.keys())
        ),
        differences=status.differences.get(connection.key),
    )


def _is_new(connection: Connection, status: Status, counts: Iterable[Counts]) -> bool:
    """Return whether nothing of the connection was ever made or stored in the cloud."""
    stored = sum(each.synced + each.to_run + each.gone for each in counts)
    return not (connection.connection_id or connection.key in status.made or stored)


def _unlisted(connection: Connection, status: Status, running: bool) -> tuple[SourceKey, ...]:
    """Return the sources that the running daemon has not scanned; none runs: `unseen` says so."""
    if not running or status.daemon is None:
        return ()
    known = status.daemon.unlisted
    keys = map(connection.key_of, connection.source)
    return tuple(key for key in keys if known is None or key in known)


def _delivery(delivery: LastDelivery, status: Status) -> LastDelivery:
    """Return a delivery with whether its file is missed now."""
    missed = status.missed.get(delivery.key.source)
    is_missed = missed is not None and delivery.key.path in missed.paths
    return delivery._replace(is_missed=is_missed)
