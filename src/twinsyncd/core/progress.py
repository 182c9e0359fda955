"""What a daemon is at, as its heartbeat says it to people; nothing is decided by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .model import SourceKey

SKEW_WARNED_S: Final = 60.0  # an answer's time has whole seconds, and the answer takes some
SET_CLOCK: Final = "set the clock: timedatectl set-ntp true (Windows: w32tm /resync)"


@dataclass(frozen=True, slots=True)
class UploadsUnderWay:
    """The uploads of one moment together; `bytes_per_s` over the last seconds, 0: not known."""

    files: int
    sent_bytes: int
    total_bytes: int
    bytes_per_s: float

    @property
    def left_s(self) -> float | None:
        """The seconds that the rest takes at this speed; None while that is not known."""
        if self.bytes_per_s <= 0.0:
            return None
        return max(self.total_bytes - self.sent_bytes, 0) / self.bytes_per_s


@dataclass(frozen=True, slots=True)
class RequestPacing:
    """A host's rate limit that requests wait for: so many are left until then.

    `limit`: of how many, 0: not known. `until_s`: wall clock [s].
    """

    host: str
    left: int
    limit: int
    until_s: float


@dataclass(frozen=True, slots=True)
class UnsettledFile:
    """A file that is not known to be settled, as shown to a person."""

    source: SourceKey
    path: str
    since_s: float  # wall clock [s] since when
    awaits: str  # what it waits for


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What no other row of the journal says of a daemon that is alive."""

    is_idle: bool
    unsettled: int  # files that are not known to be settled
    unsettled_files: tuple[UnsettledFile, ...] = ()  # some of them
    uploads: UploadsUnderWay | None = None  # those under way together
    pacing: RequestPacing | None = None  # the rate limit that requests wait for
    unlisted: tuple[SourceKey, ...] = ()  # sources not scanned since the start
    ahead_of_platform_s: float = 0.0  # how far this machine's clock is ahead of the platform's
