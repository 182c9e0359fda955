"""What people ask of the daemon, and the daemon's sign of life: rows like everything else."""

from __future__ import annotations

import os
from typing import NamedTuple

from sqlalchemy import Engine, delete, insert, select, update

from . import tables


class Request(NamedTuple):
    """What somebody asks: a kind, and what it is about."""

    kind: str
    argument: str = ""


def ask(engine: Engine, request: Request, now_s: float) -> int:
    """Leave a request for the daemon, from any process; return its number."""
    values = {"kind": request.kind, "argument": request.argument, "asked_s": now_s}
    with engine.begin() as connection:
        done = connection.execute(insert(tables.requests).values(values))
        key = done.inserted_primary_key
        assert key is not None
        return int(key[0])


def take(engine: Engine, now_s: float) -> list[Request]:
    """Return the requests that wait, oldest first, and mark them as taken up.

    Looking and marking are two transactions: one that turned from reading to writing would fail
    if somebody left a request in between.
    """
    waiting = select(tables.requests).where(tables.requests.c.taken_s.is_(None))
    with engine.connect() as connection:
        rows = connection.execute(waiting.order_by(tables.requests.c.id)).mappings().all()
    if rows:
        ids = [row["id"] for row in rows]
        taken = update(tables.requests).where(tables.requests.c.id.in_(ids))
        with engine.begin() as connection:
            connection.execute(taken.values(taken_s=now_s))
    return [Request(row["kind"], row["argument"]) for row in rows]


def taken_s(engine: Engine, request: int) -> float | None:
    """Return when the daemon took the request up, wall clock [s]; None if it has not yet."""
    with engine.connect() as connection:
        taken = select(tables.requests.c.taken_s).where(tables.requests.c.id == request)
        return connection.execute(taken).scalar()


def sign_on(engine: Engine, version: str, now_s: float) -> str:
    """Say that this process keeps the journal now; return the version of the one before."""
    with engine.begin() as connection:
        before = connection.execute(select(tables.daemons.c.version)).scalar() or ""
        connection.execute(delete(tables.daemons))
        connection.execute(
            insert(tables.daemons).values(
                id=1,
                pid=os.getpid(),
                version=version,
                started_s=now_s,
                beat_s=now_s,
                at_rest=False,
                restless=0,
            )
        )
    return before


def beat(engine: Engine, now_s: float, *, at_rest: bool, restless: int) -> None:
    """Give a sign of life, with what is not in any row: whether all is at rest."""
    values = {"beat_s": now_s, "at_rest": at_rest, "restless": restless}
    with engine.begin() as connection:
        connection.execute(update(tables.daemons).values(values))
