"""Since when a lane cannot go on: its events since calls last succeeded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, func, select

from ..core.events import EventKind
from ..core.model import LaneKey, LaneRow
from . import tables

EVENTS_MAX: Final = 50_000  # newest events looked at: bounds the time of one look
TROUBLES_MAX: Final = 200

_EVENTS = tables.events.c
_TROUBLE: Final = (EventKind.LANE_WAITS, EventKind.LANE_HALTED, EventKind.SIGN_IN_NEEDED)
_KINDS: Final = [kind.value for kind in (*_TROUBLE, EventKind.LANE_RESUMED, EventKind.SIGNED_IN)]


def trouble_since_s(connection: Connection, lanes: Iterable[LaneRow]) -> dict[LaneKey, float]:
    """Return since when (wall clock [s]) each lane that cannot go on is so, as far as is known."""
    troubled = [lane for lane in lanes if lane.halt or lane.wait_reason]
    found = {lane.key: _since_s(connection, lane) for lane in troubled}
    return {key: since_s for key, since_s in found.items() if since_s}


def _since_s(connection: Connection, lane: LaneRow) -> float:
    newest = connection.execute(select(func.max(_EVENTS.id))).scalar() or 0
    query = (
        select(_EVENTS.kind, _EVENTS.at_s)
        .where(_EVENTS.id > newest - EVENTS_MAX, _EVENTS.kind.in_(_KINDS))
        .where(_EVENTS.connection == lane.connection)
        .order_by(_EVENTS.id.desc())
        .limit(TROUBLES_MAX)
    )
    since_s = 0.0
    for kind, at_s in connection.execute(query):
        if kind not in _TROUBLE:
            break
        since_s = at_s
    return since_s
