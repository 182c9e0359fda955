"""A connection to a server whose every call ends: without a byte for some time it is given up.

A network that silently drops what it carries, or a proxy that froze, answers nothing and closes
nothing. Keep-alive packets do not show that, if it is the proxy that answers them.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")


class LimitedConnection(psycopg.Connection[Any]):
    """Raises OperationalError, and is closed, once a call has seen no byte for `silence_s`."""

    silence_s = float("inf")

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **named: Any) -> T:
        """Return what the generator of a call returns; all calls of the driver come this way."""
        return super().wait(self._limited(gen), *args, **named)

    def _limited(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        end_s = time.monotonic() + self.silence_s
        try:
            awaited = next(gen)
            while True:
                ready = yield awaited
                now_s = time.monotonic()
                if ready:  # something came, or can be sent
                    end_s = now_s + self.silence_s
                elif now_s > end_s:
                    self.pgconn.finish()
                    message = f"the server has not answered for {self.silence_s:.0f} s"
                    raise psycopg.OperationalError(message)
                awaited = gen.send(ready)
        except StopIteration as done:
            result: T = done.value
            return result
