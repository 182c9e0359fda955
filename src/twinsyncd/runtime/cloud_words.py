"""What to say of others' changes in the cloud, and of a clock that is not the platform's."""

from __future__ import annotations

from typing import Final

from ..core.progress import SKEW_WARNED_S
from ..journal.differences import TOLD_S, Differences
from .formatting import count, duration

PUT_RIGHT: Final = (
    "nothing: it is put right by itself; if it was meant, take the file off the drive or exclude "
    "it; all of it: twinsyncd history --since 1d"
)


def differences_text(found: Differences | None, now_s: float) -> str:
    """Return what others did in the last day, as it must be known when it is mended; or ""."""
    if found is None or found.last_s < now_s - TOLD_S:
        return ""
    last = f"{found.last.source}/{found.last.path}: {found.text}"
    if found.count == 1:
        return last
    return f"others changed {count(found.count, 'file')} in the cloud, the last one {last}"


def clock_text(ahead_s: float) -> str:
    """Return how far the clock is off, if that is more than an answer may take; else ""."""
    if abs(ahead_s) <= SKEW_WARNED_S:
        return ""
    way = "ahead of" if ahead_s > 0 else "behind"
    return f"the clock of this machine is {duration(abs(ahead_s))} {way} the platform's"
