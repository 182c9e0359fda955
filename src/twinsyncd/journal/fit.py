"""Whether a journal has the tables that its number promises.

A version in development, or an upgrade by hand, may leave the number of one version on the tables
of another; every statement about what is lacking would then fail, one by one.
"""

from __future__ import annotations

from sqlalchemy import Engine, text

from ..errors import JournalError
from .backup import backup_of
from .errors import MOVED_AWAY
from .lease_tables import metadata
from .location import JournalLocation, Server

_COLUMNS = {
    "sqlite": text(
        "SELECT m.name, p.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS p"
        " WHERE m.type = 'table'"
    ),
    "postgresql": text(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = current_schema()"
    ),
}


def check_fit(engine: Engine, where: JournalLocation, version: str) -> None:
    """Raise JournalError if a table or a column of this version is lacking."""
    if lacking := _lacking(engine):
        raise misfit(where, version, f"it has no {lacking}")


def misfit(where: JournalLocation, version: str, why: str) -> JournalError:
    """Return the error for a journal whose tables are not those of its number."""
    if isinstance(where, Server):
        way = f'restore the schema "{where.schema}" from a backup, or drop it'
    else:
        copies = sorted(where.parent.glob(backup_of(where, "*").name))
        copy = f"put the copy {copies[-1]} in its place, or " if copies else ""
        way = f"{copy}move it away"
    return JournalError(
        f"the journal {where} does not have the tables that its number promises"
        f" ({version or 'none'}): {why}; a version in development or half an upgrade wrote it",
        hint=f"{way}; {MOVED_AWAY}",
    )


def _lacking(engine: Engine) -> str:
    """Return the first table or column that is not there; "" if all are."""
    with engine.connect() as connection:
        found = connection.execute(_COLUMNS[engine.dialect.name])
        there = {(table, column) for table, column in found}
    tables = {table for table, _ in there}
    for table in metadata.sorted_tables:
        if table.name not in tables:
            return f"table {table.name}"
        for column in table.columns:
            if (table.name, column.name) not in there:
                return f"column {column.name} in the table {table.name}"
    return ""
