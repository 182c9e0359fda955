"""Figures from the journal: how long changes wait, how long runs take, how runs ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, func, select

from ..core.events import EventKind
from ..core.model import ConnectionKey, FileRow, RunKey, SourceKey
from ..core.results import Outcome, RunRecord
from ..core.waits import usual_s
from . import tables
from .database import open_read_only
from .location import JournalLocation
from .rows import to_file
from .run_lengths import read_run_lengths
from .views import Scope

EVENTS_MAX: Final = 50_000  # newest events looked at for latencies: bounds the time of one look
LATENCIES_MAX: Final = 2_000
RUNS_MAX: Final = 500
FOUND_MAX: Final = 50

_EVENTS = tables.events.c
_FILES = tables.files.c
_RUNS = tables.runs.c


@dataclass(frozen=True, slots=True)
class Latency:
    """How long one change took from its settling on the drive until a run had processed it [s]."""

    connection: ConnectionKey
    run: RunKey
    synced_s: float  # wall clock [s]
    took_s: float


@dataclass(frozen=True, slots=True)
class RunTotal:
    """How many runs of a connection ended so, with how many files in all."""

    connection: ConnectionKey
    outcome: Outcome
    runs: int
    files: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What is measured, at one moment; times are wall clock [s]."""

    oldest_s: dict[SourceKey, float]  # since when the oldest change waits that is not synced
    usual_s: dict[ConnectionKey, float]  # how long runs usually take [s]; 0: too few are known
    latencies: tuple[Latency, ...]  # newest first
    runs: tuple[RunRecord, ...]  # newest first
    totals: tuple[RunTotal, ...]  # since the daemon started


def read_figures(
    where: JournalLocation, scope: Scope, *, since_s: float, started_s: float
) -> Figures:
    """Return the figures of what is in `scope`, since a moment; totals since the daemon started.

    Raises JournalError.
    """
    engine = open_read_only(where)
    try:
        with engine.connect() as connection, connection.begin():
            ours = _RUNS.lane.in_(scope.lanes)
            return Figures(
                oldest_s=_oldest(connection, scope),
                usual_s={
                    name: usual_s(known) for name, known in read_run_lengths(connection).items()
                },
                latencies=_latencies(connection, scope, since_s),
                runs=_runs(connection, ours & (_RUNS.ended_s >= since_s)),
                totals=_totals(connection, ours & (_RUNS.ended_s >= started_s)),
            )
    finally:
        engine.dispose()


def find_files(where: JournalLocation, scope: Scope, text: str) -> list[FileRow]:
    """Return some files of these sources with `text` in their path. Raises JournalError."""
    inside = _FILES.source.in_(scope.sources) & _FILES.path.icontains(text, autoescape=True)
    query = select(tables.files).where(inside).order_by(_FILES.path).limit(FOUND_MAX)
    engine = open_read_only(where)
    try:
        with engine.connect() as connection:
            return [to_file(row) for row in connection.execute(query).mappings()]
    finally:
        engine.dispose()


def latencies(figures: Figures, connection: str) -> list[float]:
    """Return how long the changes of a connection took from saved to in the iModel [s]."""
    return [each.took_s for each in figures.latencies if each.connection == connection]


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value below which that share (0 to 1) of the values lies; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _oldest(connection: Connection, scope: Scope) -> dict[SourceKey, float]:
    is_aside = ((_FILES.aside != "") | (_FILES.unread != "")) & (_FILES.seen == _FILES.synced)
    since = case(
        (is_aside, _FILES.aside_since_s),  # what was seen before is synced
        (_FILES.seen_s > 0, _FILES.seen_s),
        else_=_FILES.aside_since_s,
    )
    waiting = _FILES.is_open & _FILES.source.in_(scope.sources) & (since > 0)
    query = select(_FILES.source, func.min(since)).where(waiting).group_by(_FILES.source)
    return {SourceKey(source): oldest for source, oldest in connection.execute(query)}


def _latencies(connection: Connection, scope: Scope, since_s: float) -> tuple[Latency, ...]:
    """Join each newly synced file with the moment at which just that content settled."""
    newest = connection.execute(select(func.max(_EVENTS.id))).scalar() or 0
    recent = (_EVENTS.id > newest - EVENTS_MAX) & (_EVENTS.at_s >= since_s)
    synced = (
        select(tables.events)
        .where(recent, _EVENTS.kind == EventKind.FILE_SYNCED.value)
        .where(_EVENTS.source.in_(scope.sources))
        .order_by(_EVENTS.id.desc())
        .limit(LATENCIES_MAX)
        .subquery()
    )
    seen = tables.events.alias("seen").c
    settled = (
        select(func.max(seen.at_s))
        .where(seen.source == synced.c.source, seen.path == synced.c.path)
        .where(seen.digest == synced.c.digest, seen.kind == EventKind.FILE_SEEN.value)
        .where(seen.id < synced.c.id)
        .scalar_subquery()
    )
    query = select(synced.c.connection, synced.c.run, synced.c.at_s, settled)
    return tuple(
        Latency(ConnectionKey(name), RunKey(run), at_s, max(at_s - settled_s, 0.0))
        for name, run, at_s, settled_s in connection.execute(query)
        if settled_s is not None
    )


def _runs(connection: Connection, wanted: ColumnElement[bool]) -> tuple[RunRecord, ...]:
    query = select(tables.runs).where(wanted).order_by(_RUNS.id.desc()).limit(RUNS_MAX)
    return tuple(_run(dict(row)) for row in connection.execute(query).mappings())


def _run(row: dict[str, Any]) -> RunRecord:
    del row["id"]
    return RunRecord(**{**row, "outcome": Outcome(row["outcome"])})


def _totals(connection: Connection, wanted: ColumnElement[bool]) -> tuple[RunTotal, ...]:
    count, files = func.count(), func.sum(_RUNS.files)
    query = select(_RUNS.connection, _RUNS.outcome, count, files).where(wanted)
    grouped = query.group_by(_RUNS.connection, _RUNS.outcome)
    return tuple(
        RunTotal(ConnectionKey(name), Outcome(outcome), runs, total)
        for name, outcome, runs, total in connection.execute(grouped)
    )
