"""One sync, until nothing is left to do: by an engine here, or by the running daemon."""

from __future__ import annotations

import time
from typing import Final

from ..config import Config
from ..core.facts import PersonFact, PublishAsked, SyncAsked
from ..core.machine import Machine
from ..core.model import FileKey, LaneKey
from ..errors import JournalError, JournalGone
from ..journal import requests
from ..journal.database import open_database, open_unchanged
from ..journal.requests import Request
from ..journal.views import Status
from .addressees import lane_of
from .bulk_deliveries import files_to_resend
from .journal_opening import own_share
from .machine_lock import refuse_rivals
from .person_requests import request_of
from .state import is_running, journal_of, open_views
from .wiring import open_engine

TRIES: Final = 6  # failures in a row (about a minute) before it is reported instead
COMPARE_TRIES: Final = 2  # the same while only comparisons are left, which wait a minute each
HANDLED_S: Final = 15.0  # a daemon listens every second; a large decision takes some
LOOK_S: Final = 0.2  # how often a running daemon is asked whether it is done


def sync(config: Config, timeout_s: float, asked: SyncAsked | PublishAsked) -> str:
    """Sync everything that may be synced now; return why that was not possible, or "".

    A running daemon is asked to do it; otherwise it is done here. Where a snapshot deleted records,
    what lies below them is sent again: a comparison finds it, so another sync follows.
    Raises JournalError.
    """
    end_s = time.monotonic() + timeout_s
    problem = _sync(config, timeout_s, asked)
    left, before = files_to_resend(config), set[FileKey]()
    while left and left != before and not problem and time.monotonic() < end_s:
        problem = _sync(config, end_s - time.monotonic(), SyncAsked())
        left, before = files_to_resend(config), left
    return problem


def _sync(config: Config, timeout_s: float, asked: SyncAsked | PublishAsked) -> str:
    if is_running(config):
        return _ask_daemon(config, timeout_s, asked)
    try:
        return _do_it(config, timeout_s, asked)
    except JournalGone:  # it was damaged and set aside, or replaced: once more with what is there
        return _do_it(config, timeout_s, asked)


def gets_no_answer(machine: Machine) -> bool:
    """Return whether the platform failed so often in a row that a sync ends and reports it."""
    tries = COMPARE_TRIES if machine.is_idle(compared=False) else TRIES
    return machine.failures() >= tries


def leave_request(config: Config, *asked: PersonFact) -> bool:
    """Leave requests for the daemon; return whether one is running that handles them at once.

    If none runs, the next one does. Raises JournalError, also if a daemon of this machine serves a
    connection with another journal: it would never see the request.
    """
    running = is_running(config)
    if not running:
        refuse_rivals(config)
    where = journal_of(config)
    engine = open_unchanged(where) if running else open_database(where)
    try:
        for fact in asked:
            requests.ask(engine, *_asked(config, fact))
    finally:
        engine.dispose()
    return running


def _asked(config: Config, fact: PersonFact) -> tuple[Request, float, LaneKey | None]:
    """Return a request, when it is asked, and the iModel that it is about."""
    return Request(*request_of(fact)), time.time(), lane_of(config, fact)


def ask_and_wait(config: Config, fact: PersonFact, wait_s: float = HANDLED_S) -> bool | None:
    """Leave a request; return whether the running daemon has handled it, None if none runs."""
    if not is_running(config):
        leave_request(config, fact)
        return None
    engine = open_unchanged(journal_of(config))
    end_s = time.monotonic() + wait_s
    try:
        numbers = requests.ask(engine, *_asked(config, fact))
        while requests.handled_s(engine, *numbers) is None:
            if time.monotonic() > end_s:
                return False
            _wait(config)
    finally:
        engine.dispose()
    return True


def _do_it(config: Config, timeout_s: float, asked: SyncAsked | PublishAsked) -> str:
    end_s = time.monotonic() + timeout_s
    with own_share(config) as share, open_engine(config, watch=False, share=share) as engine:
        machine = engine.machine

        def is_over() -> bool:
            stuck = _needed_of_a_person(machine) or gets_no_answer(machine)
            return bool(stuck) or machine.is_idle() or time.monotonic() > end_s

        engine.run(until=is_over, first=asked)
        return _problem(machine, timeout_s)


def _needed_of_a_person(machine: Machine) -> list[str]:
    """Return why nothing goes on before a person acts; what works is done first."""
    reasons = [*machine.halts().values(), *machine.waits(for_person=True).values()]
    if machine.is_idle(compared=False):
        reasons += machine.refused_comparisons().values()
    return reasons


def _problem(machine: Machine, timeout_s: float) -> str:
    """Return why a machine that was stopped is not idle; "" if it is."""
    if machine.is_idle():
        return ""
    if reasons := _needed_of_a_person(machine):
        return "; ".join(dict.fromkeys(reasons))
    waits = "; ".join(dict.fromkeys(filter(None, machine.waits(for_person=False).values())))
    if gets_no_answer(machine):
        reason = waits or "the platform does not answer"
        return f"{reason}; what is left is kept and done by the next sync"
    because = f": {waits}" if waits else ""
    return f"not finished after {timeout_s:.0f} s{because}; the next sync does the rest"


def _ask_daemon(config: Config, timeout_s: float, asked: SyncAsked | PublishAsked) -> str:
    """Leave the request as a row, as everything a person asks of the daemon."""
    engine = open_unchanged(journal_of(config))
    end_s = time.monotonic() + timeout_s
    views = open_views(config)
    try:
        numbers = requests.ask(engine, *_asked(config, asked))
        while True:
            handled_s = requests.handled_s(engine, *numbers)
            status = views.status(runs=0, open_files=0)
            handled_s = handled_s + status.clock_ahead_s if handled_s else None
            daemon = status.daemon
            if handled_s and (reasons := _needing_a_person(status, handled_s)):
                return "; ".join(reasons)
            if handled_s and (reasons := _outages(status)):
                return f"{'; '.join(reasons)}; the daemon goes on trying"
            if handled_s and daemon and daemon.is_idle and daemon.beat_s > handled_s:
                return ""
            if time.monotonic() > end_s:
                return f"the daemon has not finished after {timeout_s:.0f} s; it goes on"
            _wait(config)
    finally:
        views.close()
        engine.dispose()


def _needing_a_person(status: Status, handled_s: float) -> list[str]:
    reasons = [
        lane.halt or (lane.wait_reason if lane.needs_person else "") for lane in status.lanes
    ]
    if not status.open_total:
        failed = status.failed_comparisons.values()
        reasons += [e.reason for e in failed if e.needs_person and e.tried_s >= handled_s]
    return [reason for reason in dict.fromkeys(reasons) if reason]


def _outages(status: Status) -> list[str]:
    """Return why calls keep failing; each request starts their count afresh."""
    failing = [lane.wait_reason for lane in status.lanes if lane.attempts >= TRIES]
    return [reason for reason in dict.fromkeys(failing) if reason]


def _wait(config: Config) -> None:
    if not is_running(config):
        raise JournalError("the daemon ended", hint="run `twinsyncd sync` again to do it here")
    time.sleep(LOOK_S)
