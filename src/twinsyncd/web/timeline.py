"""The geometry of the timeline: when runs went and how they ended, how long changes took.

Drawn by a template as SVG. Time goes from left to right; how long a change took goes up, each
gridline being about ten times the one below.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from ..core.results import RunRecord
from ..journal.figures import Figures, percentile
from ..runtime.formatting import clock_time, count, duration

LANES_MAX: Final = 8  # connections with a row of their own; more would not fit a screen
PLOT_PX: Final = 120
ROW_PX: Final = 36  # the name above, the bars below
BAR_PX: Final = 14
LEFT_PX: Final = 52
RIGHT_PX: Final = 8
TOP_PX: Final = 12
BAR_LEAST_PX: Final = 3.0  # a short run must be seen
GRID_S: Final = ((1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"))
GRID_LONG_S: Final = ((36_000, "10 h"), (259_200, "3 d"))
TICKS_WIDE: Final = 6
TICKS_NARROW: Final = 3
NARROW_PX: Final = 500


@dataclass(frozen=True, slots=True)
class Mark:
    """A run, or how long the changes of a run took; `text` says it in words."""

    x: float
    y: float
    width: float
    outcome: str
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """A word beside a gridline or below the time axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """One drawing, in pixels."""

    width: int
    height: int
    rows: tuple[Label, ...]  # the connections, by the middle of their row
    bars: tuple[Mark, ...]
    dots: tuple[Mark, ...]
    grid: tuple[Label, ...]
    ticks: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """The same in words, for whoever cannot see the drawing."""

    ended: str
    connection: str
    outcome: str
    lasted: str
    files: int
    took: str


def timeline(
    figures: Figures, names: Sequence[str], *, since_s: float, now_s: float, width: int
) -> Timeline:
    """Return the drawing of what is between two moments (wall clock [s])."""
    shown = list(names)[:LANES_MAX]
    scale = _Scale(since_s, now_s, width - LEFT_PX - RIGHT_PX)
    took = took_by_run(figures)
    rows_top = TOP_PX + PLOT_PX + 14
    middle = {name: rows_top + ROW_PX * (index + 0.7) for index, name in enumerate(shown)}
    slowest = max((each.took_s for each in figures.latencies), default=60.0)
    grid = _grid(slowest)
    top_s = grid[-1][0]
    runs = [run for run in figures.runs if run.connection in middle]
    return Timeline(
        width=width,
        height=math.ceil(rows_top + ROW_PX * len(shown) + 22),
        rows=tuple(Label(y, name) for name, y in middle.items()),
        bars=tuple(_bar(run, scale, middle[run.connection]) for run in runs),
        dots=tuple(
            _dot(run, took[(run.connection, run.run)], scale, top_s)
            for run in runs
            if (run.connection, run.run) in took
        ),
        grid=tuple(Label(_height(seconds, top_s), text) for seconds, text in grid),
        ticks=tuple(_ticks(scale, TICKS_NARROW if width < NARROW_PX else TICKS_WIDE)),
    )


def took_by_run(figures: Figures) -> dict[tuple[str, str], float]:
    """Return how long the changes of each run took, the slowest of ten left out [s]."""
    ordered = sorted(figures.latencies, key=lambda each: (each.connection, each.run))
    groups = groupby(ordered, key=lambda each: (str(each.connection), str(each.run)))
    found = {key: percentile([each.took_s for each in group], 0.9) for key, group in groups}
    return {key: took_s for key, took_s in found.items() if took_s is not None}


def timeline_rows(figures: Figures, limit: int) -> tuple[TimelineRow, ...]:
    """Return the newest runs in words."""
    took = took_by_run(figures)
    return tuple(
        TimelineRow(
            clock_time(run.ended_s),
            run.connection,
            run.outcome.value,
            duration(run.ended_s - run.started_s),
            run.files,
            duration(took[key]) if (key := (run.connection, run.run)) in took else "",
        )
        for run in figures.runs[:limit]
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    since_s: float
    now_s: float
    span_px: float

    def __call__(self, at_s: float) -> float:
        share = (at_s - self.since_s) / max(self.now_s - self.since_s, 1.0)
        return round(LEFT_PX + min(max(share, 0.0), 1.0) * self.span_px, 1)


def _bar(run: RunRecord, scale: _Scale, middle: float) -> Mark:
    begin, end = scale(run.started_s), scale(run.ended_s)
    width = max(end - begin, BAR_LEAST_PX)
    return Mark(min(begin, end), middle - BAR_PX / 2, width, run.outcome.value, _words(run))


def _dot(run: RunRecord, took_s: float, scale: _Scale, top_s: float) -> Mark:
    text = f"{_words(run)}; saved to iModel in {duration(took_s)}"
    return Mark(scale(run.ended_s), _height(took_s, top_s), 0.0, run.outcome.value, text)


def _words(run: RunRecord) -> str:
    lasted = duration(run.ended_s - run.started_s)
    files = count(run.files, "file")
    return f"{run.connection}, {clock_time(run.ended_s)}: {run.outcome.value} in {lasted}, {files}"


def _grid(slowest_s: float) -> tuple[tuple[int, str], ...]:
    all_lines = (*GRID_S, *GRID_LONG_S)
    needed = next((n for n, (at_s, _) in enumerate(all_lines, 1) if at_s >= slowest_s), None)
    return all_lines[: max(needed or len(all_lines), 3)]


def _height(seconds: float, top_s: float) -> float:
    share = math.log(max(seconds, 1.0)) / math.log(top_s)
    return round(TOP_PX + (1.0 - min(share, 1.0)) * PLOT_PX, 1)


def _ticks(scale: _Scale, number: int) -> Iterable[Label]:
    step_s = (scale.now_s - scale.since_s) / number
    is_long = scale.now_s - scale.since_s > 2 * 86_400
    for index in range(number):
        at_s = scale.since_s + step_s * (index + 0.5)
        text = clock_time(at_s)
        yield Label(scale(at_s), text[5:10] if is_long else text[11:16])
