"""Requests of people to the daemon, kept as rows so that they survive a crash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, insert, select, update

from . import tables
from .transactions import writing

REQUESTS_MAX: Final = 100  # read at a time; whoever asks more often than that waits a second


class Request(NamedTuple):
    """One request: its kind, its argument, and the number that the journal gave it."""

    kind: str
    argument: str = ""
    number: int = 0


def add_request(engine: Engine, request: Request, now_s: float) -> int:
    """Write a request for the daemon, from any process; return its number."""
    with writing(engine) as connection:
        return insert_request(connection, request, now_s)


def insert_request(connection: Connection, request: Request, now_s: float) -> int:
    """Write a request within a transaction; return its number."""
    values = {"kind": request.kind, "argument": request.argument, "asked_s": now_s}
    done = connection.execute(insert(tables.requests).values(values))
    key = done.inserted_primary_key
    assert key is not None
    return int(key[0])


def open_requests(engine: Engine) -> list[Request]:
    """Return the requests that the daemon has not handled, oldest first."""
    unhandled = select(tables.requests).where(tables.requests.c.handled_s.is_(None))
    oldest = unhandled.order_by(tables.requests.c.id).limit(REQUESTS_MAX)
    with engine.connect() as connection:
        rows = connection.execute(oldest).mappings()
        return [Request(row["kind"], row["argument"], row["id"]) for row in rows]


def mark_handled(connection: Connection, numbers: Sequence[int], now_s: float) -> None:
    """Mark these requests as handled, within the transaction that commits their effect."""
    handled = update(tables.requests).where(tables.requests.c.id.in_(numbers))
    connection.execute(handled.values(handled_s=now_s))


def handled_s(engine: Engine, number: int) -> float | None:
    """Return when the daemon handled the request, wall clock [s]; None if it has not yet."""
    with engine.connect() as connection:
        handled = select(tables.requests.c.handled_s).where(tables.requests.c.id == number)
        return connection.execute(handled).scalar()
