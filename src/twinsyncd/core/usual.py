"""How long the runs of a connection usually take, and from when on one takes too long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

REMEMBERED_MAX: Final = 20  # newest runs of a connection: a usage that changed is learnt in days
REMEMBERED_LEAST: Final = 3  # fewer say nothing; the first run of all takes every file
TIMES: Final = 4.0  # as long as usual; a run over many files may well take thrice as long
FLOOR_S: Final = 900.0  # nobody is told of a run that is shorter, however short others are
UNKNOWN_S: Final = 6 * 3600.0  # nothing is usual yet, but no run may go on for ever untold


def usual_s(lengths_s: Sequence[float]) -> float:
    """Return how long runs of these lengths usually take [s]; 0 while too few are known."""
    sane = sorted(each for each in lengths_s if each >= 0.0)  # a clock may have been set
    return sane[len(sane) // 2] if len(sane) >= REMEMBERED_LEAST else 0.0


def alarm_s(usual_s: float) -> float:
    """Return after how long [s] a person is told of a run that goes on."""
    return max(usual_s * TIMES, FLOOR_S) if usual_s else UNKNOWN_S
