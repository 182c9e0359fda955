"""What a journal's server is like: reached or not, its version, rights, clock and answer time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text

from .database import open_read_only, version_of
from .leases import database_time
from .location import Server

LOOKS: Final = 5  # of which the quickest counts: the first ones open the connection
_FACTS: Final = text(
    "SELECT current_setting('server_version') AS version,"
    " current_setting('server_version_num')::int AS number,"
    " current_setting('server_encoding') AS encoding,"
    " pg_is_in_recovery() AS is_standby,"
    " current_user AS account,"
    " to_regnamespace(:schema) IS NOT NULL AS has_schema,"
    " coalesce(has_schema_privilege(to_regnamespace(:schema), 'CREATE'),"
    "  has_database_privilege(current_database(), 'CREATE')) AS may_create"
)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What was found out, without changing anything."""

    version: str
    number: int  # 150004 is 15.4
    encoding: str
    is_standby: bool  # it only reads
    account: str
    has_schema: bool
    may_create: bool  # tables in the schema; or the schema, if there is none
    journal: str  # the migration that the journal stands at; "": there is none yet
    answer_s: float
    clock_s: float  # how far the server's clock is ahead of this machine's


def examine(server: Server) -> ServerFacts:
    """Return what the server is like. Raises JournalError if it cannot be used."""
    engine = open_read_only(server)
    try:
        with engine.connect() as connection:
            found = connection.execute(_FACTS, {"schema": server.schema}).mappings().one()
            answers = []
            for _ in range(LOOKS):
                begun_s = time.perf_counter()
                database_s = connection.scalar(select(database_time())) or 0.0
                answers.append(time.perf_counter() - begun_s)
        ahead_s = database_s - time.time()
        return ServerFacts(
            **found, journal=version_of(engine), answer_s=min(answers), clock_s=ahead_s
        )
    finally:
        engine.dispose()
