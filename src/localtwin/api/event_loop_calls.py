"""Runs the short calls that every upload needs on the event loop, without a thread.

Passing such a call to a thread and its result back costs more than the call. A call that would
wait for another transaction goes to a thread all the same: the loop never waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from starlette.concurrency import run_in_threadpool

Result = TypeVar("Result")


class WriteLock(Protocol):
    """Reports whether the database's one writer is busy."""

    @property
    def writing(self) -> bool:
        """Whether a write is under way, so that another would wait for it."""


async def on_event_loop(lock: WriteLock, call: Callable[[], Result]) -> Result:
    """Return the result of `call`, which must write little and read by key only."""
    return await run_in_threadpool(call) if lock.writing else call()
