"""How long the newest good runs of every connection took, by one query for all of them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, func, select

from ..core.model import ConnectionKey
from ..core.results import Outcome
from ..core.waits import RUNS_KEPT
from . import tables

RUNS_READ: Final = 20_000  # newest runs of all: twenty of each of a thousand connections

_RUNS = tables.runs.c


def read_run_lengths(connection: Connection) -> dict[ConnectionKey, list[float]]:
    """Return the lengths [s] by connection, oldest first, as far as there are any."""
    newest = connection.execute(select(func.max(_RUNS.id))).scalar() or 0
    query = (
        select(_RUNS.connection, _RUNS.ended_s - _RUNS.started_s)
        .where(_RUNS.id > newest - RUNS_READ, _RUNS.outcome != Outcome.FAILED.value)
        .order_by(_RUNS.id.desc())
    )
    found: dict[ConnectionKey, list[float]] = {}
    for name, length_s in connection.execute(query):
        known = found.setdefault(ConnectionKey(name), [])
        if len(known) < RUNS_KEPT:
            known.append(length_s)
    return {name: known[::-1] for name, known in found.items()}
