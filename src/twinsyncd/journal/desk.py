"""What people ask of the daemon, and the daemon's sign of life: rows like everything else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, insert, select, update

from . import tables

REQUESTS_MAX: Final = 100  # taken up at a time; who asks more often than that waits a second


class Request(NamedTuple):
    """What somebody asks: a kind, and what it is about; the number is the journal's."""

    kind: str
    argument: str = ""
    number: int = 0


def ask(engine: Engine, request: Request, now_s: float) -> int:
    """Leave a request for the daemon, from any process; return its number."""
    with engine.begin() as connection:
        return _ask(connection, request, now_s)


def waiting(engine: Engine) -> list[Request]:
    """Return the requests that nobody has taken up, oldest first."""
    asked = select(tables.requests).where(tables.requests.c.taken_s.is_(None))
    oldest = asked.order_by(tables.requests.c.id).limit(REQUESTS_MAX)
    with engine.connect() as connection:
        rows = connection.execute(oldest).mappings()
        return [Request(row["kind"], row["argument"], row["id"]) for row in rows]


def mark_taken(connection: Connection, numbers: Sequence[int], now_s: float) -> None:
    """Note, with all else that is being committed, that these requests were taken up."""
    taken = update(tables.requests).where(tables.requests.c.id.in_(numbers))
    connection.execute(taken.values(taken_s=now_s))


def taken_s(engine: Engine, request: int) -> float | None:
    """Return when the daemon took the request up, wall clock [s]; None if it has not yet."""
    with engine.connect() as connection:
        taken = select(tables.requests.c.taken_s).where(tables.requests.c.id == request)
        return connection.execute(taken).scalar()


def sign_on(engine: Engine, version: str, now_s: float, renewed: Request | None = None) -> None:
    """Say that this process keeps the journal now.

    `renewed` is asked, as if by a person, if another version kept it before.
    """
    with engine.begin() as connection:
        before = connection.execute(select(tables.daemons.c.version)).scalar() or ""
        if renewed is not None and before not in ("", version):
            _ask(connection, renewed, now_s)
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


def beat(engine: Engine, now_s: float, *, at_rest: bool, restless: int) -> None:
    """Give a sign of life, with what is not in any row: whether all is at rest."""
    values = {"beat_s": now_s, "at_rest": at_rest, "restless": restless}
    with engine.begin() as connection:
        connection.execute(update(tables.daemons).values(values))


def _ask(connection: Connection, request: Request, now_s: float) -> int:
    values = {"kind": request.kind, "argument": request.argument, "asked_s": now_s}
    done = connection.execute(insert(tables.requests).values(values))
    key = done.inserted_primary_key
    assert key is not None
    return int(key[0])
