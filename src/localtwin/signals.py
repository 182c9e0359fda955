"""Signals that stop the server."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def stop_on_signals() -> Iterator[None]:
    """End the context quietly when a signal stops the server.

    uvicorn stops cleanly and then raises the signal again, for the handler set before its own.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wanted = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, _ended) for number in wanted}
    try:
        yield
    except _Ended:
        return
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Ended(BaseException):
    """A signal stopped the server."""


def _ended(_signal: int, _frame: object) -> None:
    raise _Ended
