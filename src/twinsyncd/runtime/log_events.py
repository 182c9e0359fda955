"""One log line per unit of work: each event of a decision, and each failure on the way.

Events are in the journal too. A line has what only a technician needs besides: the fault, the
service's id of the request, how long it took.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import structlog

from ..core import facts
from ..core.decision import Decision
from ..core.events import Event, EventKind
from ..core.model import Failure, FileKey
from ..core.results import Outcome

SHOWN: Final = 12  # characters of a digest: enough to tell contents apart

LEVELS: Final[Mapping[EventKind, str]] = {
    EventKind.FILE_SEEN: "debug",
    EventKind.FILE_SYNCED: "debug",  # the run's own line counts them
    EventKind.FILE_NOT_PROCESSED: "warning",
    EventKind.FILE_DIFFERS: "warning",
    EventKind.FILE_UNSETTLED: "warning",
    EventKind.FILE_SET_ASIDE: "error",
    EventKind.PATH_UNREADABLE: "warning",
    EventKind.SOURCE_OFFLINE: "error",
    EventKind.SOURCE_HELD: "error",
    EventKind.CONNECTION_LOST: "warning",
    EventKind.LANE_HALTED: "error",
    EventKind.LANE_WAITS: "warning",
    EventKind.SIGN_IN_NEEDED: "error",
    EventKind.CLOUD_NOT_COMPARED: "error",
    EventKind.AUTHORIZATION_ENDS: "warning",
    EventKind.RUN_LOST: "warning",
    EventKind.TASK_FAILED: "warning",
}
"""error: a person must act; warning: tried again by itself; info where nothing is said here."""

_PAGE: Final = re.compile(r"https?://\S+")

log = structlog.get_logger()


def log_facts(received: Iterable[facts.Fact]) -> None:
    """Log the facts that end a unit of work."""
    for fact in received:
        _report_fact(fact)


def log_decision(decision: Decision) -> None:
    """Log what happened: the events of the decision, under the names they have in the journal."""
    for event in decision.events:
        if event.kind is not EventKind.RUN_ENDED:  # the record of the run has more, see below
            report = getattr(log, LEVELS.get(event.kind, "info"))
            report(event.kind.value, **_context(event))
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


def _context(event: Event) -> dict[str, str]:
    """Return the fields of an event that say something."""
    known = {
        "connection": event.connection,
        "source": event.source,
        "path": event.path,
        "digest": event.digest[:SHOWN],
        "run": event.run,
        "task": event.task,
        "changeset": event.changeset,
        "reason": event.text,
    }
    if event.kind is EventKind.SIGN_IN_NEEDED and (page := _PAGE.search(event.text)):
        known["page_to_open"] = page[0]  # shown whole; in `reason` its query is redacted
    return {name: text for name, text in known.items() if text}


def _report_fact(fact: facts.Fact) -> None:
    match fact:
        case facts.StoreMoved(key):
            log.info("store.abandoned", source=key.source, path=key.path, reason="file changed")
        case facts.Staged() | facts.StageMoved() | facts.StageFailed():
            _report_stage(fact)
        case facts.StoreFailed(key, failure):
            log.warning("store.failed", **_failed(key, failure))
        case facts.PrepareFailed(connection, failure) | facts.StartFailed(connection, failure):
            log.warning(
                "run.not_started",
                connection=connection,
                fault=failure.fault.value,
                reason=failure.message,
                request_id=failure.request_id,
            )
        case facts.PlaceFailed(key, failure):
            log.warning(
                "file.not_renamed",
                source=key.source,
                path=key.path,
                fault=failure.fault.value,
                reason=failure.message,
                request_id=failure.request_id,
            )
        case facts.RemoveFailed(connection, failure):
            log.warning(
                "files.not_removed",
                connection=connection,
                fault=failure.fault.value,
                reason=failure.message,
                request_id=failure.request_id,
            )
        case facts.RunLookFailed(connection, run, failure):
            log.warning("run.not_seen", connection=connection, run=run, reason=failure.message)
        case facts.CompareFailed(connection, failure):
            log.warning(
                "cloud.not_compared",
                connection=connection,
                fault=failure.fault.value,
                reason=failure.message,
                request_id=failure.request_id,
            )
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


def _report_stage(fact: facts.Staged | facts.StageMoved | facts.StageFailed) -> None:
    """Report content that goes up during a run; a failure costs time only, so nobody must act."""
    key = fact.key
    match fact:
        case facts.Staged():
            log.info("file.staged", source=key.source, path=key.path)
        case facts.StageMoved():
            log.info("stage.abandoned", source=key.source, path=key.path, reason="file changed")
        case facts.StageFailed(_, failure):
            log.info("stage.failed", **_failed(key, failure))


def _failed(key: FileKey, failure: Failure) -> dict[str, Any]:
    """Return the fields of what failed about a file."""
    return {
        "source": key.source,
        "path": key.path,
        "fault": failure.fault.value,
        "reason": failure.message,
        "request_id": failure.request_id,
    }
