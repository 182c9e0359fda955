"""Faults on demand: what goes wrong in the real world, for rehearsals and tests.

A switch is written KIND or KIND=VALUE, optionally followed by @PATH and xTIMES:
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
    """What can go wrong; _MEANINGS says what each does, _DEFAULTS the value it has by default."""

    LATENCY = "latency"
    THROTTLE = "throttle"
    ERROR = "error"
    LOST_ANSWER = "lost-answer"
    LATE_EFFECT = "late-effect"
    SIGNED_OUT = "signed-out"
    EXPIRED_URL = "expired-url"
    SLOW_RUN = "slow-run"
    STUCK_RUN = "stuck-run"
    FOREIGN_RUN = "foreign-run"
    FAILED_RUN = "failed-run"
    FAILED_FILE = "failed-file"
    SKIPPED_FILE = "skipped-file"
    UNAUTHENTICATED_RUN = "unauthenticated-run"
    EXPIRED_AUTHORIZATION = "expired-authorization"


_DEFAULTS = {
    Fault.LATENCY: 1.0,
    Fault.THROTTLE: 1.0,
    Fault.ERROR: 503.0,
    Fault.LATE_EFFECT: 1.0,
    Fault.SLOW_RUN: 10.0,
    Fault.FOREIGN_RUN: 10.0,
}
_MEANINGS = {
    Fault.LATENCY: "seconds before each request is served",
    Fault.THROTTLE: "requests are answered 429; seconds of Retry-After",
    Fault.ERROR: "requests are answered with this status, and nothing is done",
    Fault.LOST_ANSWER: "requests are carried out, but the connection breaks before the answer",
    Fault.LATE_EFFECT: "requests are answered 504, and carried out that many seconds later",
    Fault.SIGNED_OUT: "requests are answered 401, as if the token had expired",
    Fault.EXPIRED_URL: "upload and download URLs are answered 403",
    Fault.SLOW_RUN: "runs take that many seconds longer",
    Fault.STUCK_RUN: "runs execute until the fault is cleared or they time out",
    Fault.FOREIGN_RUN: "somebody else's run is active first, for that many seconds",
    Fault.FAILED_RUN: "runs fail as a whole before they have tasks; a report says why",
    Fault.FAILED_FILE: "the first file of a run fails",
    Fault.SKIPPED_FILE: "unchanged files end with Skipped instead of Success",
    Fault.UNAUTHENTICATED_RUN: "runs end with UserNotAuthenticated, until the user consents",
    Fault.EXPIRED_AUTHORIZATION: "the user's consent to runs has expired, until given again",
}
_TEXT = re.compile(
    r"(?P<kind>[a-z-]+)(=(?P<value>\d+(\.\d+)?))?(@(?P<path>/\S*))?(\s*x(?P<times>\d+))?"
)


@dataclass(frozen=True, slots=True)
class Switch:
    """One fault, for paths that begin with `path`, `times` times or until it is cleared."""

    kind: Fault
    value: float = 0.0
    path: str = ""
    times: int | None = None


class Faults:
    """The switches that are on; any thread may read and change them."""

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


def kinds_text() -> str:
    """Return one line for each kind, with its default value and what it does."""
    lines = []
    for kind in Fault:
        value = f"={_DEFAULTS[kind]:g}" if kind in _DEFAULTS else ""
        lines.append(f"  {kind + value:22} {_MEANINGS[kind]}")
    return "\n".join(lines)


def parse(text: str) -> Switch:
    """Return the switch that `text` writes; raises SetupError with the known kinds."""
    found = _TEXT.fullmatch(text.strip())
    try:
        kind = Fault(found["kind"]) if found else None
    except ValueError:
        kind = None
    if found is None or kind is None:
        message = f"{text!r} is no fault; write KIND[=VALUE][@PATH][xTIMES] with one of"
        raise SetupError(f"{message}\n{kinds_text()}")
    value = float(found["value"]) if found["value"] else _DEFAULTS.get(kind, 0.0)
    times = int(found["times"]) if found["times"] else None
    return Switch(kind, value, found["path"] or "", times)
