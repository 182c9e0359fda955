"""A journal on a PostgreSQL server is brought up to date: from each version, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from journal_scene import WHOLE_DECISION, A, journal_in
from sqlalchemy import Engine, event, insert, inspect, text

import twinsyncd.journal
from postgres_host import PostgresHost
from twinsyncd.errors import JournalError
from twinsyncd.journal.database import HEAD, open_database, version_of
from twinsyncd.journal.lease_tables import metadata
from twinsyncd.journal.location import Server
from twinsyncd.journal.server import server_engine

pytestmark = pytest.mark.xdist_group("postgres")

MIGRATIONS = Path(twinsyncd.journal.__file__).parent / "migrations"
FIRST_ON_A_SERVER = "0037"
Rows = dict[str, list[dict[str, Any]]]


def older_versions() -> Iterator[str]:
    """Yield the versions that a journal on a server may have, the newest first."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    for script in ScriptDirectory.from_config(config).walk_revisions(FIRST_ON_A_SERVER, HEAD):
        if script.revision != HEAD:
            yield script.revision


def migrate(server: Server, revision: str) -> None:
    """Create an empty journal of an older version."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    old = server_engine(server)
    with old.begin() as connection:
        connection.execute(text(f'CREATE SCHEMA "{server.schema}"'))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    old.dispose()


def rows_in(engine: Engine) -> Rows:
    """Return the rows of all tables that have some, read without our own code."""
    found: Rows = {}
    with engine.connect() as connection:
        for name in set(inspect(connection).get_table_names()) - {"alembic_version"}:
            every = text(f"SELECT * FROM {name}")  # noqa: S608 - ours
            if rows := connection.execute(every).mappings().all():
                found[name] = [dict(row) for row in rows]
    return found


def fill(engine: Engine, rows: Rows) -> Rows:
    """Insert the rows, as far as this version has their tables and columns; return those."""
    with engine.begin() as connection:
        for name in inspect(connection).get_table_names():
            nothing = text(f"SELECT * FROM {name} LIMIT 0")  # noqa: S608 - ours
            columns = connection.execute(nothing).keys()
            for row in rows.get(name, []):
                known = {column: value for column, value in row.items() if column in columns}
                connection.execute(insert(metadata.tables[name]).values(known))
    return rows_in(engine)


def differences(server: Server) -> list[Any]:
    """Return in what the tables are not those that the program uses."""
    engine = server_engine(server)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[Any] = compare_metadata(context, metadata)
    engine.dispose()
    return found


def test_a_journal_of_each_older_version_keeps_all_that_it_knew(
    postgres: PostgresHost, server: Server
) -> None:
    """Several machines stop at the same table that one of them could not change (P8, P15)."""
    with journal_in(server) as journal:
        journal.register("1.0", 10.0)
        journal.commit(WHOLE_DECISION)
    engine = server_engine(server)
    newest = rows_in(engine)
    engine.dispose()

    for revision in older_versions():
        older = postgres.new_server()
        migrate(older, revision)
        engine = server_engine(older)
        before = fill(engine, newest)

        with journal_in(older) as journal:
            active = [row.key for row in journal.active([A.source])]
            lanes = journal.saved_state().lanes

        after = rows_in(engine)
        engine.dispose()
        kept = {
            table: [
                {name: now[name] for name in old}
                for old, now in zip(rows, after[table], strict=True)
            ]
            for table, rows in before.items()
        }
        assert kept == before, revision
        assert {"files", "lanes", "connections", "sources", "runs", "daemons"} <= before.keys()
        assert (active, list(lanes)) == ([A], ["imodel"]), revision


def test_two_daemons_that_start_at_once_bring_it_up_to_date_once(server: Server) -> None:
    """An update reaches all machines in one night, and the second must not find half of it."""
    migrate(server, FIRST_ON_A_SERVER)
    assert differences(server) != []

    with ThreadPoolExecutor(2) as daemons:
        opened = list(daemons.map(open_database, [server, server]))

    assert [version_of(engine) for engine in opened] == [HEAD, HEAD]
    assert differences(server) == []
    for engine in opened:
        engine.dispose()


def test_an_update_that_ends_halfway_leaves_the_tables_as_they_were(server: Server) -> None:
    """A server restarts, or a network breaks, in the middle of it (P8)."""
    migrate(server, FIRST_ON_A_SERVER)
    before = differences(server)

    def die(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "delivered_digests" in statement:
            raise KeyboardInterrupt("the power is cut")

    event.listen(Engine, "before_cursor_execute", die)
    try:
        with pytest.raises(KeyboardInterrupt):
            open_database(server)
    finally:
        event.remove(Engine, "before_cursor_execute", die)

    assert str(differences(server)) == str(before)
    with journal_in(server) as journal:
        journal.commit(WHOLE_DECISION)
    assert differences(server) == []


def test_a_journal_of_a_newer_version_is_refused(server: Server) -> None:
    """One machine was not updated yet; it must not write what the others do not know."""
    engine = open_database(server)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(JournalError, match="written by a newer twinsyncd") as refused:
        open_database(server)

    assert refused.value.hint == "install the newer version again"
    assert inspect(engine).has_table("files")
    engine.dispose()
