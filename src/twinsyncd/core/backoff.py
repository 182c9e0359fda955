"""How long to wait after failures; pure, the randomness is an argument."""

from __future__ import annotations

from typing import Final

BASE_S: Final = 1.0
CAP_S: Final = 300.0  # a platform that came back is noticed within five minutes
_DOUBLINGS_MAX: Final = 16  # keeps the power small; the cap is reached long before


def delay_s(attempts: int, jitter: float, *, base_s: float = BASE_S, cap_s: float = CAP_S) -> float:
    """Return the wait before try `attempts` + 1: doubling from `base_s`, at most `cap_s`.

    `jitter` in [0, 1) takes up to half of it off, so that many waiters do not return at once.
    """
    full = min(cap_s, base_s * 2.0 ** min(max(attempts - 1, 0), _DOUBLINGS_MAX))
    return full * (1.0 - jitter / 2.0)
