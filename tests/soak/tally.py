"""What happened in a soak so far, and what should not have."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .acts import Program
from .judge import Violation


@dataclass(slots=True)
class Tally:
    """What happened, and what should not have."""

    rounds: int = 0
    rests: int = 0
    files: int = 0
    kills: Counter[Program] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)  # what a kill interrupted
    runs: int = 0
    foreign: int = 0
    uploads: int = 0
    outages: int = 0
    harm: int = 0
    rewinds: int = 0
    busiest: int = 0  # requests within ten seconds
    excused: int = 0
    longest_rest_s: float = 0.0
    violations: list[Violation] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """Return how many violations of one kind there are."""
        return sum(violation.kind == kind for violation in self.violations)
