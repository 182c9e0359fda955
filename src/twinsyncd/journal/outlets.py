"""How the daemon reaches people: the page and each notification target, and whether it works."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, insert, select

from . import tables
from .transactions import writing


@dataclass(frozen=True, slots=True)
class Outlet:
    """One way to people. `trouble` is why it does not work, "" if it does; since wall clock [s]."""

    name: str
    address: str  # for people; without secrets
    trouble: str = ""
    since_s: float = 0.0


def write_outlet(engine: Engine, outlet: Outlet) -> None:
    """Remember how the outlet is; its `since_s` stays that of the first time it was so."""
    table = tables.outlets
    mine = table.c.name == outlet.name
    with writing(engine) as connection:
        old = connection.execute(select(table).where(mine)).mappings().first()
        same = old is not None and bool(old["trouble"]) == bool(outlet.trouble)
        since_s = old["since_s"] if old is not None and same else outlet.since_s
        connection.execute(delete(table).where(mine))
        values = {"name": outlet.name, "address": outlet.address, "trouble": outlet.trouble}
        connection.execute(insert(table).values(**values, since_s=since_s))


def keep_outlets(engine: Engine, names: Collection[str], ending: str = "") -> None:
    """Forget all others of that ending: they are not configured any more."""
    name = tables.outlets.c.name
    others = name.not_in(names) & name.endswith(ending, autoescape=True)
    with writing(engine) as connection:
        connection.execute(delete(tables.outlets).where(others))


def read_outlets(connection: Connection) -> tuple[Outlet, ...]:
    """Return all of them."""
    rows = connection.execute(select(tables.outlets).order_by(tables.outlets.c.name)).mappings()
    return tuple(Outlet(**row) for row in rows)
