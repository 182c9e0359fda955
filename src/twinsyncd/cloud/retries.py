"""Repeats one idempotent call a few times; anything longer is the machine's decision."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential,
    wait_random,
)

from ..core.model import Fault
from ..errors import CloudError

TRIES_MAX: Final = 3
LONGEST_S: Final = 30.0  # a longer wait must survive a restart and be visible
_BACKOFF: Final = wait_exponential(multiplier=0.3, exp_base=3.0, max=5.0) + wait_random(0.0, 0.3)

Sleep = Callable[[float], None]
T = TypeVar("T")


def retrying(sleep: Sleep = time.sleep) -> Retrying:
    """Return a policy to call functions through; it may be shared by threads.

    At most three tries within 30 s; waits as long as the service requests, or gives up at once
    when that is too long. The last error is raised as it was, but that it names an earlier try
    without an answer, which may still take effect.
    """
    return _Repeating(
        sleep=sleep,
        stop=stop_after_attempt(TRIES_MAX) | stop_before_delay(LONGEST_S),
        wait=_wait_s,
        retry=retry_if_exception(_is_worth_repeating),
        reraise=True,
    )


class _Repeating(Retrying):
    """Notes in a failure whether an earlier try of the same call got no answer."""

    def __call__(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        unanswered = False

        def once(*args: Any, **kwargs: Any) -> T:
            nonlocal unanswered
            try:
                return fn(*args, **kwargs)
            except CloudError as exc:
                exc.failure = replace(exc.failure, unanswered=unanswered)
                unanswered |= exc.failure.fault is Fault.TRANSIENT
                raise

        return super().__call__(once, *args, **kwargs)


def _is_worth_repeating(exc: BaseException) -> bool:
    return isinstance(exc, CloudError) and exc.failure.fault in {Fault.TRANSIENT, Fault.THROTTLED}


def _wait_s(state: RetryCallState) -> float:
    exc = state.outcome.exception() if state.outcome else None
    asked_s = exc.failure.retry_after_s if isinstance(exc, CloudError) else 0.0
    return asked_s or _BACKOFF(state)
