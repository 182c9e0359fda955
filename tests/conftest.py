"""What all tests share."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from postgres_host import CannotRun, PostgresHost, postgres_programs, running_postgres
from twinsyncd.journal.location import JournalLocation, Server

# A test run keeps thousands of tests and large libraries alive; looking through all of them for
# cycles takes longer than many tests do.
gc.set_threshold(20_000, 20, 50)

# Machines are noisy: how long one example takes proves nothing.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresHost]:
    """A PostgreSQL server for all tests of this process."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    pytest.importorskip("psycopg", reason="the extra postgres is not installed")
    with ExitStack() as stack:
        try:
            host = stack.enter_context(running_postgres(programs))
        except CannotRun as exc:
            pytest.skip(f"PostgreSQL cannot run here: {exc}")
        yield host


@pytest.fixture
def server(postgres: PostgresHost) -> Server:
    """A place for a journal on the server: a schema that does not exist yet."""
    return postgres.new_server()


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))]
)
def where(request: pytest.FixtureRequest, tmp_path: Path) -> JournalLocation:
    """Where a journal is; neither its folder nor its schema is there yet.

    One process of a test run starts the server.
    """
    if request.param == "sqlite":
        return tmp_path / "state" / "journal.sqlite"
    server: Server = request.getfixturevalue("server")
    return server
