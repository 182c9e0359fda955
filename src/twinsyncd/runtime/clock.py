"""The only place of the shell that reads the clock."""

from __future__ import annotations

import time

from ..core.model import Now


def read_clock() -> Now:
    """Return this moment."""
    return Now(time.monotonic(), time.time())
