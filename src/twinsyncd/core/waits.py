"""How long to wait after failures, and after which time a run takes too long; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BASE_S: Final = 1.0
CAP_S: Final = 300.0  # a platform that came back is noticed within five minutes
_DOUBLINGS_MAX: Final = 16  # keeps the power small; the cap is reached long before

RUNS_KEPT: Final = 20  # newest runs of a connection: a usage that changed is learnt in days
RUNS_LEAST: Final = 3  # fewer say nothing; the very first run takes every file
ALARM_FACTOR: Final = 4.0  # a run over many files may well take three times as long as usual
ALARM_LEAST_S: Final = 900.0  # no alarm for a shorter run, however short the others are
ALARM_UNKNOWN_S: Final = 6 * 3600.0  # nothing is usual yet, but no run goes on unreported for ever


def delay_s(attempts: int, jitter: float, *, base_s: float = BASE_S, cap_s: float = CAP_S) -> float:
    """Return the wait before try `attempts` + 1: doubling from `base_s`, at most `cap_s`.

    `jitter` in [0, 1) reduces it by up to a half, so that many waiters do not return at once.
    """
    full = min(cap_s, base_s * 2.0 ** min(max(attempts - 1, 0), _DOUBLINGS_MAX))
    return full * (1.0 - jitter / 2.0)


def usual_s(lengths_s: Sequence[float]) -> float:
    """Return how long runs of these lengths usually take [s]; 0 while too few are known."""
    sane = sorted(each for each in lengths_s if each >= 0.0)  # the clock may have been set
    return sane[len(sane) // 2] if len(sane) >= RUNS_LEAST else 0.0


def alarm_s(usual_s: float) -> float:
    """Return after how long [s] a run that goes on is reported to a person."""
    return max(usual_s * ALARM_FACTOR, ALARM_LEAST_S) if usual_s else ALARM_UNKNOWN_S
