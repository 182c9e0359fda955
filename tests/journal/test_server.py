# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A journal on a server that is away, silent, or refuses: words for people, and no hang."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from journal_scene import WHOLE_DECISION, A, journal_in
from sqlalchemy import text

from postgres_host import PostgresHost, Relay
from twinsyncd.errors import JournalError
from twinsyncd.journal import server as server_module
from twinsyncd.journal.database import open_database, open_read_only, version_of
from twinsyncd.journal.location import Server
from twinsyncd.journal.server import server_engine
from twinsyncd.journal.server_check import examine
from twinsyncd.journal.writer import Journal

pytestmark = pytest.mark.xdist_group("postgres")


@pytest.fixture
def relay(postgres: PostgresHost) -> Iterator[Relay]:
    """A network before the server."""
    relay = Relay(postgres)
    yield relay
    relay.close()


def test_a_network_that_loses_everything_ends_a_call_and_not_the_journal(
    server: Server, relay: Relay
) -> None:
    """A call that hangs for ever would hold the engine and every stop of it (P14, P15)."""
    beyond = replace(server, url=relay.url)
    open_database(server).dispose()
    journal = Journal(server_engine(beyond, silence_s=0.2))
    journal.commit(WHOLE_DECISION)

    relay.lose()
    with pytest.raises(JournalError, match="has not answered for") as caught:
        journal.commit(WHOLE_DECISION)
    relay.carry()
    journal.commit(WHOLE_DECISION)

    assert caught.value.may_pass
    assert journal.saved_state().lanes
    journal.close()


def test_a_stop_waits_for_no_call_that_hangs(
    server: Server, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service manager kills what does not end within seconds (P14)."""
    monkeypatch.setattr(server_module, "STOP_SILENCE_S", 0.2)
    open_database(server).dispose()
    journal = Journal(server_engine(replace(server, url=relay.url)))
    journal.commit(WHOLE_DECISION)
    relay.lose()

    with ThreadPoolExecutor(1) as engine:
        hangs = engine.submit(journal.commit, WHOLE_DECISION)
        while not hangs.done():
            journal.hurry()

    assert isinstance(hangs.exception(), JournalError)
    journal.close()


def test_a_session_that_the_server_ended_is_opened_anew(server: Server) -> None:
    """Its administrator restarts it at night; the daemon goes on by itself (P15)."""
    with journal_in(server) as journal:
        journal.commit(WHOLE_DECISION)
        other = open_database(server)
        with other.begin() as connection:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            connection.execute(text(f"{ended} WHERE pid <> pg_backend_pid()"))
        other.dispose()

        with pytest.raises(JournalError) as caught:
            journal.commit(WHOLE_DECISION)
        journal.commit(WHOLE_DECISION)

        assert caught.value.may_pass
        assert journal.get(A) == WHOLE_DECISION.files[0]


def test_a_server_that_does_not_run_is_named_with_what_to_do(server: Server) -> None:
    """It is the first thing that goes wrong, on a machine nobody looks at."""
    with closing(socket.create_server(("127.0.0.1", 0))) as unused:
        port = unused.getsockname()[1]
    away = replace(server, url=f"postgresql://me@127.0.0.1:{port}/office")

    with pytest.raises(JournalError, match=f"127.0.0.1:{port}/office") as caught:
        open_database(away)

    assert caught.value.may_pass
    assert "database server runs" in caught.value.hint


@pytest.mark.parametrize(
    ("before", "after", "hint"),
    [
        ("/postgres?", "/nothing?", "administrator create it"),
        ("//twinsyncd@", "//nobody@", "journal_password_file"),
    ],
)
def test_a_wrong_database_or_account_is_named_with_what_to_do(
    server: Server, before: str, after: str, hint: str
) -> None:
    """PostgreSQL's own words name what is wrong, and not where to correct it."""
    wrong = replace(server, url=server.url.replace(before, after))

    with pytest.raises(JournalError) as caught:
        open_database(wrong)

    assert hint in caught.value.hint


def test_an_account_without_rights_is_told_what_its_administrator_runs(
    server: Server, postgres: PostgresHost
) -> None:
    """Few accounts of an office's database may create a schema."""
    admin = server_engine(server)
    with admin.begin() as connection:
        connection.execute(text("CREATE ROLE clerk LOGIN"))
    admin.dispose()
    clerk = replace(server, url=postgres.url.replace("twinsyncd@", "clerk@"))

    facts = examine(clerk)
    with pytest.raises(JournalError) as caught:
        open_database(clerk)

    assert (facts.may_create, facts.has_schema, facts.journal) == (False, False, "")
    assert f'CREATE SCHEMA "{server.schema}" AUTHORIZATION' in caught.value.hint


def test_a_password_file_that_cannot_be_read_is_named(server: Server, tmp_path: Path) -> None:
    """It is read at each connect, so it may be gone one day."""
    without = replace(server, password_file=tmp_path / "password")

    with pytest.raises(JournalError, match="password") as caught:
        open_database(without)

    assert "journal_password_file" in caught.value.hint


def test_looking_at_a_journal_that_is_not_there_makes_none(server: Server) -> None:
    """A status in the wrong schema must leave nothing behind."""
    engine = open_read_only(server)
    assert version_of(engine) == ""
    engine.dispose()

    assert not examine(server).has_schema


def test_two_offices_in_one_database_know_nothing_of_each_other(
    postgres: PostgresHost,
) -> None:
    """Each has a schema of its own."""
    berlin, oslo = postgres.new_server(), postgres.new_server()
    with journal_in(berlin) as journal:
        journal.commit(WHOLE_DECISION)

    with journal_in(oslo) as journal:
        assert journal.saved_state().lanes == {}
