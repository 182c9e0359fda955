"""Who may ask next where many wait: those who wait for the same connection in order, these in turn.

So a connection with one look at its run waits behind one upload of another, not behind thousands.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ASKER: ContextVar[str] = ContextVar("asker", default="")


@contextmanager
def asking_for(connection: str) -> Iterator[None]:
    """Let requests of this thread count as the connection's."""
    token = _ASKER.set(connection)
    try:
        yield
    finally:
        _ASKER.reset(token)


def asker() -> str:
    """Return for which connection this thread asks; "" for none."""
    return _ASKER.get()


class Turns:
    """The queue; whoever uses it from several threads guards it."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._waiting: OrderedDict[str, deque[object]] = OrderedDict()

    def join(self, name: str) -> object:
        """Return a ticket at the end of that name's queue."""
        ticket = object()
        self._waiting.setdefault(name, deque()).append(ticket)
        return ticket

    def first(self) -> object | None:
        """Return the ticket whose turn it is; None if nobody waits."""
        return next((queue[0] for queue in self._waiting.values()), None)

    def leave(self, name: str, ticket: object) -> None:
        """Take a ticket out; if its turn had come, its name's next turn is after all others'."""
        queue = self._waiting[name]
        had_turn = queue[0] is ticket and self.first() is ticket
        queue.remove(ticket)
        if not queue:
            del self._waiting[name]
        elif had_turn:
            self._waiting.move_to_end(name)
