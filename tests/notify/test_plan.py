"""When people are told: once when it begins, grouped, again if it stays, once when it is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twinsyncd.journal.notices import Alert
from twinsyncd.notify.plan import Plan, Timing, plan
from twinsyncd.runtime.conditions import Condition, Kind
from twinsyncd.runtime.report_lines import Level

TIMING = Timing(group_s=60.0, outage_s=1800.0, escalate_s=14_400.0)
HOUR_S, DAY_S = 3600.0, 86_400.0


def file(name: str) -> Condition:
    """Return a file that needs a person."""
    return Condition(Kind.FILE, Level.BAD, name, "locked", "close it", 0.0, "Bridge")


OUTAGE = Condition(Kind.WAITS, Level.WAITS, "Bridge", "HTTP 503", "nothing", 0.0, "Bridge")


class Time:
    """Days of one office: what is found at each moment, and what a message then names."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}
        self.last = Plan({})

    def at(self, now_s: float, *found: Condition) -> Time:
        """Look at a moment."""
        self.last = plan(found, self.alerts, TIMING, now_s)
        self.alerts = self.last.alerts
        return self

    def says(
        self, *, began: Sequence[str] = (), ended: Sequence[str] = (), again: Sequence[str] = ()
    ) -> Time:
        """Compare with what the messages of this moment name."""
        last = self.last
        shown = [names(last.began), names(last.ended), names(last.reminded)]
        assert shown == [list(began), list(ended), list(again)]
        return self


def names(alerts: Iterable[Alert]) -> list[str]:
    """Return what they are about."""
    return sorted(each.about for each in alerts)


def test_what_begins_together_is_one_message_and_is_said_once() -> None:
    """Four hundred files that fail in one minute must not be four hundred mails."""
    (
        Time()
        .at(1000, file("a")).says()
        .at(1030, file("a"), file("b")).says()
        .at(1060, file("a"), file("b"), file("c")).says(began=["a", "b", "c"])
        .at(1090, file("a"), file("b"), file("c")).says()
        .at(1300, file("a"), file("b"), file("c")).says()
    )  # fmt: skip


def test_what_ends_before_it_was_said_is_never_said() -> None:
    """A lock that is gone within a minute interests nobody."""
    (
        Time()
        .at(1000, file("a")).says()
        .at(1030).says()
        .at(1300).says()
    )  # fmt: skip


def test_an_end_is_said_once_and_only_if_it_lasts() -> None:
    """What comes and goes every few seconds would be a message each time."""
    (
        Time()
        .at(1000, file("a"))
        .at(1060, file("a")).says(began=["a"])
        .at(1070).says()
        .at(1100, file("a")).says()
        .at(1200).says()
        .at(1270).says(ended=["a"])
        .at(1400).says()
    )  # fmt: skip


def test_an_outage_that_ends_by_itself_is_said_only_if_it_lasts() -> None:
    """The service is away for five minutes every week, and nobody can do anything about it."""
    (
        Time()
        .at(1000, OUTAGE).says()
        .at(2700, OUTAGE).says()
        .at(2710).says()
        .at(2800).says()
        .at(3000, OUTAGE).says()
        .at(4800, OUTAGE).says(began=["Bridge"])
        .at(4900).says()
        .at(5000).says(ended=["Bridge"])
    )  # fmt: skip


def test_an_outage_does_not_hold_up_what_needs_a_person() -> None:
    """The patience for one is not the patience for the other."""
    (
        Time()
        .at(1000, OUTAGE, file("a")).says()
        .at(1060, OUTAGE, file("a")).says(began=["a"])
        .at(2800, OUTAGE, file("a")).says(began=["Bridge"])
    )  # fmt: skip


def test_what_stays_is_said_again_after_hours_and_then_daily() -> None:
    """A message that somebody overlooked must not be the last one."""
    (
        Time()
        .at(0, file("a"))
        .at(60, file("a")).says(began=["a"])
        .at(4 * HOUR_S, file("a")).says()
        .at(4 * HOUR_S + 60, file("a")).says(again=["a"])
        .at(20 * HOUR_S, file("a")).says()
        .at(28 * HOUR_S + 60, file("a")).says(again=["a"])
        .at(29 * HOUR_S, file("a")).says()
    )  # fmt: skip


def test_reminders_are_one_message_too() -> None:
    """Ten things that began at different times are not reminded of ten times."""
    (
        Time()
        .at(0, file("a"))
        .at(60, file("a")).says(began=["a"])
        .at(HOUR_S, file("a"), file("b"))
        .at(HOUR_S + 60, file("a"), file("b")).says(began=["b"])
        .at(4 * HOUR_S + 60, file("a"), file("b")).says(again=["a", "b"])
        .at(5 * HOUR_S + 60, file("a"), file("b")).says()
    )  # fmt: skip


def test_an_outage_is_not_reminded_of() -> None:
    """Nobody can do anything; the end is reported."""
    (
        Time()
        .at(0, OUTAGE)
        .at(1800, OUTAGE).says(began=["Bridge"])
        .at(3 * DAY_S, OUTAGE).says()
    )  # fmt: skip
