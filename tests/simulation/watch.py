"""What is expected of one lane: patience after failures, no blind requests, few looks."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from twinsyncd.core.model import FileKey


@dataclass
class Watch:
    """What is expected of one lane."""

    failures: int = 0
    not_before_s: float = 0.0
    failed_s: float = 0.0  # when the last failure that counts was heard
    shift_s: float = 0.0  # of the wall clock, when that was said
    asking: bool = False  # a start request is on its way
    lost: bool = False  # its answer was lost and nobody has looked yet
    recent: deque[float] = field(default_factory=deque)
    stored_s: dict[FileKey, float] = field(default_factory=dict)  # when the last store began
    placed_s: dict[FileKey, float] = field(default_factory=dict)  # likewise, the last renaming
    looks: Counter[str] = field(default_factory=Counter)
    first_s: dict[str, float] = field(default_factory=dict)
    halted: bool = False  # the last failure that counts needs a person

    def succeeded(self) -> None:
        """Note that a call succeeded."""
        self.failures, self.halted = 0, False

    def end_waits(self) -> None:
        """Expect no wait any more, because a person asked."""
        self.failures, self.not_before_s = 0, 0.0
        self.looks.clear()
