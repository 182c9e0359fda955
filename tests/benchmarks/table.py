"""The table that `make bench` prints at its end: our figure, the peers', the limit, the ratio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.table import Table

WIDTH: Final = 150


@dataclass(frozen=True)
class Row:
    """One measurement; `peers`: figure by name, or "absent". `limit`: what bounds everybody."""

    what: str
    ours: str
    peers: Mapping[str, str] = field(default_factory=dict)
    limit: str = ""
    ratio: str = ""
    target: str = ""


_ROWS: Final[list[Row]] = []


def record(row: Row) -> None:
    """Add a row to the table of this run."""
    _ROWS.append(row)


def text() -> str:
    """Return the table, or nothing when nothing was measured."""
    if not _ROWS:
        return ""
    table = Table("what", "ours", "peers in the same run", "limit", "ratio", "target")
    for row in _ROWS:
        peers = "\n".join(f"{name}: {figure}" for name, figure in row.peers.items())
        table.add_row(row.what, row.ours, peers, row.limit, row.ratio, row.target)
    console = Console(width=WIDTH, no_color=True)
    with console.capture() as shown:
        console.print(table)
    return shown.get()
