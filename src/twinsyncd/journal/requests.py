"""Requests of people to the daemon, kept as rows so that they survive a crash.

Where several machines share the journal, a request has an addressee: the iModel that it is about,
whose machine handles it, whichever that is by then; or one machine, of a request to all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, insert, or_, select, update

from ..core.model import LaneKey
from . import tables
from .lease_tables import leases, machines
from .leases import Member, database_time
from .transactions import writing

REQUESTS_MAX: Final = 100  # read at a time; whoever asks more often than that waits a second

_MACHINE: Final = "machine:"  # before its name in an addressee; ids of iModels have no ":"


class Request(NamedTuple):
    """One request: its kind, its argument, and the number that the journal gave it."""

    kind: str
    argument: str = ""
    number: int = 0


def add_request(engine: Engine, request: Request, now_s: float) -> int:
    """Write a request for the daemon, from any process; return its number."""
    with writing(engine) as connection:
        return insert_request(connection, request, now_s)


def ask(
    engine: Engine, request: Request, now_s: float, lane: LaneKey | None = None
) -> tuple[int, ...]:
    """Write a request about an iModel, or for all machines (None); return its numbers.

    A journal in a file has one daemon, which handles every request.
    """
    if engine.dialect.name != "postgresql":
        return (add_request(engine, request, now_s),)
    with writing(engine) as connection:
        addressees = [str(lane)] if lane is not None else _all_machines(connection)
        return tuple(insert_request(connection, request, now_s, each) for each in addressees)


def _all_machines(connection: Connection) -> list[str]:
    """Return those that serve anything; or "", who comes next, if none does."""
    serving = select(machines.c.name).where(
        machines.c.until_s >= database_time(),
        select(leases.c.lane).where(leases.c.token == machines.c.token).exists(),
    )
    return [_MACHINE + name for name in connection.execute(serving).scalars()] or [""]


def insert_request(
    connection: Connection, request: Request, now_s: float, addressee: str = ""
) -> int:
    """Write a request within a transaction; return its number."""
    values = {
        "kind": request.kind,
        "argument": request.argument,
        "asked_s": now_s,
        "addressee": addressee,
    }
    done = connection.execute(insert(tables.requests).values(values))
    key = done.inserted_primary_key
    assert key is not None
    return int(key[0])


def open_requests(engine: Engine, member: Member | None = None) -> list[Request]:
    """Return the requests that the daemon has not handled, oldest first; of a member, its own."""
    unhandled = select(tables.requests).where(tables.requests.c.handled_s.is_(None))
    if member is not None:
        unhandled = unhandled.where(_is_for(member))
    oldest = unhandled.order_by(tables.requests.c.id).limit(REQUESTS_MAX)
    with engine.connect() as connection:
        rows = connection.execute(oldest).mappings()
        return [Request(row["kind"], row["argument"], row["id"]) for row in rows]


def _is_for(member: Member) -> ColumnElement[bool]:
    addressee = tables.requests.c.addressee
    lanes = select(leases.c.lane).where(leases.c.token == member.token)
    return or_(addressee.in_(["", _MACHINE + member.machine]), addressee.in_(lanes))


def free_requests(engine: Engine) -> None:
    """Let any machine handle what was asked of machines that are no more."""
    addressee = tables.requests.c.addressee
    alive = select(_MACHINE + machines.c.name).where(machines.c.until_s >= database_time())
    lost = tables.requests.c.handled_s.is_(None) & addressee.startswith(_MACHINE)
    freed = update(tables.requests).where(lost, addressee.not_in(alive))
    with writing(engine) as connection:
        connection.execute(freed.values(addressee=""))


def mark_handled(connection: Connection, numbers: Sequence[int], now_s: float | None) -> None:
    """Mark these requests as handled, within the transaction that commits their effect.

    None: by the database's clock, where machines share the journal.
    """
    at_s = database_time() if now_s is None else now_s
    handled = update(tables.requests).where(tables.requests.c.id.in_(numbers))
    connection.execute(handled.values(handled_s=at_s))


def handled_s(engine: Engine, *numbers: int) -> float | None:
    """Return when the last of the requests was handled; None if one is open.

    Wall clock [s], of the database where machines share the journal.
    """
    query = select(tables.requests.c.handled_s).where(tables.requests.c.id.in_(numbers))
    with engine.connect() as connection:
        found = connection.execute(query).scalars().all()
    handled = [each for each in found if each is not None]
    return max(handled) if handled and len(handled) == len(numbers) else None
