# mypy: disable-error-code="arg-type,call-overload,index"
# Keys, ids and digests are written as plain text here.
"""Worlds whose file names a spatial root, or times for runs; drawn apart from other troubles.

They are those of a few last digits, so that the worlds that showed a bug once stay as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from twinsyncd.core import commands
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import ConnectionRow, FileKey, FileRow
from twinsyncd.core.setup import Setup

if TYPE_CHECKING:
    from .world import World

ROOTED_SEEDS = (3, 4)
TIMED_SEEDS = (2, 4)
ROOT = FileKey("two/bim", "e.ifc")
CYCLES_S = (60.0, 150.0, 400.0)  # from one opening of a window to the next
OPEN = (0.2, 0.5)  # how much of that it is open


class Placing:
    """What the file says of roots and windows, and what is expected then."""

    def __init__(self, seed: int, *, scripted: bool) -> None:
        digit = -1 if scripted else seed % 10
        rnd = Random(f"placing {seed}")  # noqa: S311 - a world must be replayable
        self.has_root, self.is_timed = digit in ROOTED_SEEDS, digit in TIMED_SEEDS
        self.is_over = False  # from then on every window is open
        self._cycle_s, self._open = rnd.choice(CYCLES_S), rnd.choice(OPEN)
        self._timed = rnd.choice((("one",), ("two",), ("one", "two")))

    def in_setup(self, setup: Setup) -> Setup:
        """Return the setup with the root and the windows in it."""
        connections = tuple(
            replace(
                each,
                has_root=self.has_root and each.key == "two",
                opens_s=self.opens_s if self._is_timed(each.key) else each.opens_s,
            )
            for each in setup.connections
        )
        return replace(setup, connections=connections)

    def comes_first(self, key: FileKey) -> bool:
        return self.has_root and key == ROOT

    def opens_s(self, wall_s: float) -> float:
        """Return when runs may begin, at this moment or later."""
        into_s = wall_s % self._cycle_s
        is_open = self.is_over or into_s < self._cycle_s * self._open
        return wall_s if is_open else wall_s - into_s + self._cycle_s

    def is_closed(self, connection: str, wall_s: float) -> bool:
        return self._is_timed(connection) and self.opens_s(wall_s) > wall_s

    def _is_timed(self, connection: str) -> bool:
        return self.is_timed and connection in self._timed


class PlacingPromises:
    """Told of every decision; raises AssertionError that names the promise."""

    def __init__(self, world: World) -> None:
        self.world = world

    def check(self, decision: Decision) -> None:
        placing = self.world.office.placing
        for command in decision.commands:
            if isinstance(command, commands.StartRun) and placing.is_timed:
                self._check_window(command.connection, decision)
            elif isinstance(command, commands.Prepare) and placing.has_root:
                self._check_root(command, decision)
        if placing.has_root:
            self._check_told(decision)

    def _check_window(self, connection: str, decision: Decision) -> None:
        closed = self.world.office.placing.is_closed(connection, self.world.now.wall_s)
        published = self._connection(connection, decision).published_s
        assert published or not closed, f"P5: a run of {connection} outside its window"

    def _check_root(self, command: commands.Prepare, decision: Decision) -> None:
        """The root goes alone as long as no run of the lane ended, unless it failed."""
        keys = [file.key for file in command.files]
        row = self._file(ROOT, decision)
        if ROOT not in keys or row.attempts or self._is_placed(decision):
            return
        assert keys == [ROOT], f"P6: {keys} go in together, so that chance places the iModel"

    def _check_told(self, decision: Decision) -> None:
        """A wait that is told has a beginning, and ends once the iModel is placed."""
        for connection in self._lane():
            row = self._connection(connection, decision)
            dated = bool(row.root_wait) == bool(row.root_wait_s)
            assert dated, f"P12: since when {connection} waits for a root is not known"
            over = row.root_wait and self._is_placed(decision)
            assert not over, f"P12: {connection} is said to wait for a root that went in"

    def _is_placed(self, decision: Decision) -> bool:
        return any(self._connection(key, decision).last_run for key in self._lane())

    def _lane(self) -> Sequence[str]:
        return [each.key for each in self.world.office.setup.connections if each.key != "three"]

    def _connection(self, connection: str, decision: Decision) -> ConnectionRow:
        changed = {row.key: row for row in decision.connections}
        kept = self.world.journal.connections.get(connection)
        return changed.get(connection) or kept or ConnectionRow(connection)

    def _file(self, key: FileKey, decision: Decision) -> FileRow:
        changed = {row.key: row for row in decision.files}
        return changed.get(key) or self.world.journal.files.get(key) or FileRow(key)


def never_closed(_good: Callable[..., None]) -> Callable[..., None]:
    """Plant: every window is always open."""

    def bad(self: object, _now: object) -> None:
        self.closed = frozenset()  # type: ignore[attr-defined]  # the machine's RunWindows

    return bad


def all_at_once(_good: Callable[..., object]) -> Callable[..., object]:
    """Plant: the root goes in with the others."""
    return lambda _self, rows: rows


def waits_for_ever(good: Callable[..., str]) -> Callable[..., str]:
    """Plant: whoever waited for a root is said to wait for it for ever."""

    def bad(self: object, connection: str) -> str:
        remotes = self.remotes  # type: ignore[attr-defined]  # the machine's Roots
        return good(self, connection) or remotes[connection].root_wait

    return bad
