"""Decides what people are told and when; pure, so that every rule is a test without a clock.

- What needs a person is reported once it has lasted for `group_s`; what begins meanwhile joins the
  same message. What ends by itself is reported only if it lasts for `outage_s`.
- What stays is reported again after `escalate_s`, then daily, to more people.
- An end is reported once, for what was reported, and only after it was gone for `group_s`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ..journal.notices import Alert
from ..runtime.conditions import Condition
from ..runtime.report_lines import Level

REMIND_S: Final = 86_400.0  # between reminders after the first


@dataclass(frozen=True, slots=True)
class Timing:
    """When something is reported [s]."""

    group_s: float = 60.0
    outage_s: float = 1800.0
    escalate_s: float = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The alerts from now on, and those that a message must name."""

    alerts: dict[str, Alert]
    began: tuple[Alert, ...] = ()
    ended: tuple[Alert, ...] = ()
    reminded: tuple[Alert, ...] = ()


def plan(
    found: Iterable[Condition], known: Mapping[str, Alert], timing: Timing, now_s: float
) -> Plan:
    """Return what to report at `now_s` (wall clock [s])."""
    current = {each.key: each for each in found}
    alerts = {key: _seen(each, known.get(key), now_s) for key, each in current.items()}
    gone = [_missed(alert, now_s) for key, alert in known.items() if key not in current]
    over = [each for each in gone if now_s - each.gone_s >= timing.group_s]
    alerts |= {each.key: each for each in gone if each not in over}
    began = _begun(alerts.values(), timing, now_s)
    reminded = _stays(alerts.values(), timing, now_s)
    sent = {each.key: replace(each, sent_s=now_s) for each in began}
    sent |= {
        each.key: replace(each, sent_s=now_s, reminders=each.reminders + 1) for each in reminded
    }
    return Plan(
        alerts | sent,
        began=tuple(began),
        ended=tuple(each for each in over if each.sent_s),
        reminded=tuple(reminded),
    )


def _seen(condition: Condition, alert: Alert | None, now_s: float) -> Alert:
    if alert is None:
        alert = Alert(
            condition.key,
            condition.kind.value,
            condition.level is Level.BAD,
            condition.about,
            condition.connection,
            condition.text,
            condition.fix,
            seen_s=now_s,
        )
    since_s = alert.since_s or condition.since_s or alert.seen_s
    return replace(alert, text=condition.text, fix=condition.fix, since_s=since_s, gone_s=0.0)


def _missed(alert: Alert, now_s: float) -> Alert:
    return alert if alert.gone_s else replace(alert, gone_s=now_s)


def _begun(alerts: Iterable[Alert], timing: Timing, now_s: float) -> list[Alert]:
    """Return what is reported for the first time: if one is due, what waits goes with it."""
    new = [each for each in alerts if not each.sent_s and not each.gone_s]
    due = [each for each in new if now_s - each.seen_s >= _patience_s(each, timing)]
    urgent = [each for each in new if each.needs_person]
    return [each for each in new if each in due or each in urgent] if due else []


def _patience_s(alert: Alert, timing: Timing) -> float:
    return timing.group_s if alert.needs_person else timing.outage_s


def _stays(alerts: Iterable[Alert], timing: Timing, now_s: float) -> list[Alert]:
    """Return what people are reminded of: if one is due, all that was reported goes with it."""
    open_ones = [e for e in alerts if e.needs_person and e.sent_s and not e.gone_s]
    waits = {each.key: REMIND_S if each.reminders else timing.escalate_s for each in open_ones}
    is_due = any(now_s - each.sent_s >= waits[each.key] for each in open_ones)
    return open_ones if is_due else []
