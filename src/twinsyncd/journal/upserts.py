"""Inserts that replace the row that is there, in the words of the journal's own database.

A dialect is imported only when rows are written: that of PostgreSQL alone would cost each command
that reads, such as `status`, a tenth of its processor time.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sqlalchemy import Engine, Table


def insert_into(engine: Engine, table: Table) -> Any:
    """Return an insert into the table, with `on_conflict_do_update`."""
    return import_module(f"sqlalchemy.dialects.{engine.dialect.name}").insert(table)


def upsert(engine: Engine, table: Table) -> Any:
    """Return an insert into the table that replaces all other columns of a row with its key."""
    statement = insert_into(engine, table)
    keys = [column.name for column in table.primary_key]
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)
