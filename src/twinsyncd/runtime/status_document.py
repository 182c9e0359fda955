"""The state for programs, made from the report and the figures."""

from __future__ import annotations

from typing import Final

from ..core.deliveries import LastDelivery
from ..core.model import Phase
from ..core.progress import RequestPacing
from ..core.results import RunRecord
from ..journal.figures import Figures, latencies, percentile
from ..journal.views import Counts, DaemonRow, total_counts
from ..redact import redact_for_person
from .bulk_records import records_line, records_of, worst_first
from .conditions import Condition, conditions_of
from .currency import currency
from .headline import headline
from .machine_lines import MachineReport
from .open_files import OpenFile, Unsettled
from .report import ConnectionReport, Report
from .report_lines import Level, Line
from .status_model import (
    VERSION,
    ConnectionDocument,
    EndedRunDocument,
    FilesDocument,
    MachineDocument,
    NeedDocument,
    OpenFileDocument,
    OutletDocument,
    ProcessDocument,
    RecordFileDocument,
    RecordsDocument,
    RejectedRowDocument,
    RequestLimitDocument,
    RootWaitDocument,
    RunDocument,
    SourceDocument,
    StateLine,
    StatusDocument,
    UnsettledFileDocument,
)

RECORD_FILES_MAX: Final = 1000  # export files of one connection that are listed; all are counted


def status_document(report: Report, figures: Figures, now_s: float) -> StatusDocument:
    """Return the state at `now_s`, wall clock [s]; `figures` are those of the last day."""
    conditions = conditions_of(report, now_s)
    return StatusDocument(
        version=VERSION,
        at_s=now_s,
        in_sync=report.in_sync,
        headline=_line(headline(report, conditions)),
        running=report.running,
        unseen_since_s=report.unseen_since_s or None,
        daemon=_line(report.daemon),
        process=_process(report.process),
        needs=tuple(map(_need, conditions)),
        connections=tuple(_connection(each, figures, now_s, report) for each in report.connections),
        files_not_synced=report.open_total,
        files_unsettled=report.unsettled,
        unsettled_files=tuple(map(_unsettled_file, report.unsettled_files)),
        open_files=tuple(map(_open_file, report.open_files)),
        last_runs=tuple(map(_ended_run, report.runs)),
        outlets=tuple(OutletDocument(name=n, state=_line(line)) for n, line in report.outlets),
        machines=tuple(map(_machine, report.machines)),
    )


def oldest_s(connection: ConnectionReport, figures: Figures) -> float | None:
    """Return since when the oldest change of a connection waits (wall clock [s]), if one does."""
    since = [figures.oldest_s[key] for key, _ in connection.folders if key in figures.oldest_s]
    return min(since, default=None)


def _line(line: Line) -> StateLine:
    return StateLine(level=line.level.value, state=line.state, text=redact_for_person(str(line)))


def _machine(machine: MachineReport) -> MachineDocument:
    return MachineDocument(
        name=machine.name,
        state=_line(machine.line),
        connections=machine.connections,
        since_s=machine.since_s or None,
    )


def _process(daemon: DaemonRow | None) -> ProcessDocument | None:
    if daemon is None:
        return None
    return ProcessDocument(
        pid=daemon.pid,
        version=daemon.version,
        started_s=daemon.started_s,
        beat_s=daemon.beat_s,
        is_idle=daemon.is_idle,
        kept_slow=_kept_slow(daemon.pacing),
    )


def _kept_slow(pacing: RequestPacing | None) -> RequestLimitDocument | None:
    if pacing is None:
        return None
    return RequestLimitDocument(
        host=pacing.host, left=pacing.left, limit=pacing.limit or None, until_s=pacing.until_s
    )


def _open_file(file: OpenFile) -> OpenFileDocument:
    return OpenFileDocument(
        source=file.source,
        path=file.path,
        state=file.state,
        reason=redact_for_person(file.reason),
        needs_person=file.needs_person,
        since_s=file.since_s or None,
        next_try_s=file.next_try_s or None,
    )


def _unsettled_file(file: Unsettled) -> UnsettledFileDocument:
    return UnsettledFileDocument(
        source=file.source,
        path=file.path,
        awaits=redact_for_person(file.awaits),
        since_s=file.since_s,
    )


