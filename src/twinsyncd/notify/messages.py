"""The words of messages: what it is, since when, and what to do; many files are one line.

Plain text, readable on a telephone's lock screen: the title says the most important thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from ..journal.figures import Figures, percentile
from ..journal.notices import Alert
from ..redact import redact_for_person
from ..runtime.currency import currency
from ..runtime.formatting import clock_time, count, duration
from ..runtime.report import Report

NAMED: Final = 5  # of many of a kind
ALONE: Final = 3  # so many of a kind are told one by one
TEXT_MAX: Final = 1_500  # characters of one reason

Words = tuple[str, str]
"""A title and a body."""


def began_words(alerts: Sequence[Alert], now_s: float) -> Words:
    """Return the message about what began."""
    people = [each for each in alerts if each.needs_person]
    first = (people or list(alerts))[0]
    title = f"{_about(first)}: {first.kind}"
    if len(alerts) > 1:
        title += f" (and {len(alerts) - 1:,} more)"
    if people:
        title = f"Needs a person: {title}"
    return title, _all(alerts, now_s)


def reminder_words(alerts: Sequence[Alert], now_s: float) -> Words:
    """Return the message about what stays."""
    oldest_s = min(each.since_s for each in alerts)
    verb = "needs" if len(alerts) == 1 else "need"
    title = f"Still {verb} a person after {duration(now_s - oldest_s)}: {_about(alerts[0])}"
    if len(alerts) > 1:
        title += f" (and {len(alerts) - 1:,} more)"
    return title, _all(alerts, now_s)


def ended_words(alerts: Sequence[Alert]) -> Words:
    """Return the message about what is over."""
    title = f"Over: {_about(alerts[0])}: {alerts[0].kind}"
    if len(alerts) > 1:
        title += f" (and {len(alerts) - 1:,} more)"
    lines = [
        f"{_about(each)}: {each.kind}, after {duration(max(each.gone_s - each.since_s, 0.0))}"
        for each in alerts[:NAMED]
    ]
    rest = len(alerts) - NAMED
    return title, "\n".join([*lines, *([f"and {rest:,} more"] if rest > 0 else [])])


def digest_words(report: Report, figures: Figures, alerts: Sequence[Alert], now_s: float) -> Words:
    """Return the message of every day; `figures` are those of the last one."""
    lines = []
    for each in report.connections:
        line = currency(
            each,
            oldest_s=figures.oldest_s,
            runs=figures.runs,
            now_s=now_s,
            unseen_since_s=report.unseen_since_s,
        )
        runs = [run for run in figures.runs if run.connection == each.name]
        took = [one.took_s for one in figures.latencies if one.connection == each.name]
        lines.append(f"{each.name}: {line}")
        files = sum(run.files for run in runs)
        lines.append(f"  last day: {count(len(runs), 'run')}, {count(files, 'changed file')}")
        median, slowest = percentile(took, 0.5), percentile(took, 0.95)
        if median is not None and slowest is not None:
            often = f"  saved to iModel: half within {duration(median)}"
            lines.append(f"{often}, 95 % within {duration(slowest)}")
    known = [each for each in alerts if each.sent_s]
    body = "\n".join(lines)
    if known:
        body += f"\n\n{_all(known, now_s)}"
    people = sum(each.needs_person for each in known)
    state = "in sync" if report.in_sync else "not everything is in the iModel"
    if people:
        state = f"{count(people, 'thing')} to do"
    return f"Daily digest: {state}", redact_for_person(body)


def trial_words() -> Words:
    """Return the message of `twinsyncd notify test`."""
    return "Test of twinsyncd", "This is only a test. Messages of twinsyncd arrive here."


def _all(alerts: Sequence[Alert], now_s: float) -> str:
    ordered = sorted(alerts, key=lambda e: (not e.needs_person, e.connection, e.kind, e.about))
    groups = groupby(ordered, key=lambda e: (e.needs_person, e.connection, e.kind))
    return "\n\n".join(_group(list(group), now_s) for _, group in groups)


def _group(alerts: list[Alert], now_s: float) -> str:
    if len(alerts) <= ALONE:
        return "\n\n".join(_one(each, now_s) for each in alerts)
    first = alerts[0]
    where = f"{first.connection}: " if first.connection else ""
    named = [
        f"  {_about(each)}: {redact_for_person(each.text)[:TEXT_MAX]}" for each in alerts[:NAMED]
    ]
    rest = len(alerts) - NAMED
    more = [f"  and {rest:,} more"] if rest > 0 else []
    return "\n".join([f"{where}{len(alerts):,} times {first.kind}", *named, *more, _fix(first)])


def _one(alert: Alert, now_s: float) -> str:
    since = f"since {clock_time(alert.since_s)} ({duration(max(now_s - alert.since_s, 0.0))})"
    head = f"{_about(alert)}: {redact_for_person(alert.text)[:TEXT_MAX]}"
    return "\n".join([head, f"  {since}", _fix(alert)])


def _fix(alert: Alert) -> str:
    return f"  to do: {alert.fix}"


def _about(alert: Alert) -> str:
    return "".join(each if each.isprintable() else "?" for each in alert.about)


def names_of(alerts: Iterable[Alert]) -> list[str]:
    """Return what the alerts are about, for the log."""
    return [each.key for each in alerts]
