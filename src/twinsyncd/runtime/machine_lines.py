"""Which machine serves what, in words, where several share a journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..core.model import LaneKey
from ..journal.daemon_rows import MachineRow
from .formatting import clock_time, count
from .report_lines import Level, Line

NAMED_MAX: Final = 5  # connections of one machine that are named; status shows all with --json
MOVING_S: Final = 60.0  # others have what a dead machine served long before


@dataclass(frozen=True, slots=True)
class MachineReport:
    """One machine that shares the journal; times are of the database's clock, Unix seconds."""

    name: str
    line: Line
    connections: tuple[str, ...]  # what it serves
    since_s: float  # since when it serves the newest of them, or waits for some; 0: it is dead


@dataclass(frozen=True, slots=True)
class Unserved:
    """Connections that no machine serves; `moves`: another one takes them over just now."""

    connections: tuple[str, ...]
    moves: bool

    @property
    def level(self) -> Level:
        """Whether it ends by itself, or a person must act."""
        return Level.WAITS if self.moves else Level.BAD


def machine_reports(
    machines: Sequence[MachineRow], names: Mapping[LaneKey, Sequence[str]]
) -> tuple[MachineReport, ...]:
    """Return the machines; `names` are those of the configured connections, by iModel."""
    return tuple(_report(each, names) for each in machines)


def unserved_by(
    machines: Sequence[MachineRow], names: Mapping[LaneKey, Sequence[str]]
) -> Unserved | None:
    """Return what no machine serves; None if nothing, or if the journal is shared by none."""
    served = {lane for each in machines if each.is_alive for lane in each.lanes}
    left = [name for lane, known in names.items() if lane not in served for name in known]
    if not machines or not left:
        return None
    moves = any(not each.is_alive and each.silent_s < MOVING_S for each in machines)
    return Unserved(tuple(left), moves)


def _report(machine: MachineRow, names: Mapping[LaneKey, Sequence[str]]) -> MachineReport:
    lanes = [lane for lane in machine.lanes if lane in names]
    connections = tuple(name for lane in lanes for name in names[lane])
    if not machine.is_alive:
        line = Line(Level.PLAIN, "not running", f", last alive {clock_time(machine.until_s)}")
        return MachineReport(machine.name, line, (), 0.0)
    since_s = max((machine.lanes[lane] for lane in lanes), default=machine.joined_s)
    since = f" since {clock_time(since_s)}"
    if not connections:
        role = "as a standby" if machine.is_standby else "others serve everything"
        line = Line(Level.PLAIN, "serves nothing", f"{since}: {role}")
        return MachineReport(machine.name, line, (), since_s)
    state = f"serves {count(len(connections), 'connection')}"
    line = Line(Level.GOOD, state, f"{since}: {', '.join(_named(connections))}")
    return MachineReport(machine.name, line, connections, since_s)


def _named(connections: Sequence[str]) -> Iterator[str]:
    yield from connections[:NAMED_MAX]
    if len(connections) > NAMED_MAX:
        yield f"and {len(connections) - NAMED_MAX:,} more"
