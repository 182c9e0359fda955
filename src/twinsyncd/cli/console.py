"""The console that commands print to: as wide as a terminal, and without any width in a pipe."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

NO_WIDTH: Final = 10_000  # columns; a program that reads the output gets one line per entry


def open_console() -> Console:
    """Return a console for standard output; COLUMNS in the environment sets its width."""
    from rich.console import Console

    has_width = sys.stdout.isatty() or bool(os.environ.get("COLUMNS"))
    return Console(highlight=False, width=None if has_width else NO_WIDTH)
