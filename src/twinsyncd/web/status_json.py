"""The state for programs: /api/status, whose schema is at /api/status/schema.

Keys are added in later versions, never renamed within a `version`. Times are seconds since 1970
(UTC), durations are seconds; a value that is not known is null.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core.model import Phase
from ..journal.figures import Figures, percentile
from ..journal.views import total_counts
from ..redact import redact_for_person
from ..runtime.conditions import Condition, conditions_of
from ..runtime.currency import currency
from ..runtime.report import ConnectionReport, Report
from ..runtime.report_lines import Level, Line
from .overview import latencies

VERSION: Final = 1


class Document(BaseModel):
    """A part of the state."""

    model_config = ConfigDict(frozen=True)


class StateLine(Document):
    """How something stands, in words."""

    level: Literal["good", "plain", "waits", "bad"] = Field(
        description="bad: a person must act; waits: it ends by itself"
    )
    state: str = Field(description="a few words that stay the same while the state lasts")
    text: str = Field(description="the whole sentence")


class NeedDocument(Document):
    """One thing that is not as it should be."""

    key: str = Field(description="the same as long as it lasts")
    kind: str = Field(description="what kind of trouble it is, as on the page")
    needs_person: bool = Field(description="false: it ends by itself")
    about: str = Field(description="a connection, a source folder, or a file")
    connection: str | None
    text: str = Field(description="the reason, in the service's or the system's own words")
    fix: str = Field(description="what a person does about it")
    since_s: float | None


class RunDocument(Document):
    """A run on the iModel that is going on now."""

    run: str
    ours: bool = Field(description="false: somebody else started it, and ours waits for it")
    since_s: float
    usual_duration_s: float | None = Field(description="null: too few runs are known")


class FilesDocument(Document):
    """How many files there are, by state."""

    known: int
    synced: int
    to_store: int = Field(description="not uploaded yet")
    to_run: int = Field(description="uploaded, not in the iModel yet")
    set_aside: int = Field(description="a person must act")
    gone: int = Field(description="gone from the drive or excluded, kept in the iModel")


class SourceDocument(Document):
    """One source folder."""

    source: str
    folder: str
    on_hold: str | None = Field(description="why nothing is done about it")
    noticed_late: str | None = Field(description="why changes are noticed by scans alone")
    unreadable: str | None


class ConnectionDocument(Document):
    """One connection."""

    name: str
    current: StateLine = Field(description="whether what is saved on the drive is in the iModel")
    runs: StateLine = Field(description="what its iModel's runs do or wait for")
    files: FilesDocument
    oldest_change_s: float | None = Field(description="since when the oldest change waits")
    compared_with_cloud: StateLine
    active_run: RunDocument | None
    latency_p50_s: float | None = Field(
        description="from saved (settled) to in the iModel, over the last day"
    )
    latency_p95_s: float | None
    authorised_days: int | None = Field(description="for which runs may act for the person")
    sources: tuple[SourceDocument, ...]


class OutletDocument(Document):
    """The page, or a notification target."""

    name: str
    state: StateLine


class StatusDocument(Document):
    """How everything stands, at one moment."""

    version: Literal[1]
    at_s: float
    in_sync: bool = Field(description="everything that can match was read and is proven")
    daemon: StateLine
    needs: tuple[NeedDocument, ...] = Field(description="what needs a person comes first")
    connections: tuple[ConnectionDocument, ...]
    files_not_synced: int
    files_unsettled: int = Field(description="still being written")
    outlets: tuple[OutletDocument, ...]


def status_document(report: Report, figures: Figures, now_s: float) -> StatusDocument:
    """Return the state at `now_s`, wall clock [s]; `figures` are those of the last day."""
    return StatusDocument(
        version=VERSION,
        at_s=now_s,
        in_sync=report.in_sync,
        daemon=_line(report.daemon),
        needs=tuple(_need(each) for each in conditions_of(report, now_s)),
        connections=tuple(_connection(each, figures, now_s, report) for each in report.connections),
        files_not_synced=report.open_total,
        files_unsettled=report.unsettled,
        outlets=tuple(OutletDocument(name=n, state=_line(line)) for n, line in report.outlets),
    )


def status_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    return StatusDocument.model_json_schema(mode="serialization")


def oldest_s(connection: ConnectionReport, figures: Figures) -> float | None:
    """Return since when the oldest change of a connection waits (wall clock [s]), if one does."""
    since = [figures.oldest_s[key] for key, _ in connection.folders if key in figures.oldest_s]
    return min(since, default=None)


def _line(line: Line) -> StateLine:
    return StateLine(level=line.level.value, state=line.state, text=redact_for_person(str(line)))


def _need(condition: Condition) -> NeedDocument:
    return NeedDocument(
        key=condition.key,
        kind=condition.kind.value,
        needs_person=condition.level is Level.BAD,
        about=condition.about,
        connection=condition.connection or None,
        text=redact_for_person(condition.text),
        fix=condition.fix,
        since_s=condition.since_s or None,
    )


def _connection(
    connection: ConnectionReport, figures: Figures, now_s: float, report: Report
) -> ConnectionDocument:
    took = latencies(figures, connection.name)
    counts = total_counts(connection.counts)
    current = currency(
        connection,
        oldest_s=figures.oldest_s,
        runs=figures.runs,
        now_s=now_s,
        daemon_works=report.daemon.level is not Level.BAD,
    )
    return ConnectionDocument(
        name=connection.name,
        current=_line(current),
        runs=_line(connection.line),
        files=FilesDocument(
            known=counts.known,
            synced=counts.synced,
            to_store=counts.to_store,
            to_run=counts.to_run,
            set_aside=counts.aside,
            gone=counts.gone,
        ),
        oldest_change_s=oldest_s(connection, figures),
        compared_with_cloud=_line(connection.compared),
        active_run=_run(connection, figures),
        latency_p50_s=percentile(took, 0.5),
        latency_p95_s=percentile(took, 0.95),
        authorised_days=connection.authorised_days,
        sources=tuple(_sources(connection)),
    )


def _run(connection: ConnectionReport, figures: Figures) -> RunDocument | None:
    lane = connection.lane
    active = (Phase.RUNNING, Phase.BLOCKED)
    if lane is None or lane.connection != connection.name or lane.phase not in active:
        return None
    usual = {str(name): usual_s for name, usual_s in figures.usual_s.items()}
    return RunDocument(
        run=lane.run,
        ours=lane.phase is Phase.RUNNING,
        since_s=lane.since_s,
        usual_duration_s=usual.get(connection.name) or None,
    )


def _sources(connection: ConnectionReport) -> list[SourceDocument]:
    held = {each.source: redact_for_person(each.reason) for each in connection.holds}
    late = {each.source: each.reason for each in connection.late}
    blind = {each.source: each.text for each in connection.blind}
    return [
        SourceDocument(
            source=source,
            folder=folder,
            on_hold=held.get(source),
            noticed_late=late.get(source),
            unreadable=blind.get(source),
        )
        for source, folder in connection.folders
    ]
