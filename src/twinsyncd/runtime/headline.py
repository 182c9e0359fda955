"""How everything stands in a few words: the first line of status and page."""

from __future__ import annotations

from collections.abc import Sequence

from .conditions import Condition
from .report import Report
from .report_lines import STARTING, WINDOW_CLOSED, Level, Line


def headline(report: Report, conditions: Sequence[Condition]) -> Line:
    """Return the few words; `conditions` are all that need attention."""
    people = sum(each.level is Level.BAD for each in conditions)
    if people:
        noun = "thing needs" if people == 1 else "things need"
        return Line(Level.BAD, f"{people} {noun} a person")
    if report.in_sync:
        return Line(Level.GOOD, "In sync", ": every file that can match was read and is proven")
    if report.daemon.state == STARTING:
        return Line(Level.WAITS, "Starting", ": what is shown is as the daemon before left it")
    if report.daemon.level is not Level.GOOD:
        return Line(Level.WAITS, "Not running", ": what is shown is as the daemon left it")
    for_window = any(each.line.state == WINDOW_CLOSED for each in report.connections)
    state = "Waiting" if conditions or for_window else "Working"
    return Line(Level.WAITS, state, ": not everything is in the iModel yet")
