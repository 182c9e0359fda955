"""What is under way, and what slows it, for people; nothing is decided by it."""

from __future__ import annotations

from dataclasses import dataclass

from .model import SourceKey


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
