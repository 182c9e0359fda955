"""Carries out the short rules that every upload needs, on the event loop where it can.

Handing a rule to a thread and its result back costs more than such a rule does. One that would
wait for another's transaction goes to a thread all the same: the loop never waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from starlette.concurrency import run_in_threadpool

Result = TypeVar("Result")


class Desk(Protocol):
    """Where rules write."""

    @property
    def writing(self) -> bool:
        """Whether a write is under way, so that another would wait for it."""


async def on_event_loop(desk: Desk, rule: Callable[[], Result]) -> Result:
    """Return what `rule` does; it writes little, and reads little but by key."""
    return await run_in_threadpool(rule) if desk.writing else rule()
