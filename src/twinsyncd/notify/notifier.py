"""Watches the state on a thread of its own, and gets messages to people; the engine never waits.

What was decided is committed before it is sent, so a restart repeats nothing; only a crash between
the two can send a message twice. A journal that cannot be written silences nobody: that itself is
what people must hear of, so it goes out and is committed later.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Protocol

import structlog

from ..core.waits import delay_s
from ..errors import JournalError
from ..journal.figures import Figures
from ..journal.notices import Alert, Delivery, Notice, NoticeState
from ..journal.outlets import Outlet
from ..runtime.conditions import Condition, Kind, conditions_of
from ..runtime.report import Report
from ..runtime.report_lines import Level
from .messages import Words, began_words, digest_words, ended_words, names_of, reminder_words
from .plan import Plan, Timing, plan

EVERY_S: Final = 5.0
STOP_S: Final = 3.0  # the daemon ends within ten seconds, whatever a mail server does
RETRY_S: Final = 30.0
RETRY_CAP_S: Final = 3600.0
GIVE_UP_S: Final = 3 * 86_400.0  # nobody wants to read it later
DAY_S: Final = 86_400.0
PING: Final = "ping_url"

log = structlog.get_logger()


class Sender(Protocol):
    """One target."""

    @property
    def id(self) -> str:
        """What names it in the journal; no secret."""

    @property
    def name(self) -> str:
        """What names it to people; no secret."""

    def send(self, title: str, body: str) -> str:
        """Return why the message was not taken, "" if it was."""


class Facts(Protocol):
    """What messages are made from. Raises JournalError."""

    def now_s(self) -> float:
        """Return the wall clock [s]."""

    def report(self) -> Report:
        """Return how everything stands."""

    def figures(self, since_s: float) -> Figures:
        """Return what is measured since a moment (wall clock [s])."""


class NoticeJournal(Protocol):
    """Where it is remembered. Raises JournalError."""

    def read_notices(self) -> NoticeState:
        """Return what was remembered."""

    def save_notices(
        self, alerts: Iterable[Alert], changed: Iterable[Notice], now_s: float
    ) -> None:
        """Remember all alerts, and these messages."""

    def write_outlet(self, outlet: Outlet) -> None:
        """Remember whether people are reached by it."""


@dataclass(frozen=True, slots=True)
class Habits:
    """When people are told. `digest`: hour and minute, local; None: no digest."""

    timing: Timing = field(default_factory=Timing)
    digest: tuple[int, int] | None = None
    ping_every_s: float = 300.0


class Notifier:
    """Tells people while its context lasts."""

    def __init__(
        self,
        facts: Facts,
        journal: NoticeJournal,
        targets: Sequence[Sender],
        *,
        escalation: Sequence[Sender] = (),
        ping: Callable[[], str] | None = None,
        habits: Habits = Habits(),
    ) -> None:
        """`escalation` gets reminders too; `ping` returns why it failed, or ""."""
        self._facts = facts
        self._journal = journal
        self._targets = {each.id: each for each in (*targets, *escalation)}
        self._everybody = [each.id for each in targets]
        self._more = [each.id for each in escalation]
        self._ping = ping
        self._habits = habits
        self._started_s = facts.now_s()
        self._state = NoticeState()
        self._loaded = False
        self._unsaved: dict[str, Notice] = {}
        self._next_ping_s = 0.0
        self._waits_s: dict[str, float] = {}  # by target: before which it is not tried again
        self._troubles: dict[str, str | None] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)

    def __enter__(self) -> Notifier:
        """Begin; returns at once."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; a thread that still sends is left behind, and ends with the process."""
        self._stopping.set()
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.tick()
            except Exception:
                log.exception("notify.failed")
            self._stopping.wait(EVERY_S)

    def tick(self) -> None:
        """Look once, decide, remember, and send what is due."""
        now_s = self._facts.now_s()
        self._load()
        found, report = self._look(now_s)
        decided = plan(found, self._state.alerts, self._habits.timing, now_s)
        notices = [*self._notices(decided, now_s), *self._digest(report, decided, now_s)]
        self._remember(decided.alerts, notices, now_s)
        if self._ping is not None and not any(each.kind is Kind.DAEMON for each in found):
            self._send_ping(self._ping, now_s)
        self._deliver(now_s)

    def _load(self) -> None:
        if not self._loaded:
            try:
                self._state = self._journal.read_notices()
            except JournalError as exc:
                log.warning("notify.nothing_remembered", reason=str(exc))
            self._loaded = True

    def _look(self, now_s: float) -> tuple[Sequence[Condition], Report | None]:
        try:
            report = self._facts.report()
        except JournalError as exc:
            text, fix = f"its journal cannot be read: {exc}", exc.hint or "see the log"
            return [Condition(Kind.DAEMON, Level.BAD, "the daemon", text, fix)], None
        return conditions_of(report, now_s), report

    def _notices(self, decided: Plan, now_s: float) -> Iterable[Notice]:
        if decided.began:
            words = began_words(decided.began, now_s)
            yield self._notice("began", words, self._everybody, now_s)
            log.info("notify.began", about=names_of(decided.began))
        if decided.reminded:
            words = reminder_words(decided.reminded, now_s)
            yield self._notice("reminder", words, [*self._everybody, *self._more], now_s)
        if decided.ended:
            more = self._more if any(each.reminders for each in decided.ended) else []
            words = ended_words(decided.ended)
            yield self._notice("ended", words, [*self._everybody, *more], now_s)
            log.info("notify.ended", about=names_of(decided.ended))

    def _digest(self, report: Report | None, decided: Plan, now_s: float) -> list[Notice]:
        last_s = max(self._state.digest_s, 0.0) or self._started_s
        moment_s = digest_moment_s(self._habits.digest, now_s)
        if report is None or moment_s is None or not last_s < moment_s <= now_s:
            return []
        try:
            figures = self._facts.figures(now_s - DAY_S)
        except JournalError:
            return []
        words = digest_words(report, figures, list(decided.alerts.values()), now_s)
        self._state = replace(self._state, digest_s=now_s)
        return [self._notice("digest", words, self._everybody, now_s)]

    def _notice(self, kind: str, words: Words, ids: Sequence[str], now_s: float) -> Notice:
        deliveries = tuple(Delivery(each) for each in dict.fromkeys(ids))
        return Notice(uuid.uuid4().hex, kind, now_s, *words, deliveries)

    def _remember(self, alerts: dict[str, Alert], notices: Iterable[Notice], now_s: float) -> None:
        """Commit what changed; what cannot be committed now is with the next change."""
        self._unsaved |= {each.id: each for each in notices}
        others = {each.id: each for each in self._state.notices} | self._unsaved
        is_changed = bool(self._unsaved) or alerts != self._state.alerts
        open_ones = tuple(each for each in others.values() if each.is_open)
        self._state = replace(self._state, alerts=alerts, notices=open_ones)
        if not is_changed:
            return
        try:
            self._journal.save_notices(alerts.values(), self._unsaved.values(), now_s)
            self._unsaved = {}
        except JournalError as exc:
            log.warning("notify.not_remembered", reason=str(exc))

    def _deliver(self, now_s: float) -> None:
        for notice in self._state.notices:
            tried = notice
            for delivery in notice.deliveries:
                is_due = not delivery.done_s and delivery.next_try_s <= now_s
                if is_due and not self._stopping.is_set():
                    tried = tried.with_delivery(self._try(notice, delivery, now_s))
            if tried != notice:
                self._remember(self._state.alerts, [tried], now_s)

    def _try(self, notice: Notice, delivery: Delivery, now_s: float) -> Delivery:
        target = self._targets.get(delivery.target)
        if target is None or now_s - notice.made_s > GIVE_UP_S:
            return replace(delivery, done_s=now_s)  # it is not configured any more, or too late
        if self._waits_s.get(target.id, 0.0) > now_s:
            return delivery
        error = target.send(notice.title, notice.body)
        self._note(target.name, error, now_s)
        if not error:
            self._waits_s.pop(target.id, None)
            return replace(delivery, attempts=delivery.attempts + 1, done_s=now_s, error="")
        attempts = delivery.attempts + 1
        wait_s = delay_s(attempts, 0.0, base_s=RETRY_S, cap_s=RETRY_CAP_S)
        self._waits_s[target.id] = now_s + wait_s
        return replace(delivery, attempts=attempts, next_try_s=now_s + wait_s, error=error)

    def _send_ping(self, ping: Callable[[], str], now_s: float) -> None:
        if now_s >= self._next_ping_s:
            self._next_ping_s = now_s + self._habits.ping_every_s
            self._note(PING, ping(), now_s)

    def _note(self, name: str, trouble: str, now_s: float) -> None:
        """Let status, page and metrics show whether people are reached."""
        if self._troubles.get(name) == trouble:
            return
        if trouble:
            log.warning("notify.not_sent", target=name, reason=trouble)
        try:
            self._journal.write_outlet(Outlet(name, "it took the last message", trouble, now_s))
            self._troubles[name] = trouble
        except JournalError as exc:
            log.warning("outlet.not_noted", outlet=name, reason=str(exc))


def digest_moment_s(digest: tuple[int, int] | None, now_s: float) -> float | None:
    """Return today's moment of the digest (wall clock [s]), in local time."""
    if digest is None:
        return None
    today = datetime.fromtimestamp(now_s, UTC).astimezone()
    hour, minute = digest
    return today.replace(hour=hour, minute=minute, second=0, microsecond=0).timestamp()
