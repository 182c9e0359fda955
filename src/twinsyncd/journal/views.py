"""Read-only views of the journal, for people: status, page, progress. Any process may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    case,
    func,
    inspect,
    select,
    true,
)

from ..core.authorization import days_left
from ..core.deliveries import LastDelivery
from ..core.model import (
    BlindSpot,
    ConnectionKey,
    FileRow,
    HeldSource,
    LaneKey,
    LaneRow,
    SourceKey,
)
from ..core.results import Outcome, RunRecord
from ..errors import JournalError
from . import tables
from .bulk_deliveries import read_deliveries
from .counts import Counts, read_counts, total_counts
from .daemon_rows import DaemonRow, MachineRow, read_daemon, read_machines
from .damage import SetAside, set_aside_ones
from .database import check_version, open_read_only
from .differences import Differences, read_differences
from .drawing_references import OpenReferences, read_open
from .failed_comparisons import FailedComparison, read_failed_comparisons
from .lane_trouble import trouble_since_s
from .late_stores import LateStore, read_late_stores
from .leases import clock_ahead_s
from .location import JournalLocation, Server
from .missed_files import MissedFiles, read_missed
from .outlets import Outlet, read_outlets
from .root_waits import RootWait, read_root_waits
from .rows import to_file, to_lane

__all__ = [
    "BlindSource",
    "Counts",
    "DaemonRow",
    "MachineRow",
    "Scope",
    "Status",
    "Views",
    "total_counts",
]

_FILES = tables.files.c


@dataclass(frozen=True, slots=True)
class BlindSource:
    """What of a source could not be read, since when (wall clock [s]), and some examples."""

    count: int
    since_s: float
    examples: tuple[BlindSpot, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Everything a person needs to see, at one moment."""

    clock_ahead_s: float  # of this machine, before that of a journal's server
    daemon: DaemonRow | None  # of several machines: what holds of all of them together
    machines: tuple[MachineRow, ...]  # those that share the journal; a file is shared by none
    counts: tuple[Counts, ...]
    lanes: tuple[LaneRow, ...]
    lane_trouble_s: dict[LaneKey, float]  # since when one cannot go on (wall clock [s])
    compared_s: dict[ConnectionKey, float]  # when each was compared with the cloud; 0: never
    made: frozenset[ConnectionKey]  # those that are in the cloud, as far as is remembered
    authorised_s: dict[ConnectionKey, float]  # since when runs may act for the user; 0: a service
    paused_s: dict[ConnectionKey, float]  # since when a person has paused it; 0: it is not
    published_s: dict[ConnectionKey, float]  # when each was published outside its window; 0: not
    root_waits: dict[ConnectionKey, RootWait]  # only of those that wait
    late_stores: dict[ConnectionKey, LateStore]  # likewise
    failed_comparisons: dict[ConnectionKey, FailedComparison]  # only of those that failed
    offline: dict[SourceKey, str]  # source -> reason
    offline_since_s: dict[SourceKey, float]  # by source: since when, wall clock [s]
    needs_person: dict[
        SourceKey, HeldSource
    ]  # by source: what of the offline ones `approve` is about
    examples: dict[
        SourceKey, tuple[str, ...]
    ]  # by source: some of the files that are missing there
    blind: dict[SourceKey, BlindSource]  # by source: what could not be read
    missed: dict[SourceKey, MissedFiles]  # by source: what does not count as gone yet
    watch_trouble: dict[SourceKey, str]  # by source: why changes are not noticed at once
    runs: tuple[RunRecord, ...]  # newest first
    open_files: tuple[FileRow, ...]  # the first of those that are not synced
    open_total: int
    outlets: tuple[Outlet, ...]  # the page and each notification target
    deliveries: tuple[LastDelivery, ...]  # of the export files of bulk connections
    damaged: tuple[SetAside, ...]  # journals that were set aside, the newest last
    references: dict[SourceKey, OpenReferences]  # what drawings name and Storage will not have
    differences: dict[ConnectionKey, Differences]  # what comparisons found different in the cloud

    def authorised_days(self, connection: ConnectionKey, now_s: float) -> int | None:
        """Return for how many days its runs may act for the user; None: for a service."""
        return days_left(self.authorised_s.get(connection, 0.0), now_s)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is configured now; the journal remembers more, in case it is configured again."""

    sources: frozenset[SourceKey]
    lanes: frozenset[LaneKey]
    homes: Mapping[LaneKey, ConnectionKey] = field(default_factory=dict)  # the first of each lane


class Views:
    """Reads one journal; keep it for repeated looks."""

    def __init__(self, where: JournalLocation, scope: Scope | None = None) -> None:
        """Show all, or only what is in `scope`.

        Raises JournalError when there is no journal yet, or none that can be read.
        """
        self._scope = scope
        self._where = where
        self._engine: Engine = open_read_only(where)
        try:
            is_there = isinstance(where, Server) or where.exists()
            begun = is_there and inspect(self._engine).has_table(tables.daemons.name)
            if begun:
                check_version(self._engine, where)
        except OSError as exc:
            raise JournalError(
                f"{where} cannot be read: {exc.strerror}",
                hint="ask as the account that the daemon runs as",
            ) from exc
        if not begun:
            raise JournalError(
                f"there is no journal at {where} yet, since nothing was synced",
                hint="sync once: twinsyncd sync; or start the daemon: twinsyncd run",
            )

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def status(self, *, runs: int = 5, open_files: int = 20) -> Status:
        """Return everything people may see, from one snapshot of the journal."""
        with self._engine.connect() as connection, connection.begin():
            files, known = self._of_sources(_FILES.source), self._of_sources(tables.sources.c.key)
            watched = select(tables.lanes).where(self._of_lanes(tables.lanes.c.key))
            homes = self._scope.homes if self._scope else {}
            lanes = tuple(to_lane(row) for row in connection.execute(watched).mappings())
            sources = connection.execute(select(tables.sources).where(known)).mappings().all()
            held = [row for row in sources if row["offline"] or row["silent"]]
            remotes = connection.execute(select(tables.connections)).mappings().all()
            ours = select(tables.runs).where(self._of_lanes(tables.runs.c.lane))
            newest = ours.order_by(tables.runs.c.id.desc()).limit(runs)
            left = select(tables.files).where(_FILES.is_open, files)
            people_first = case((_FILES.aside + _FILES.unread != "", 0), else_=1)
            ordered = left.order_by(people_first, _FILES.source, _FILES.path)
            rows = connection.execute(ordered.limit(open_files))
            ahead_s = clock_ahead_s(connection)
            return Status(
                clock_ahead_s=ahead_s,
                daemon=read_daemon(connection, ahead_s),
                machines=read_machines(connection),
                counts=read_counts(connection, self._scope.sources if self._scope else None),
                lanes=lanes,
                lane_trouble_s=trouble_since_s(connection, lanes, homes),
                compared_s={ConnectionKey(row["key"]): row["compared_s"] for row in remotes},
                made=frozenset(ConnectionKey(row["key"]) for row in remotes if row["remote_id"]),
                authorised_s={ConnectionKey(row["key"]): row["authorised_s"] for row in remotes},
                paused_s={ConnectionKey(row["key"]): row["paused_s"] for row in remotes},
                published_s={ConnectionKey(row["key"]): row["published_s"] for row in remotes},
                root_waits=read_root_waits(remotes),
                late_stores=read_late_stores(remotes),
                failed_comparisons=read_failed_comparisons(remotes),
                offline={row["key"]: row["offline"] or row["silent"] for row in held},
                offline_since_s={
                    row["key"]: row["offline_since_s"] or row["silent_since_s"] for row in held
                },
                needs_person={
                    row["key"]: HeldSource(
                        row["key"], row["drive"], row["missing_count"], row["missing_mark"]
                    )
                    for row in sources
                    if row["needs_person"]
                },
                examples={row["key"]: tuple(row["examples"]) for row in sources if row["examples"]},
                missed=read_missed(connection, sources),
                watch_trouble={r["key"]: r["watch_trouble"] for r in sources if r["watch_trouble"]},
                blind={row["key"]: _blind(row) for row in sources if row["blind_count"]},
                runs=tuple(_run(dict(row)) for row in connection.execute(newest).mappings()),
                open_files=tuple(to_file(row) for row in rows.mappings()),
                open_total=_count(connection, _FILES.is_open & files),
                outlets=read_outlets(connection),
                deliveries=self._deliveries(connection),
                references=read_open(connection),
                differences=read_differences(connection),
                damaged=set_aside_ones(self._where),
            )

    def scanned_before(self) -> frozenset[SourceKey]:
        """Return the keys of the sources of which a scan once succeeded."""
        scanned = select(tables.sources.c.key).where(tables.sources.c.identity != "")
        with self._engine.connect() as connection:
            return frozenset(connection.execute(scanned).scalars())

    def _deliveries(self, connection: Connection) -> tuple[LastDelivery, ...]:
        found, scope = read_deliveries(connection), self._scope
        return tuple(each for each in found if scope is None or each.key.source in scope.sources)

    def _of_sources(self, column: Column[Any]) -> ColumnElement[bool]:
        return true() if self._scope is None else column.in_(self._scope.sources)

    def _of_lanes(self, column: Column[Any]) -> ColumnElement[bool]:
        return true() if self._scope is None else column.in_(self._scope.lanes)


def _blind(row: RowMapping) -> BlindSource:
    spots = tuple(BlindSpot(**spot) for spot in row["blind"])
    return BlindSource(row["blind_count"], row["blind_since_s"], spots)


def _count(connection: Connection, files: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(tables.files).where(files)) or 0


def _run(row: dict[str, Any]) -> RunRecord:
    del row["id"]
    return RunRecord(**{**row, "outcome": Outcome(row["outcome"])})
