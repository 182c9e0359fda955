"""How everything stands at one moment, read from the journal: for `status` and what follows a sync.

Touches no share and no platform, so it answers at once whatever is out of order there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Final

from ..config import Config
from ..journal.figures import Figures, read_figures
from ..journal.views import Status
from .conditions import Condition, conditions_of
from .currency import currency
from .machine_lock import served_elsewhere
from .report import ConnectionReport, Report, make_report
from .report_lines import Line
from .state import is_running, journal_of, read_status, read_trouble, scope_of

DAY_S: Final = 86_400.0  # of latencies and runs


@dataclass(frozen=True, slots=True)
class OverallState:
    """The report with the figures of the last day, and what needs attention."""

    report: Report
    figures: Figures
    conditions: tuple[Condition, ...]  # what needs a person comes first
    now_s: float  # wall clock [s]

    def current(self, connection: ConnectionReport) -> Line:
        """Return whether what is saved on the drive of a connection is in the iModel."""
        return currency(
            connection,
            oldest_s=self.figures.oldest_s,
            runs=self.figures.runs,
            now_s=self.now_s,
            unseen_since_s=self.report.unseen_since_s,
        )


def read_overall_state(
    config: Config,
    *,
    connection: str | None = None,
    runs: int = 5,
    open_files: int = 20,
    just_synced: bool = False,
) -> OverallState:
    """Return how everything stands now, or only what is about one connection.

    `just_synced`: a sync that has just ended looked at everything. Raises JournalError.
    """
    now_s = time.time()
    config = config if connection is None else _narrowed(config, connection)
    status = read_status(config, runs=runs, open_files=open_files)
    if connection is not None:
        status = _about(status, config)
    started_s = status.daemon.started_s if status.daemon else now_s
    figures = read_figures(
        journal_of(config), scope_of(config), since_s=now_s - DAY_S, started_s=started_s
    )
    running = is_running(config)
    report = make_report(
        config,
        status,
        running=running,
        rival="" if running or just_synced else served_elsewhere(config),
        now_s=now_s,
        trouble=read_trouble(config),
        just_synced=just_synced,
    )
    return OverallState(report, figures, conditions_of(report, now_s), now_s)


def _narrowed(config: Config, connection: str) -> Config:
    only = tuple(each for each in config.connection if each.name == connection)
    return config.model_copy(update={"connection": only})


def _about(status: Status, config: Config) -> Status:
    """Return the status without what other connections of the daemon or the iModel do."""
    names = {each.name for each in config.connection}
    runs = tuple(run for run in status.runs if run.connection in names)
    daemon = status.daemon
    if daemon is not None:
        sources = scope_of(config).sources
        unsettled = tuple(each for each in daemon.unsettled_files if each.source in sources)
        all_named = len(daemon.unsettled_files) == daemon.unsettled
        number = len(unsettled) if all_named else daemon.unsettled
        daemon = replace(daemon, unsettled=number, unsettled_files=unsettled)
    return replace(status, daemon=daemon, runs=runs)
