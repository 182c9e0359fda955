"""A connection to a server whose every call ends: without a byte for some time it is given up.

A network that silently drops what it carries, or a proxy that froze, answers nothing and closes
nothing. Keep-alive packets do not show that, if it is the proxy that answers them.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import psycopg

T = TypeVar("T")


@dataclass(slots=True)
class Hurry:
    """How long calls on the connections that are open now may be silent, whatever theirs is."""

    opened_until_s: float = float("-inf")  # monotonic
    silence_s: float = float("inf")


_HURRY: Final = Hurry()


def limit_open_calls(silence_s: float) -> None:
    """Let calls of this process that are under way wait no longer than that.

    From any thread, and from a signal handler: it takes no lock.
    """
    _HURRY.silence_s = silence_s
    _HURRY.opened_until_s = time.monotonic()


class LimitedConnection(psycopg.Connection[Any]):
    """Raises OperationalError, and is closed, once a call has seen no byte for `silence_s`."""

    silence_s = float("inf")

    def __init__(self, *args: Any, **named: Any) -> None:
        """As the driver's own."""
        super().__init__(*args, **named)
        self._opened_s = time.monotonic()

    @property
    def patience_s(self) -> float:
        """For how long a call may see no byte now."""
        is_hurried = self._opened_s <= _HURRY.opened_until_s
        return min(self.silence_s, _HURRY.silence_s) if is_hurried else self.silence_s

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **named: Any) -> T:
        """Return what the generator of a call returns; all calls of the driver come this way."""
        return super().wait(self._limited(gen), *args, **named)

    def _limited(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        heard_s = time.monotonic()
        try:
            awaited = next(gen)
            while True:
                ready = yield awaited
                now_s = time.monotonic()
                if ready:  # something came, or can be sent
                    heard_s = now_s
                elif now_s > heard_s + self.patience_s:
                    self.pgconn.finish()
                    message = f"the server has not answered for {now_s - heard_s:.0f} s"
                    raise psycopg.OperationalError(message)
                awaited = gen.send(ready)
        except StopIteration as done:
            result: T = done.value
            return result
