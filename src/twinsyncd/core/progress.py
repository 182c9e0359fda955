"""How far the uploads under way are, and what slows them, for people; nothing is decided by it."""

from __future__ import annotations

from dataclasses import dataclass


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
