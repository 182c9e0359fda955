"""/healthz: whether everything works, and if not, why; for load balancers and watchdogs.

503 when something needs a person, or the daemon hangs. What ends by itself is listed and is no
reason to wake anybody. /livez asks less: whether the daemon itself works, so that a supervisor
does not restart it for a file that a person must correct.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..redact import redact_for_person
from ..runtime.conditions import Kind, conditions_of
from ..runtime.report import Report
from ..runtime.report_lines import Level


@dataclass(frozen=True, slots=True)
class Health:
    """`reasons`: why a person must act; `waits`: what ends by itself."""

    reasons: tuple[str, ...]
    waits: tuple[str, ...]
    alive: bool

    @property
    def is_well(self) -> bool:
        """Return whether nobody is needed."""
        return not self.reasons


def health_of(report: Report, now_s: float) -> Health:
    """Return how the daemon and its work are at `now_s` (wall clock [s])."""
    found = conditions_of(report, now_s)
    named = [(each, f"{each.about}: {redact_for_person(each.text)}; {each.fix}") for each in found]
    return Health(
        reasons=tuple(text for each, text in named if each.level is Level.BAD),
        waits=tuple(text for each, text in named if each.level is not Level.BAD),
        alive=not any(each.kind is Kind.DAEMON for each in found),
    )
