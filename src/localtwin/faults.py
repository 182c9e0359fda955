"""Faults on demand: what goes wrong in the real world, for rehearsals and tests.

A switch is written KIND, KIND=VALUE, with @PATH and xTIMES behind it where wanted:
`throttle=2@/storage x3` answers the next three Storage requests 429 with Retry-After 2.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from localtwin.errors import SetupError


class Fault(StrEnum):
    """What can go wrong; the number behind it is its value's meaning and default."""

    LATENCY = "latency"  # seconds before the request is served: 1
    THROTTLE = "throttle"  # answered 429; seconds of Retry-After: 1
    ERROR = "error"  # answered with this status, nothing done: 503
    LOST_ANSWER = "lost-answer"  # done, but the connection breaks before the answer
    LATE_EFFECT = "late-effect"  # answered 504, and done that many seconds later: 1
    SIGNED_OUT = "signed-out"  # answered 401, as if the token had expired
    EXPIRED_URL = "expired-url"  # upload and download URLs answer 403
    SLOW_RUN = "slow-run"  # the run takes that many seconds longer: 10
    STUCK_RUN = "stuck-run"  # the run executes until the switch is taken back or it times out
    FOREIGN_RUN = "foreign-run"  # somebody else's run is in the way, for that many seconds: 10
    FAILED_FILE = "failed-file"  # the first file of the run fails, so others may succeed
    SKIPPED_FILE = "skipped-file"  # unchanged files end with Skipped instead of Success
    UNAUTHENTICATED_RUN = "unauthenticated-run"  # the run ends with UserNotAuthenticated
    EXPIRED_AUTHORIZATION = "expired-authorization"  # the user's consent to runs has expired


_DEFAULTS = {
    Fault.LATENCY: 1.0,
    Fault.THROTTLE: 1.0,
    Fault.ERROR: 503.0,
    Fault.LATE_EFFECT: 1.0,
    Fault.SLOW_RUN: 10.0,
    Fault.FOREIGN_RUN: 10.0,
}
_TEXT = re.compile(
    r"(?P<kind>[a-z-]+)(=(?P<value>\d+(\.\d+)?))?(@(?P<path>/\S*))?(\s*x(?P<times>\d+))?"
)


@dataclass(frozen=True, slots=True)
class Switch:
    """One fault, for paths that begin so, a number of times or until it is taken back."""

    kind: Fault
    value: float = 0.0
    path: str = ""
    times: int | None = None


class Faults:
    """The switches that are on; any thread may ask and change."""

    def __init__(self, switches: Iterable[Switch] = ()) -> None:
        self._switches = list(switches)
        self._lock = threading.Lock()

    def add(self, switch: Switch) -> None:
        """Turn a switch on."""
        with self._lock:
            self._switches.append(switch)

    def clear(self) -> None:
        """Turn every switch off."""
        with self._lock:
            self._switches.clear()

    def remove(self, *kinds: Fault) -> None:
        """Turn off every switch of those kinds."""
        with self._lock:
            self._switches = [each for each in self._switches if each.kind not in kinds]

    def on(self) -> list[Switch]:
        """Return the switches that are on."""
        with self._lock:
            return list(self._switches)

    def take(self, *kinds: Fault, path: str = "") -> Switch | None:
        """Return the first switch of those kinds for `path`, counting one use of it."""
        if not self._switches:
            return None
        with self._lock:
            for index, switch in enumerate(self._switches):
                if switch.kind in kinds and path.startswith(switch.path):
                    self._count(index, switch)
                    return switch
        return None

    def _count(self, index: int, switch: Switch) -> None:
        if switch.times is None:
            return
        if switch.times <= 1:
            del self._switches[index]
        else:
            self._switches[index] = replace(switch, times=switch.times - 1)


def parse(text: str) -> Switch:
    """Return the switch that `text` writes; raises SetupError with the known kinds."""
    found = _TEXT.fullmatch(text.strip())
    try:
        kind = Fault(found["kind"]) if found else None
    except ValueError:
        kind = None
    if found is None or kind is None:
        known = ", ".join(Fault)
        raise SetupError(f"{text!r} is no fault; write KIND[=VALUE][@PATH][xTIMES] with {known}")
    value = float(found["value"]) if found["value"] else _DEFAULTS.get(kind, 0.0)
    times = int(found["times"]) if found["times"] else None
    return Switch(kind, value, found["path"] or "", times)
