"""Prints the table of figures after the last benchmark."""

from __future__ import annotations

import pytest

from . import table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print it where pytest sums up."""
    if shown := table.text():
        terminalreporter.write_line(shown)
