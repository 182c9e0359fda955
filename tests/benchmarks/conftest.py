"""Prints the table of figures after the last benchmark; a red row fails the run."""

from __future__ import annotations

import pytest

from . import table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print it where pytest sums up."""
    if shown := table.text():
        terminalreporter.write_line(shown)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Let a missed target end the run with 1, as a broken benchmark does."""
    if exitstatus == pytest.ExitCode.OK and table.red():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
