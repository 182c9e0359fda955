"""Every transition of a lane: from a phase, by a cause, to the phases that may follow.

`LaneState.enter` refuses every other one, so this table is complete by construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from . import facts
from .model import Phase


class Occasion(StrEnum):
    """A cause that is no fact."""

    PLANNED = "planned"  # content is ready for a run
    CLOSED = "closed"  # the time in which runs of the connection may begin is over
    RESUMED = "resumed"  # the process started, and the connection is not configured any more


Cause = Occasion | type[facts.RunFact]

TRANSITIONS: Final[Mapping[tuple[Phase, Cause], frozenset[Phase]]] = {
    (Phase.QUIET, Occasion.PLANNED): frozenset({Phase.PREPARING}),
    (Phase.PREPARING, facts.Prepared): frozenset({Phase.STARTING, Phase.QUIET}),
    (Phase.STARTING, facts.RunStarted): frozenset({Phase.RUNNING}),
    (Phase.STARTING, facts.RunRefused): frozenset({Phase.RUNNING, Phase.BLOCKED}),
    (Phase.STARTING, facts.RunFound): frozenset({Phase.RUNNING}),
    (Phase.STARTING, facts.StartFailed): frozenset({Phase.QUIET}),
    (Phase.STARTING, facts.RunLookFailed): frozenset({Phase.QUIET}),
    (Phase.RUNNING, facts.RunSeen): frozenset({Phase.QUIET}),
    (Phase.RUNNING, facts.RunLookFailed): frozenset({Phase.QUIET}),
    (Phase.BLOCKED, facts.RunSeen): frozenset({Phase.QUIET}),
    (Phase.BLOCKED, facts.RunLookFailed): frozenset({Phase.QUIET}),
    (Phase.PREPARING, Occasion.CLOSED): frozenset({Phase.QUIET}),
    (Phase.STARTING, Occasion.CLOSED): frozenset({Phase.QUIET}),
    (Phase.PREPARING, Occasion.RESUMED): frozenset({Phase.QUIET}),
    (Phase.STARTING, Occasion.RESUMED): frozenset({Phase.QUIET}),
    (Phase.RUNNING, Occasion.RESUMED): frozenset({Phase.BLOCKED}),
    (Phase.BLOCKED, Occasion.RESUMED): frozenset({Phase.BLOCKED}),
}
"""All other causes leave the phase as it is."""


def may_enter(before: Phase, cause: Cause, after: Phase) -> bool:
    """Return whether the table allows this transition."""
    return after in TRANSITIONS.get((before, cause), ())
