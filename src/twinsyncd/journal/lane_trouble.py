"""Since when a lane cannot go on: its events since calls last succeeded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, func, select

from ..core.events import EventKind
from ..core.model import ConnectionKey, LaneKey, LaneRow
from . import tables

EVENTS_MAX: Final = 50_000  # newest events looked at: bounds the time of one look

_EVENTS = tables.events.c
_TROUBLE: Final = (EventKind.LANE_WAITS, EventKind.LANE_HALTED, EventKind.SIGN_IN_NEEDED)
_KINDS: Final = [kind.value for kind in (*_TROUBLE, EventKind.LANE_RESUMED, EventKind.SIGNED_IN)]


def trouble_since_s(
    connection: Connection, lanes: Iterable[LaneRow], homes: Mapping[LaneKey, ConnectionKey]
) -> dict[LaneKey, float]:
    """Return since when (wall clock [s]) each lane that cannot go on is so, as far as is known.

    `homes`: the connection that the events of a lane name while it has served none.
    """
    names = {
        lane.key: lane.connection or homes.get(lane.key, lane.connection)
        for lane in lanes
        if lane.halt or lane.wait_reason
    }
    if not names:
        return {}
    since_s = _since_s(connection, set(names.values()))
    return {lane: since_s[name] for lane, name in names.items() if name in since_s}


def _since_s(connection: Connection, names: Collection[ConnectionKey]) -> dict[str, float]:
    """Return by connection when the first of its troubles since calls last succeeded began."""
    newest = connection.execute(select(func.max(_EVENTS.id))).scalar() or 0
    query = (
        select(_EVENTS.connection, _EVENTS.kind, _EVENTS.at_s)
        .where(_EVENTS.id > newest - EVENTS_MAX, _EVENTS.kind.in_(_KINDS))
        .order_by(_EVENTS.id.desc())
    )
    since_s: dict[str, float] = {}
    over: set[str] = set()
    for name, kind, at_s in connection.execute(query):
        if name not in names or name in over:
            continue
        if kind in _TROUBLE:
            since_s[name] = at_s
            continue
        over.add(name)
        if len(over) == len(names):
            break
    return since_s
