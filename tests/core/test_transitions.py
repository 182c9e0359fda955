# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The table of a lane's transitions is complete, and every row of it is needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import test_reconfigured
import test_run_windows
import test_runs
from core_script import ONE, failure, preparing, starting

from simulation.world import World
from twinsyncd.core import facts
from twinsyncd.core.lane_state import LaneState
from twinsyncd.core.model import Fault, LaneRow, Now, Phase
from twinsyncd.core.setup import Connection, Setup, Source
from twinsyncd.core.transitions import TRANSITIONS, Cause, Occasion

WORLDS = range(60)


def blocked_run_of_a_connection_that_is_gone() -> None:
    """Reconfigure while somebody else's run is waited for."""
    script = starting().hears(facts.RunRefused("one", "theirs", on_our_connection=False)).says()
    script.setup = Setup((Connection("two", ONE.lane),), (Source("two/bim", "two"),))
    script.dies().meanwhile().lane(phase=Phase.BLOCKED, run="theirs")


def preparation_of_a_connection_that_is_gone() -> None:
    """Reconfigure while the connection is prepared."""
    script = preparing()
    script.setup = Setup((Connection("two", ONE.lane),), (Source("two/bim", "two"),))
    script.dies().meanwhile().lane(phase=Phase.QUIET)


def look_for_a_lost_run_of_a_connection_that_is_gone() -> None:
    """Look for the run whose answer was lost, and find that its connection was deleted."""
    script = starting().hears(test_runs.LOST).says().hears(after_s=1).says(test_runs.FIND)
    gone = facts.RunLookFailed("one", "", failure(Fault.GONE))
    script.hears(gone).says().lane(phase=Phase.QUIET, asks=0)


RARE: tuple[Callable[[], object], ...] = (
    blocked_run_of_a_connection_that_is_gone,
    preparation_of_a_connection_that_is_gone,
    look_for_a_lost_run_of_a_connection_that_is_gone,
    partial(
        test_reconfigured.test_what_a_connection_that_is_gone_had_asked_for_is_forgotten, starting
    ),
    partial(test_runs.test_a_foreign_run_that_cannot_be_seen_does_not_block_for_ever, Fault.GONE),
    test_runs.test_a_late_request_that_blocks_the_second_is_adopted,
    test_runs.test_a_connection_that_is_gone_at_the_start_is_prepared_anew,
    test_run_windows.test_a_preparation_that_outlasts_the_window_is_given_up,
    test_run_windows.test_a_start_that_was_refused_is_not_tried_again_by_day,
)
"""Plays of transitions that few worlds take."""


def test_an_unknown_transition_is_an_assertion() -> None:
    """A wrong phase would be durable; the process must stop before it commits one."""
    state = LaneState(LaneRow(ONE.lane), lambda: 0.0)

    with pytest.raises(AssertionError, match="quiet must not become running"):
        state.enter(Phase.RUNNING, facts.RunStarted, Now(0.0, 0.0))

    assert state.row.phase is Phase.QUIET


def test_every_row_of_the_table_happens_in_simulated_worlds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row that nothing takes is a mistake of the table, or a hole in the simulation."""
    seen: set[tuple[Phase, Cause, Phase]] = set()
    enter: Callable[..., None] = LaneState.enter

    def record(self: LaneState, phase: Phase, cause: Cause, now: Now, **changes: Any) -> None:
        seen.add((self.row.phase, cause, phase))
        enter(self, phase, cause, now, **changes)

    monkeypatch.setattr(LaneState, "enter", record)

    table = {(a, cause, b) for (a, cause), after in TRANSITIONS.items() for b in after}

    for play in RARE:
        play()
    for seed in WORLDS:
        if table - seen:
            World(seed).run()

    assert table - seen == set()


def test_a_cause_that_is_no_fact_has_its_own_name() -> None:
    """Facts name themselves; planning and start-up need a word each."""
    assert {each for _, each in TRANSITIONS if isinstance(each, Occasion)} == set(Occasion)
