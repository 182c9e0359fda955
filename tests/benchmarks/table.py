"""The table that `make bench` prints at its end: our figure, the peers', the limit, the ratio.

A row is green where its target is reached and red where it is not; one red row makes the whole run
fail. A row without a target is for reading alone. The speed of others on the machine is in all
figures of a run, so those with peers are to be read as ratios.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.table import Table

WIDTH: Final = 160


@dataclass(frozen=True)
class Row:
    """One measurement; `peers`: figure by name, or "absent". `limit`: what bounds everybody.

    `is_met`: whether the target is reached; None: there is none, or nothing to compare with.
    """

    what: str
    ours: str
    peers: Mapping[str, str] = field(default_factory=dict)
    limit: str = ""
    ratio: str = ""
    target: str = ""
    is_met: bool | None = None


_COLOUR: Final = {True: "green", False: "RED", None: "-"}
_ROWS: Final[list[Row]] = []


def record(row: Row) -> None:
    """Add a row to the table of this run."""
    _ROWS.append(row)


def red() -> list[str]:
    """Return what was measured and missed its target in this run."""
    return missed(_ROWS)


def text() -> str:
    """Return the table of this run, or nothing when nothing was measured."""
    return drawn(_ROWS)


def missed(rows: Sequence[Row]) -> list[str]:
    """Return the names of the rows that miss their targets."""
    return [row.what for row in rows if row.is_met is False]


def drawn(rows: Sequence[Row]) -> str:
    """Return the table of these rows, and below it which of them are red."""
    if not rows:
        return ""
    table = Table(
        "what",
        "ours",
        "peers in the same run",
        "limit",
        "ratio, measure",
        "target",
        "",
        width=WIDTH,
    )
    for row in rows:
        peers = "\n".join(f"{name}: {figure}" for name, figure in row.peers.items())
        cells = (row.what, row.ours, peers, row.limit, row.ratio, row.target)
        table.add_row(*cells, _COLOUR[row.is_met], end_section=True)
    console = Console(width=WIDTH, no_color=True)
    with console.capture() as shown:
        console.print(table)
    return f"{shown.get()}{_verdict(rows)}"


def _verdict(rows: Sequence[Row]) -> str:
    asked = [row for row in rows if row.is_met is not None]
    late = missed(rows)
    if not late:
        return f"All {len(asked)} targets are reached."
    listed = "".join(f"\n  {what}" for what in late)
    return f"{len(late)} of {len(asked)} targets are missed:{listed}"