def _ended_run(run: RunRecord) -> EndedRunDocument:
    return EndedRunDocument(
        connection=run.connection,
        run=run.run,
        outcome=run.outcome.value,
        started_s=run.started_s,
        ended_s=run.ended_s,
        files=run.files,
        message=redact_for_person(run.message),
    )


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
    lane = connection.lane
    current = currency(
        connection,
        oldest_s=figures.oldest_s,
        runs=figures.runs,
        now_s=now_s,
        unseen_since_s=report.unseen_since_s,
    )
    return ConnectionDocument(
        name=connection.name,
        current=_line(current),
        runs=_line(connection.line),
        halted=(redact_for_person(lane.halt) or None) if lane else None,
        trouble_since_s=connection.trouble_since_s or None,
        next_try_s=lane.not_before_s if lane and lane.not_before_s > now_s else None,
        window_opens_s=connection.opens_s or None,
        paused_since_s=connection.paused_since_s or None,
        waits_for_root=_root_wait(connection),
        files=_files(total_counts(connection.counts)),
        oldest_change_s=oldest_s(connection, figures),
        compared_with_cloud=_line(connection.compared),
        active_run=_run(connection, figures),
        latency_p50_s=percentile(took, 0.5),
        latency_p95_s=percentile(took, 0.95),
        authorised_days=connection.authorised_days,
        sources=tuple(_sources(connection)),
        records=_records(connection),
    )


def _root_wait(connection: ConnectionReport) -> RootWaitDocument | None:
    wait = connection.root_wait
    if wait is None:
        return None
    return RootWaitDocument(
        connection=wait.connection, file=wait.file or None, since_s=wait.since_s
    )


def _files(counts: Counts) -> FilesDocument:
    return FilesDocument(
        known=counts.known,
        synced=counts.synced,
        to_store=counts.to_store,
        to_run=counts.to_run,
        set_aside=counts.aside,
        gone=counts.gone,
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


def _records(connection: ConnectionReport) -> RecordsDocument | None:
    records = records_of(connection)
    if records is None:
        return None
    return RecordsDocument(
        state=_line(records_line(records)),
        on_drive=records.on_drive,
        acknowledged=records.acknowledged,
        rejected=records.rejected,
        waiting=records.waiting,
        batches=records.batches,
        batches_done=records.done,
        files_not_counted=records.uncounted,
        files=tuple(map(record_file, worst_first(connection.deliveries)[:RECORD_FILES_MAX])),
    )


def record_file(delivery: LastDelivery) -> RecordFileDocument:
    """Return what the last delivery of an export file did."""
    return RecordFileDocument(
        source=delivery.key.source,
        path=delivery.key.path,
        entity=delivery.entity,
        is_current=delivery.is_current,
        delivered_s=delivery.at_s,
        on_drive=delivery.rows,
        acknowledged=delivery.acknowledged,
        rejected=delivery.rejected,
        inserted=delivery.inserted,
        updated=delivery.updated,
        requests=delivery.requests,
        batches=delivery.batches,
        batches_done=delivery.done,
        rejected_rows=tuple(
            RejectedRowDocument(
                sheet=each.sheet or None,
                row=each.row,
                column=each.column or None,
                message=redact_for_person(each.message),
                fix=each.fix,
            )
            for each in delivery.rejected_rows
        ),
    )


def _sources(connection: ConnectionReport) -> list[SourceDocument]:
    counts = {each.source: each for each in connection.counts}
    held = {each.source: each for each in connection.holds}
    late = {each.source: each.reason for each in connection.late}
    blind = {each.source: each.text for each in connection.blind}
    missing = {each.source: each.number for each in connection.missing}
    return [
        SourceDocument(
            source=source,
            folder=folder,
            on_hold=redact_for_person(held[source].reason) if source in held else None,
            on_hold_since_s=(held[source].since_s or None) if source in held else None,
            noticed_late=late.get(source),
            unreadable=blind.get(source),
            missing=missing.get(source, 0),
            files=_files(counts.get(source, Counts(source))),
        )
        for source, folder in connection.folders
    ]
