"""/metrics for Prometheus: ages and latencies first, since they say whether people wait.

Everything comes from the journal at the moment of the question, so nothing is counted twice or
lost by a restart; counters begin with the daemon.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from .. import __version__
from ..core.model import Phase
from ..journal.figures import Figures, latencies, percentile
from ..journal.views import total_counts
from ..runtime.bulk_records import records_of
from ..runtime.conditions import Kind, conditions_of
from ..runtime.report import ConnectionReport, Report
from ..runtime.report_lines import Level
from ..runtime.status_document import oldest_s
from .page_data import PageData

WINDOW_S: Final = 86_400.0  # of latencies: a day has enough saves, and still shows a bad morning
SHARES: Final = (0.5, 0.95)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class JournalCollector(Collector):
    """Reads the journal whenever Prometheus asks."""

    def __init__(self, data: PageData) -> None:
        """Read nothing yet."""
        self._data = data

    def collect(self) -> Iterator[Metric]:
        """Yield every metric. Raises JournalError."""
        now_s = self._data.now_s()
        report, figures = self._data.report(), self._data.figures(now_s - WINDOW_S)
        yield _gauge("info", "The version of twinsyncd.", {(("version", __version__),): 1.0})
        in_sync = {(): float(report.in_sync)}
        yield _gauge("in_sync", "1: everything that can match was read and is proven.", in_sync)
        yield from _conditions(report, now_s)
        yield from _connections(report.connections, figures, now_s)
        yield from _records(report.connections)
        yield from _runs(figures)
        yield _gauge(
            "outlet_up",
            "1: the page is served, or the notification target takes messages.",
            {(("outlet", name),): float(line.level is Level.GOOD) for name, line in report.outlets},
        )


def metrics_of(data: PageData) -> Iterable[bytes]:
    """Return the text that Prometheus reads. Raises JournalError."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Described(JournalCollector(data)))
    ProcessCollector(namespace="twinsyncd", registry=registry)
    return (generate_latest(registry),)


class _Described(Collector):
    """A collector that is not asked at its registration, when there may be no journal yet."""

    def __init__(self, inner: Collector) -> None:
        self._inner = inner

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        return self._inner.collect()


Labels = tuple[tuple[str, str], ...]


def _gauge(name: str, text: str, values: Mapping[Any, float]) -> Metric:
    """Return a metric; the keys of `values` are Labels."""
    labels = [label for label, _ in next(iter(values), ())]
    family = GaugeMetricFamily(f"twinsyncd_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric([label for _, label in key], value)
    return family


def _conditions(report: Report, now_s: float) -> Iterator[Metric]:
    found = conditions_of(report, now_s)
    alive = not any(each.kind is Kind.DAEMON for each in found)
    yield _gauge("up", "1: the daemon's heartbeat is young and its journal usable.", {(): alive})
    numbers = {
        (("kind", kind.value),): float(sum(each.kind is kind for each in found)) for kind in Kind
    }
    yield _gauge("conditions", "What is not as it should be, by kind.", numbers)
    people = float(sum(each.level is Level.BAD for each in found))
    yield _gauge("needs_person", "How many things need a person.", {(): people})
    unsettled = {(): float(report.unsettled)}
    yield _gauge("files_unsettled", "Files that have not settled yet.", unsettled)


def _connections(
    connections: tuple[ConnectionReport, ...], figures: Figures, now_s: float
) -> Iterator[Metric]:
    ages: dict[Labels, float] = {}
    files: dict[Labels, float] = {}
    took: dict[Labels, float] = {}
    runs: dict[Labels, float] = {}
    usual: dict[Labels, float] = {}
    lengths = {str(name): usual_s for name, usual_s in figures.usual_s.items()}
    for each in connections:
        own = ("connection", each.name)
        since_s = oldest_s(each, figures)
        ages[(own,)] = 0.0 if since_s is None else max(now_s - since_s, 0.0)
        counts = total_counts(each.counts)
        for state in ("known", "synced", "to_store", "to_run", "aside", "gone"):
            files[(own, ("state", state))] = float(getattr(counts, state))
        values = latencies(figures, each.name)
        for share in SHARES:
            if (value := percentile(values, share)) is not None:
                took[(own, ("quantile", str(share)))] = value
        runs[(own,)] = _run_age_s(each, now_s)
        usual[(own,)] = lengths.get(each.name, 0.0)
    yield _gauge("oldest_change_age_seconds", "Age of the oldest change not in the iModel.", ages)
    yield _gauge("files", "Files by state.", files)
    yield _gauge("latency_seconds", "From saved (settled) to in the iModel, last day.", took)
    yield _gauge("run_age_seconds", "How long a run of ours goes on; 0: none.", runs)
    yield _gauge("run_usual_seconds", "How long runs usually take; 0: too few are known.", usual)


def _records(connections: tuple[ConnectionReport, ...]) -> Iterator[Metric]:
    """Yield how the records of bulk connections stand."""
    records: dict[Labels, float] = {}
    batches: dict[Labels, float] = {}
    for each in connections:
        found = records_of(each)
        if found is None:
            continue
        own = ("connection", each.name)
        for state in ("on_drive", "acknowledged", "rejected", "waiting"):
            records[(own, ("state", state))] = float(getattr(found, state))
        batches[(own, ("state", "planned"))] = float(found.batches)
        batches[(own, ("state", "done"))] = float(found.done)
    if records:
        yield _gauge("records", "Records of export files by state.", records)
        yield _gauge("record_batches", "Batches of deliveries that have not ended.", batches)


def _run_age_s(connection: ConnectionReport, now_s: float) -> float:
    lane = connection.lane
    if lane is None or lane.phase is not Phase.RUNNING or lane.connection != connection.name:
        return 0.0
    return max(now_s - lane.since_s, 0.0)


def _runs(figures: Figures) -> Iterator[Metric]:
    labels = ["connection", "outcome"]
    runs = CounterMetricFamily("twinsyncd_runs", "Runs that ended, since the start.", labels=labels)
    files = CounterMetricFamily("twinsyncd_run_files", "Files of those runs.", labels=labels)
    for each in figures.totals:
        runs.add_metric([each.connection, each.outcome.value], each.runs)
        files.add_metric([each.connection, each.outcome.value], each.files)
    yield runs
    yield files
