"""Since when a lane cannot go on: its events since calls, or a run of ours, last succeeded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, func, select

from ..core.events import EventKind
from ..core.model import ConnectionKey, LaneKey, LaneRow, Phase
from . import tables

EVENTS_MAX: Final = 50_000  # newest events looked at: bounds the time of one look

_EVENTS = tables.events.c
_TROUBLE: Final = (EventKind.LANE_WAITS, EventKind.LANE_HALTED, EventKind.SIGN_IN_NEEDED)
_TROUBLE_OVER: Final = (EventKind.LANE_RESUMED, EventKind.SIGNED_IN, EventKind.RUN_STARTED)
_WENT_ON: Final = (*_TROUBLE_OVER, EventKind.FILE_STORED, EventKind.RUN_ENDED)
_START: Final = (EventKind.RUN_STARTED, EventKind.RUN_BLOCKED, EventKind.RUN_LOST)
_START_OVER: Final = (EventKind.RUN_ENDED,)


def trouble_since_s(
    connection: Connection, lanes: Sequence[LaneRow], homes: Mapping[LaneKey, ConnectionKey]
) -> dict[LaneKey, float]:
    """Return since when (wall clock [s]) each lane that cannot go on is so, as far as is known.

    `homes`: the connection that the events of a lane name while it has served none.
    """
    names = {lane.key: lane.connection or homes.get(lane.key, lane.connection) for lane in lanes}
    failed = {lane.key for lane in lanes if lane.halt or lane.wait_reason}
    vain = {lane.key: lane.since_s for lane in lanes if _starts_in_vain(lane)}
    failed_s = _since_s(connection, {names[key] for key in failed}, _TROUBLE, _TROUBLE_OVER)
    halts = {names[lane.key]: lane.halt for lane in lanes if lane.halt}
    vain_s = _since_s(connection, {names[key] for key in vain}, _START, _START_OVER)
    failed_s |= _halted_since_s(connection, halts)
    return {key: vain_s.get(names[key], since_s) for key, since_s in vain.items()} | {
        key: failed_s[names[key]] for key in failed if names[key] in failed_s
    }


def _halted_since_s(connection: Connection, halts: Mapping[ConnectionKey, str]) -> dict[str, float]:
    """Return by connection since when it is halted for this reason, and not for an earlier one.

    Whoever lets a halted lane go on ends the halt without an event; what succeeds then shows it.
    """
    since_s: dict[str, float] = {}
    over: set[str] = set()
    for name, kind, at_s, text in _newest(connection, halts, (EventKind.LANE_HALTED, *_WENT_ON)):
        if kind == EventKind.LANE_HALTED and text == halts[name] and name not in over:
            since_s[name] = at_s
        elif name in since_s:
            over.add(name)
            if len(over) == len(halts):
                break
    return since_s


def _starts_in_vain(lane: LaneRow) -> bool:
    """Return whether starts in a row brought no run of ours, and none is active."""
    return lane.fruitless > 1 and lane.phase is not Phase.RUNNING


def _since_s(
    connection: Connection,
    names: Collection[ConnectionKey],
    begin: Collection[EventKind],
    end: Collection[EventKind],
) -> dict[str, float]:
    """Return by connection when the first event of `begin` since the last of `end` was."""
    if not names:
        return {}
    since_s: dict[str, float] = {}
    over: set[str] = set()
    for name, kind, at_s, _ in _newest(connection, names, (*begin, *end)):
        if name in over:
            continue
        if kind in begin:
            since_s[name] = at_s
            continue
        over.add(name)
        if len(over) == len(names):
            break
    return since_s


def _newest(
    connection: Connection, names: Collection[ConnectionKey], kinds: Collection[EventKind]
) -> Iterator[tuple[ConnectionKey, str, float, str]]:
    """Yield connection, kind, wall clock [s] and text of such events, the newest first."""
    if not names:
        return
    newest = connection.execute(select(func.max(_EVENTS.id))).scalar() or 0
    values = [kind.value for kind in kinds]
    query = (
        select(_EVENTS.connection, _EVENTS.kind, _EVENTS.at_s, _EVENTS.text)
        .where(_EVENTS.id > newest - EVENTS_MAX, _EVENTS.kind.in_(values))
        .order_by(_EVENTS.id.desc())
    )
    for name, kind, at_s, text in connection.execute(query):
        if name in names:
            yield name, kind, at_s, text
