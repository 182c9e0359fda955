"""One log line per unit of work: what was stored, run, refused, set aside."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from ..core import facts
from ..core.decision import Decision
from ..core.results import Outcome

log = structlog.get_logger()


def log_facts(received: Iterable[facts.Fact]) -> None:
    """Log the facts that end a unit of work."""
    for fact in received:
        _report_fact(fact)


def log_decision(decision: Decision) -> None:
    """Log what a decision changed for people: files set aside, lanes halted, runs ended."""
    for row in decision.files:
        if row.aside or row.unread:
            reason = row.aside or row.unread
            log.error("file.set_aside", source=row.key.source, path=row.key.path, reason=reason)
    for lane in decision.lanes:
        if lane.halt:
            log.error("lane.halted", imodel=lane.key, reason=lane.halt, attempt=lane.attempts)
    for source in decision.sources:
        if source.offline:
            log.error("source.offline", source=source.key, reason=source.offline)
        else:
            log.info("source.online", source=source.key, unreadable=source.blind_count)
        for spot in source.blind:  # once, not with every scan: the row changes with what is found
            log.warning("path.unreadable", source=source.key, path=spot.path, reason=spot.reason)
    for run in decision.history:
        report = log.info if run.outcome is Outcome.SUCCEEDED else log.warning
        report(
            "run.ended",
            connection=run.connection,
            run=run.run,
            outcome=run.outcome.value,
            files=run.files,
            duration_s=round(run.ended_s - run.started_s, 3),
            message=run.message,
        )
    for slow in decision.slow:
        log.error(
            "run.overran",
            connection=slow.connection,
            run=slow.run,
            ours=slow.ours,
            duration_s=round(slow.lasted_s, 3),
            usual_s=round(slow.usual_s, 3),
        )
    for command in decision.commands:
        log.debug("command.begun", command=type(command).__name__)


def _report_fact(fact: facts.Fact) -> None:
    match fact:
        case facts.Hashed(key):
            log.debug("file.settled", source=key.source, path=key.path)
        case facts.Stored(key, digest):
            log.info("file.stored", source=key.source, path=key.path, digest=digest[:12])
        case facts.StoreMoved(key):
            log.info("store.abandoned", source=key.source, path=key.path, reason="file changed")
        case facts.StoreFailed(key, failure):
            log.warning(
                "store.failed",
                source=key.source,
                path=key.path,
                fault=failure.fault.value,
                reason=failure.message,
                request_id=failure.request_id,
            )
        case facts.RunStarted(connection, run):
            log.info("run.started", connection=connection, run=run)
        case facts.RunRefused(connection, run):
            log.info("run.blocked", connection=connection, active_run=run)
        case facts.PrepareFailed(connection, failure) | facts.StartFailed(connection, failure):
            log.warning(
                "run.not_started",
                connection=connection,
                fault=failure.fault.value,
                reason=failure.message,
                request_id=failure.request_id,
            )
        case facts.RunLookFailed(connection, run, failure):
            log.warning("run.not_seen", connection=connection, run=run, reason=failure.message)
        case facts.HintsLost() | facts.HintsDegraded():
            _report_hints(fact)
        case facts.Scanned(source, _, known, missing, blind):
            counts = {"known": known, "missing": len(missing), "unreadable": len(blind)}
            log.debug("scan.ended", source=source, **counts)
        case _:
            pass


def _report_hints(fact: facts.HintsLost | facts.HintsDegraded) -> None:
    if isinstance(fact, facts.HintsLost):
        log.warning("watch.lost", source=fact.source, reason=fact.reason)
    elif fact.reason:
        log.warning("watch.degraded", source=fact.source, reason=fact.reason)
    else:
        log.info("watch.restored", source=fact.source)
