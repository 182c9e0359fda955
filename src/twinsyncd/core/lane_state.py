"""A lane's durable row, and when it may try again after failures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .events import Event, EventKind, EventLog
from .model import NO_CONNECTION, ConnectionKey, Failure, Fault, LaneRow, Now, Phase
from .transitions import Cause, may_enter
from .waits import delay_s

WAIT_MAX_S: Final = 3600.0  # whatever the service asks for, something is tried every hour
HALT_S: Final = 300.0  # a halted lane tries again by itself this often
POLL_FIRST_S: Final = 0.25  # a small run is over in a second; the interval grows from here
POLL_GROWTH: Final = 1.5
_PERSON: Final = (Fault.SIGNED_OUT, Fault.NOT_AUTHORISED)


@dataclass(slots=True)
class LaneState:
    """Keeps the durable row and the time before which nothing is tried."""

    row: LaneRow
    jitter: Callable[[], float]
    poll_max_s: float = 10.0
    due_s: float = 0.0  # monotonic [s]
    entered_s: float = 0.0  # monotonic [s] at which the phase was entered
    held_s: float = 0.0  # monotonic [s] at which the last wait ends; polls do not count
    asking: bool = False  # a command other than a store is under way
    changed: bool = False  # the row must be committed
    events: EventLog = field(default_factory=EventLog)
    home: ConnectionKey = NO_CONNECTION  # names the lane in events while it has served none
    _poll_s: float = POLL_FIRST_S
    _failed_s: float = -math.inf  # monotonic [s] of the last failure that was counted
    _refused_s: float = -math.inf  # likewise, of the last refusal for the request rate

    def resume(self, now: Now) -> None:
        """Continue a wait that an earlier process began; a clock that jumped is capped."""
        self.due_s = now.at_s + min(max(self.row.not_before_s - now.wall_s, 0.0), HALT_S)
        self.held_s = self.due_s
        self.entered_s = now.at_s - max(now.wall_s - self.row.since_s, 0.0)

    def set(self, **changes: Any) -> None:
        """Replace fields of the row."""
        row = replace(self.row, **changes)
        self.changed |= row != self.row
        self.row = row

    def enter(self, phase: Phase, cause: Cause, now: Now, **changes: Any) -> None:
        """Change the phase; the poll interval starts again at its shortest."""
        before = self.row.phase
        assert may_enter(before, cause, phase), f"{before} must not become {phase} by {cause}"
        self._poll_s, self.entered_s = POLL_FIRST_S, now.at_s
        self.set(phase=phase, since_s=now.wall_s, usual_s=None, **changes)

    def poll_later(self, now: Now) -> None:
        """Wait until the next look at the run, longer each time."""
        self.due_s = now.at_s + self._poll_s
        self._poll_s = min(self._poll_s * POLL_GROWTH, self.poll_max_s)

    def wait(self, wait_s: float, now: Now) -> None:
        """Try nothing for a while, also after a restart; a longer wait in progress stays."""
        self.due_s = max(self.due_s, now.at_s + min(wait_s, WAIT_MAX_S))
        self.held_s = max(self.held_s, self.due_s)
        self.set(not_before_s=now.wall_s + self.due_s - now.at_s)

    def is_held(self, now: Now) -> bool:
        """Return whether nothing more than what is under way may be asked of the service."""
        row = self.row
        return now.at_s < self.held_s or bool(row.attempts or row.throttles or row.halt)

    def succeeded(self, now: Now) -> None:
        """Reset the count of failures; waits stay, another request may have asked for them.

        What succeeds while the service limits the rate, or while the lane is halted, began before:
        the reason stays as well.
        """
        if self.row.halt and now.at_s < self.held_s:
            return
        ends = {} if self._awaits_rate(now) else {"throttles": 0, "wait_reason": ""}
        if self.row.halt or (self.row.wait_reason and ends):
            self._note(EventKind.LANE_RESUMED, now, "")
        self.set(attempts=0, halt="", needs_person=False, **ends)

    def failed(self, failure: Failure, now: Now, *, begun_s: float = math.inf) -> None:
        """Wait longer after each failure in a row; halt where only a person can help.

        Nobody signed in is no halt: whoever signs in needs nothing else to let it go on.

        A command begun before the last failure, at `begun_s` [s], failed for the same reason, so
        it is not counted again.
        """
        if failure.fault is Fault.THROTTLED:
            self._throttled(failure, now, begun_s)
            return
        person = failure.fault in _PERSON
        halted = not person and failure.fault is not Fault.TRANSIENT
        if failure.fault is Fault.TRANSIENT and begun_s <= self._failed_s:
            self.wait(failure.retry_after_s, now)
            return
        self._failed_s = now.at_s
        attempts = self.row.attempts + 1
        wait_s = HALT_S if halted else delay_s(attempts, self.jitter())
        self.wait(max(wait_s, failure.retry_after_s), now)
        if halted and failure.message != self.row.halt:
            self._note(EventKind.LANE_HALTED, now, failure.message)
        elif not halted:
            kind = EventKind.SIGN_IN_NEEDED if person else EventKind.LANE_WAITS
            self.give_reason(failure.message, now, kind)
        halt = "" if person else self.row.halt
        self.set(attempts=attempts, halt=failure.message if halted else halt, needs_person=person)

    def hurry(self, now: Now) -> None:
        """End the wait, on a person's request."""
        self.due_s = self.held_s = now.at_s
        ended = {"halt": "", "not_before_s": 0.0, "needs_person": False}
        self.set(attempts=0, throttles=0, fruitless=0, **ended)

    def give_reason(self, reason: str, now: Now, kind: EventKind = EventKind.LANE_WAITS) -> None:
        """Keep why the lane waits; the same reason again is no event."""
        if reason != self.row.wait_reason:
            self._note(kind, now, reason)
            self.set(wait_reason=reason)

    def _throttled(self, failure: Failure, now: Now, begun_s: float) -> None:
        """Wait as long as requested, and longer each time that was in vain.

        The refusals of what was under way together are one: only the longest request counts.
        """
        if begun_s <= self._refused_s or self._awaits_rate(now):
            self.wait(failure.retry_after_s, now)
            return
        self._refused_s = now.at_s
        self.set(throttles=self.row.throttles + 1)
        self.give_reason(failure.message, now)
        jitter = 0.0 if failure.retry_after_s else self.jitter()
        self.wait(max(failure.retry_after_s, delay_s(self.row.throttles, jitter)), now)

    def _awaits_rate(self, now: Now) -> bool:
        """Return whether nothing new is asked, since the service limits the request rate."""
        return bool(self.row.throttles) and now.at_s < self.held_s

    def _note(self, kind: EventKind, now: Now, text: str) -> None:
        connection = self.row.connection or self.home
        self.events.add(Event(kind, now.wall_s, connection, text=text))
