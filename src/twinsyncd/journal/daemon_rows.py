"""Which processes keep the journal, and since when; where machines share it, who serves what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from ..core.model import LaneKey, SourceKey
from ..core.progress import RequestPacing, UnsettledFile, UploadsUnderWay
from ..errors import JournalError
from . import tables
from .database import HEAD, open_read_only, version_of
from .lease_tables import leases, machines
from .leases import database_time
from .location import JournalLocation, Server


@dataclass(frozen=True, slots=True)
class DaemonRow:
    """Which process writes the journal, and its last heartbeat (wall clock [s])."""

    pid: int
    version: str
    started_s: float
    beat_s: float
    is_idle: bool
    unsettled: int
    unsettled_files: tuple[UnsettledFile, ...] = ()  # some of them
    uploads: UploadsUnderWay | None = None  # those under way together
    pacing: RequestPacing | None = None  # the rate limit that requests wait for
    unlisted: tuple[SourceKey, ...] | None = None  # not scanned so far, or silent; None: all
    ahead_of_platform_s: float = 0.0  # how far its machine's clock is ahead of the platform's


@dataclass(frozen=True, slots=True)
class MachineRow:
    """One machine that shares the journal. Times are of the database's clock, Unix seconds."""

    name: str
    version: str
    is_alive: bool
    is_standby: bool
    joined_s: float
    until_s: float
    silent_s: float  # for how long it is dead; negative while it is alive
    lanes: dict[LaneKey, float]  # what it serves, each with since when


def read_daemon(connection: Connection, ahead_s: float = 0.0) -> DaemonRow | None:
    """Return the daemon that keeps the journal; of several, what holds of all that are alive.

    `ahead_s`: how far this machine's clock is ahead of theirs. None if there was never one.
    """
    query = select(tables.daemons).order_by(tables.daemons.c.beat_s.desc())
    rows = [dict(row) for row in connection.execute(query).mappings()]
    alive = {each.name for each in read_machines(connection) if each.is_alive and each.lanes}
    for row in rows:
        if row["machine"]:
            row |= {"beat_s": row["beat_s"] + ahead_s, "started_s": row["started_s"] + ahead_s}
    serving = [_daemon(row) for row in rows if row["machine"] in alive]
    if serving:
        return _together(serving)
    return _daemon(rows[0]) if rows else None


def read_machines(connection: Connection) -> tuple[MachineRow, ...]:
    """Return the machines by their names; none of a journal in a file."""
    if connection.dialect.name != "postgresql":
        return ()
    now = database_time()
    query = select(machines, (now - machines.c.until_s).label("silent_s"))
    found = connection.execute(query.order_by(machines.c.name)).mappings().all()
    held: dict[tuple[str, int], dict[LaneKey, float]] = {}
    for row in connection.execute(select(leases).order_by(leases.c.lane)).mappings():
        lanes = held.setdefault((row["machine"], row["token"]), {})
        lanes[LaneKey(row["lane"])] = row["since_s"]
    return tuple(
        MachineRow(
            row["name"],
            row["version"],
            row["silent_s"] <= 0.0,
            row["is_standby"],
            row["joined_s"],
            row["until_s"],
            row["silent_s"],
            held.get((row["name"], row["token"]), {}),
        )
        for row in found
    )


def is_served_anywhere(where: JournalLocation) -> bool:
    """Return whether a machine that is alive serves something; False if the server is not reached.

    A journal in a file is on no other machine.
    """
    if not isinstance(where, Server):
        return False
    engine = open_read_only(where)
    try:
        if version_of(engine) != HEAD:
            return False
        with engine.connect() as connection:
            return any(each.is_alive and each.lanes for each in read_machines(connection))
    except JournalError:
        return False
    finally:
        engine.dispose()


def _together(daemons: Sequence[DaemonRow]) -> DaemonRow:
    """Return the one that was silent longest, with what holds of all: none denies what is said."""
    silent = min(daemons, key=lambda each: each.beat_s)
    if len(daemons) == 1:
        return silent
    uploads = [each.uploads for each in daemons if each.uploads]
    listed = [each.unlisted for each in daemons if each.unlisted is not None]
    return replace(
        silent,
        started_s=max(each.started_s for each in daemons),
        is_idle=all(each.is_idle for each in daemons),
        unsettled=sum(each.unsettled for each in daemons),
        unsettled_files=tuple(file for each in daemons for file in each.unsettled_files),
        uploads=_sum(uploads),
        pacing=next((each.pacing for each in daemons if each.pacing), None),
        unlisted=tuple(key for each in listed for key in each)
        if len(listed) == len(daemons)
        else None,
        ahead_of_platform_s=max((each.ahead_of_platform_s for each in daemons), key=abs),
    )


def _sum(uploads: Sequence[UploadsUnderWay]) -> UploadsUnderWay | None:
    if not uploads:
        return None
    return UploadsUnderWay(
        sum(each.files for each in uploads),
        sum(each.sent_bytes for each in uploads),
        sum(each.total_bytes for each in uploads),
        sum(each.bytes_per_s for each in uploads),
    )


def _daemon(row: dict[str, Any]) -> DaemonRow:
    del row["id"], row["machine"]
    unsettled = tuple(UnsettledFile(**each) for each in row["unsettled_files"])
    uploads = UploadsUnderWay(**row["uploads"]) if row["uploads"] else None
    unlisted = None if row["unlisted"] is None else tuple(row["unlisted"])
    pacing = RequestPacing(**row["pacing"]) if row["pacing"] else None
    made = {"unsettled_files": unsettled, "uploads": uploads, "pacing": pacing}
    return DaemonRow(**{**row, **made, "unlisted": unlisted})
