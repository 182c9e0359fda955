"""Leases: which machine serves which iModel, in a journal that several machines share.

A machine's life is renewed by one statement, whatever number of iModels it serves; they are free
once it has not been renewed for LEASE_S. Every taking is one conditional UPDATE by the database's
clock, so two machines never have one iModel; every commit names the token of its process, so a
process that was frozen meanwhile changes nothing (`fence`). The database is all the consensus.
Source: PostgreSQL documentation, "SELECT", "The Locking Clause" (SKIP LOCKED), read 2026-11.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Float,
    and_,
    cast,
    delete,
    exists,
    func,
    select,
    update,
)

from ..core.model import LaneKey
from ..errors import JournalError, LeaseLost
from .lease_tables import leases, machines, tokens
from .upserts import insert_into

LEASE_S: Final = 20.0  # with a renewal each 5 s, two may be lost; then others wait 20 s
_M, _L = machines.c, leases.c


def database_time() -> ColumnElement[float]:
    """Return the database's clock, Unix seconds."""
    return cast(func.extract("epoch", func.clock_timestamp()), Float)


def clock_ahead_s(connection: Connection) -> float:
    """Return how far this machine's clock is ahead of the database's [s]; 0 for a file."""
    if connection.dialect.name != "postgresql":
        return 0.0
    return time.time() - (connection.scalar(select(database_time())) or 0.0)


@dataclass(frozen=True, slots=True)
class Share:
    """How many iModels a machine that is alive serves."""

    machine: str
    lanes: int
    is_standby: bool


@dataclass(frozen=True, slots=True)
class Member:
    """One process among the machines that share the journal."""

    machine: str
    token: int


def join(engine: Engine, machine: str, home: str, version: str, *, is_standby: bool) -> Member:
    """Begin this process's life; what the machine served before its restart is its own again.

    `home` names the state folder, which only one process of a machine can hold: the one before is
    dead. Raises JournalError if another machine of that name is alive.
    """
    now = database_time()
    values = {
        "home": home,
        "token": tokens.next_value(),
        "pid": os.getpid(),
        "version": version,
        "is_standby": is_standby,
        "joined_s": now,
        "until_s": now + LEASE_S,
    }
    joined = insert_into(engine, machines).values(name=machine, **values)
    joined = joined.on_conflict_do_update(
        index_elements=["name"],
        set_={name: joined.excluded[name] for name in values},
        where=(_M.until_s < now) | (_M.home == home),
    )
    with engine.begin() as connection:
        token = connection.execute(joined.returning(_M.token)).scalar()
        if token is None:
            raise JournalError(
                f'another machine serves this journal by the name "{machine}"',
                hint="give each machine its own name: machine in [daemon]",
                may_pass=True,  # it may be this one, before it got another state folder
            )
        own = update(leases).where(_L.machine == machine)
        connection.execute(own.values(token=token, wished_by=""))
    return Member(machine, token)


def renew(engine: Engine, member: Member) -> bool:
    """Prolong the process's life; False if it has ended: others may have its iModels."""
    now = database_time()
    alive = (_M.name == member.machine) & (_M.token == member.token) & (_M.until_s >= now)
    with engine.begin() as connection:
        done = connection.execute(update(machines).where(alive).values(until_s=now + LEASE_S))
    return done.rowcount == 1


def leave(engine: Engine, member: Member) -> None:
    """End the process's life at once: its iModels are free."""
    own = (_M.name == member.machine) & (_M.token == member.token)
    with engine.begin() as connection:
        connection.execute(delete(machines).where(own))


def held(engine: Engine, member: Member) -> dict[LaneKey, str]:
    """Return the iModels that are this process's, each with the machine that wishes for it."""
    query = select(_L.lane, _L.wished_by).where(_is_held_by(member))
    with engine.connect() as connection:
        return {LaneKey(lane): wished_by for lane, wished_by in connection.execute(query)}


def make_known(engine: Engine, lanes: Collection[LaneKey]) -> None:
    """Add these iModels to those that can be taken."""
    rows = [
        {"lane": lane, "machine": "", "token": 0, "since_s": 0.0, "wished_by": ""}
        for lane in sorted(lanes)
    ]
    if rows:
        with engine.begin() as connection:
            connection.execute(insert_into(engine, leases).on_conflict_do_nothing(), rows)


