"""Connects to a journal in PostgreSQL; time limits see to it that no call hangs for long.

What a session needs is set by statements, not by start-up options, which poolers refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, MetaData, create_engine, text
from sqlalchemy.pool import QueuePool

from ..errors import JournalError, how_to_install
from .location import Server
from .server_errors import translate_server_errors

if TYPE_CHECKING:
    from .server_silence import LimitedConnection

CONNECTIONS: Final = 5  # kept open by one daemon; ten more while many threads read at once
NETWORK: Final[dict[str, Any]] = {  # a connection that lost its peer fails within ten seconds
    "connect_timeout": 5,
    "keepalives_idle": 4,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "twinsyncd",
}
SILENCE_S: Final = 75.0  # longer than a statement may take
LEASE_SILENCE_S: Final = 4.0  # for calls about leases, which are quick, or the server is away
STOP_SILENCE_S: Final = 3.0  # once the program is to stop
CHANGE_S: Final = 4 * 3600.0  # for a change of tables
SESSION: Final = {
    "timezone": "UTC",
    "statement_timeout": "60s",
    "lock_timeout": "10s",
    # A program that was frozen within a transaction must not keep others from its rows.
    "idle_in_transaction_session_timeout": "10s",
}


def server_engine(
    server: Server, *, read_only: bool = False, silence_s: float = SILENCE_S
) -> Engine:
    """Return an engine whose statements mean the tables of the server's schema.

    With `read_only` each transaction sees one snapshot. A call fails if nothing comes for
    `silence_s`. Raises JournalError without the driver.
    """
    isolation = "REPEATABLE READ" if read_only else "READ COMMITTED"
    try:
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: _connect(server, silence_s, read_only=read_only),
            poolclass=QueuePool,
            pool_size=CONNECTIONS,
            pool_pre_ping=True,
            isolation_level=isolation,
            use_native_hstore=False,
        )
    except ImportError as exc:
        raise JournalError(
            f"the journal {server} cannot be used: a library for PostgreSQL is missing",
            hint=how_to_install("postgres"),
        ) from exc
    translate_server_errors(engine, server)
    return engine


def _connect(server: Server, silence_s: float, *, read_only: bool) -> LimitedConnection:
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - an extra: only servers need it

    from .server_silence import LimitedConnection  # noqa: PLC0415

    given = NETWORK | conninfo_to_dict(server.url) | _password(server)
    opened = LimitedConnection.connect(**given, autocommit=True)
    opened.silence_s = silence_s
    settings = SESSION | {"search_path": server.schema}
    if read_only:
        settings |= {"default_transaction_read_only": "on"}
    chosen = ", ".join("set_config(%s, %s, false)" for _ in settings)
    values = [each for setting in settings.items() for each in setting]
    opened.execute(f"SELECT {chosen}".encode(), values)
    opened.autocommit = False
    return opened


def hurry_calls() -> None:
    """Let calls of this process that are under way end soon: it is to stop, or to begin anew."""
    from .server_silence import limit_open_calls  # noqa: PLC0415 - it needs the driver

    limit_open_calls(STOP_SILENCE_S)


def _password(server: Server) -> dict[str, str]:
    """Return the password of the file; without one libpq looks where PostgreSQL's tools do."""
    if server.password_file is None:
        return {}
    try:
        return {"password": server.password_file.read_text("utf-8-sig").strip()}
    except OSError as exc:
        raise JournalError(
            f"the journal {server} cannot be used: its password in {server.password_file}"
            f" cannot be read ({exc.strerror})",
            hint="let the daemon's account read it, or correct journal_password_file in [daemon]",
            may_pass=True,
        ) from exc


def make_schema(connection: Connection, server: Server) -> None:
    """Create the schema unless it is there, while no other process does the same.

    To create one takes a right that the account need not have if its administrator made it.
    """
    lock_changes(connection, server)
    named = text("SELECT count(*) FROM pg_namespace WHERE nspname = :schema")
    if not connection.execute(named, {"schema": server.schema}).scalar():
        connection.execute(text(f'CREATE SCHEMA "{server.schema}"'))


def share_conditions(metadata: MetaData) -> None:
    """Let the indexes of few rows be so on the server, too.

    Not where the tables are written: naming the dialect there imports it, for every command.
    """
    for table in metadata.tables.values():
        for index in table.indexes:
            options = index.dialect_options
            options["postgresql"]["where"] = options["sqlite"]["where"]


def lock_changes(connection: Connection, server: Server) -> None:
    """Keep others from changing this schema's tables until the transaction ends.

    It may take long; the connection is not to be used for anything else afterwards.
    """
    opened: Any = connection.connection.driver_connection
    opened.silence_s = CHANGE_S
    connection.execute(text(f"SET LOCAL statement_timeout = '{CHANGE_S:.0f}s'"))
    connection.execute(text(f"SET LOCAL lock_timeout = '{CHANGE_S:.0f}s'"))
    lock = text("SELECT pg_advisory_xact_lock(hashtext('twinsyncd'), hashtext(:schema))")
    connection.execute(lock, {"schema": server.schema})
