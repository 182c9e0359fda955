# mypy: disable-error-code="call-overload"
# Keys, ids and digests are written as plain text here.
"""What is expected of runs while they last: watched to the end, told if long, covering no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinsyncd.core import facts
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import (
    Fault,
    LaneRow,
    Phase,
)
from twinsyncd.core.results import Outcome, SlowRun
from twinsyncd.core.waits import ALARM_FACTOR, ALARM_LEAST_S, RUNS_LEAST

if TYPE_CHECKING:
    from .world import World

WatchedRun = tuple[str, str]  # a run and the connection that waits for it; iModels number their own
COVERING = (Phase.STARTING, Phase.RUNNING)
WATCHING = (Phase.RUNNING, Phase.BLOCKED)


class WatchedRuns:
    """Told of every decision; raises AssertionError that names the promise."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.told: set[WatchedRun] = set()
        self.active_s: dict[WatchedRun, float] = {}  # since when each run was known to be active
        self.over: set[WatchedRun] = set()  # runs that the platform said are over, or not there

    def check(self, heard: Sequence[facts.Fact], decision: Decision) -> None:
        for slow in decision.slow:
            self._check_told(slow)
        for fact in heard:
            self._hear(fact)
        for row in decision.lanes:
            self._check_left(self.world.journal.lanes.get(row.key), row)
            if row.phase not in COVERING:
                self._check_uncovered(row, decision)

    def _hear(self, fact: facts.Fact) -> None:
        match fact:
            case facts.RunSeen(connection, run, Outcome.ACTIVE):
                self.active_s.setdefault((connection, run), self.world.now_s)
                self._check_untold(connection, run)
            case facts.RunSeen(connection, run):
                self.over.add((connection, run))
            case facts.RunLookFailed(connection, run, failure) if (
                failure.fault is not Fault.TRANSIENT
            ):
                self.over.add((connection, run))
            case _:
                pass

    def _check_told(self, slow: SlowRun) -> None:
        name = (slow.connection, slow.run)
        assert name not in self.told, f"P10: a person was told twice of {slow.run}"
        self.told.add(name)
        run = self.world.cloud_of(slow.connection).runs.get(slow.run)
        if run is not None and not self.world.chances.clock_jump:
            lasted_s = self.world.now_s - (run.ends_s - run.fate.length_s)
            assert lasted_s >= ALARM_LEAST_S, f"P10: a run was told as long after {lasted_s:.0f} s"

    def _check_untold(self, connection: str, run: str) -> None:
        """Expect word of a run that goes on beyond whatever may be taken for usual."""
        known_s = self.world.journal.saved_state().lengths_s.get(connection, ())
        lasted_s = self.world.now_s - self.active_s[connection, run]
        if lasted_s < ALARM_LEAST_S or len(known_s) < RUNS_LEAST or self.world.chances.clock_jump:
            return
        told = (connection, run) in self.told or lasted_s < max(known_s) * ALARM_FACTOR
        assert told, f"P10: nobody was told that {run} goes on since {lasted_s:.0f} s"

    def _check_uncovered(self, lane: LaneRow, decision: Decision) -> None:
        """Expect that no file is said to be in a run when there is none of ours."""
        files = self.world.journal.files | {row.key: row for row in decision.files}
        for connection in self.world.office.setup.connections:
            for row in files.values() if connection.lane == lane.key else ():
                covered = row.covered and self.world.owner_of(row.key) == connection.key
                assert not covered, f"P6: {row.key} counts as covered in phase {lane.phase}"

    def _check_left(self, before: LaneRow | None, row: LaneRow) -> None:
        if before is None or before.phase not in WATCHING or row.run == before.run:
            return
        over = (before.connection, before.run) in self.over
        assert over, f"P4: the lane leaves {before.run}, which may still be active"