def free_lanes(engine: Engine) -> list[LaneKey]:
    """Return the iModels that no machine serves which is alive."""
    with engine.connect() as connection:
        return list(connection.execute(select(_L.lane).where(~_is_served())).scalars())


def take(engine: Engine, member: Member, lanes: Sequence[LaneKey]) -> int:
    """Take those of the iModels that are free still; return how many.

    What another process is just taking is skipped, not waited for.
    """
    wanted = select(_L.lane).where(_L.lane.in_(lanes), ~_is_served())
    chosen = wanted.with_for_update(skip_locked=True, of=leases)
    values: dict[str, Any] = _owner(member) | {"since_s": database_time()}
    with engine.begin() as connection:
        # Locked rows are looked at as they are now: they cannot change before they are written.
        taken = connection.execute(chosen).scalars().all()
        if taken:
            free = and_(_L.lane.in_(taken), ~_is_served())
            return connection.execute(update(leases).where(free).values(values)).rowcount
    return 0


def shares(engine: Engine) -> list[Share]:
    """Return how many iModels each machine serves which is alive."""
    counted = (
        select(_M.name, func.count(_L.lane), _M.is_standby)
        .select_from(machines.outerjoin(leases, _same_process()))
        .where(_M.until_s >= database_time())
        .group_by(_M.name, _M.is_standby)
    )
    with engine.connect() as connection:
        return [Share(*row) for row in connection.execute(counted.order_by(_M.name))]


def wish(
    engine: Engine, member: Member, of_machine: str, wanted: Collection[LaneKey], limit: int
) -> None:
    """Ask another machine for some of its iModels; none while an earlier wish is open."""
    theirs = select(_L.lane, _L.wished_by).where(_L.machine == of_machine)
    with engine.begin() as connection:
        rows = connection.execute(theirs.order_by(_L.lane)).all()
        if any(wished_by == member.machine for _, wished_by in rows):
            return
        free = [lane for lane, wished_by in rows if not wished_by and lane in wanted]
        asked = and_(_L.lane.in_(free[:limit]), _L.machine == of_machine)
        connection.execute(update(leases).where(asked).values(wished_by=member.machine))


def hand_over(engine: Engine, member: Member, lanes: Collection[LaneKey]) -> None:
    """Give iModels, that this process has ended serving, to the machines that wish for them."""
    wisher = machines.alias()
    mine = and_(_L.lane.in_(lanes), _is_held_by(member))
    to_wisher = and_(mine, wisher.c.name == _L.wished_by, wisher.c.until_s >= database_time())
    given = update(leases).where(to_wisher)
    with engine.begin() as connection:
        values = {"machine": wisher.c.name, "token": wisher.c.token, "since_s": database_time()}
        connection.execute(given.values(**values, wished_by=""))
        connection.execute(update(leases).where(mine).values(wished_by=""))  # the wisher is gone


def fence(connection: Connection, member: Member, lanes: Collection[LaneKey]) -> None:
    """Keep these iModels this process's until the transaction ends. Raises LeaseLost if one is not.

    A machine that takes one of them waits for that end; or it came first, and this raises.
    """
    query = select(_L.lane).where(_L.lane.in_(lanes), _is_held_by(member))
    kept = connection.execute(query.with_for_update(read=True)).scalars().all()
    if lost := set(lanes) - set(kept):
        some = ", ".join(sorted(lost)[:3])
        raise LeaseLost(
            f"another machine serves {len(lost)} iModels of this one now ({some})",
            hint="this machine was frozen or cut off from the database; it goes on with the others",
        )


def _owner(member: Member) -> dict[str, Any]:
    return {"machine": member.machine, "token": member.token, "wished_by": ""}


def _is_held_by(member: Member) -> ColumnElement[bool]:
    return and_(_L.machine == member.machine, _L.token == member.token)


def _same_process() -> ColumnElement[bool]:
    return and_(_M.name == _L.machine, _M.token == _L.token)


def _is_served() -> ColumnElement[bool]:
    return exists().where(_same_process(), _M.until_s >= database_time())
