# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""The page, the notifier, bulk targets and commands write beside the engine: none fails for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from journal_scene import WHOLE_DECISION, A
from sqlalchemy import event
from sqlalchemy.engine import Engine

from twinsyncd.core.model import FileKey
from twinsyncd.core.progress import Heartbeat
from twinsyncd.errors import JournalError
from twinsyncd.journal import database
from twinsyncd.journal.database import open_database
from twinsyncd.journal.outlets import Outlet
from twinsyncd.journal.requests import Request
from twinsyncd.journal.transactions import writing
from twinsyncd.journal.writer import Journal

WRITES: dict[str, Callable[[Journal], object]] = {
    "register": lambda journal: journal.register("2.0", 1.0, Request("retry")),
    "beat": lambda journal: journal.beat(1.0, Heartbeat(is_idle=True, unsettled=0)),
    "commit": lambda journal: journal.commit(WHOLE_DECISION, [1], 1.0),
    "leave_request": lambda journal: journal.leave_request(Request("sync"), 1.0),
    "write_outlet": lambda journal: journal.write_outlet(Outlet("page", "address")),
    "keep_outlets": lambda journal: journal.keep_outlets(["page"]),
    "save_notices": lambda journal: journal.save_notices((), (), 1.0),
    "rename": lambda journal: journal.bulk_files().rename("one", "id", FileKey("one/cad", "b")),
    "doubt": lambda journal: journal.delivered_records().doubt("one", "pieces", [b"1"]),
    "replace": lambda journal: journal.delivered_records().replace("one", "pieces", []),
}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the journal lies; nobody waits long for it."""
    monkeypatch.setattr(database, "BUSY_MS", 1)
    return tmp_path / "journal.sqlite"


@pytest.fixture
def engine(file: Path) -> Iterator[Engine]:
    """A new journal's."""
    engine = open_database(file)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("name", WRITES)
def test_a_write_fails_not_when_another_commits_between(
    engine: Engine, file: Path, name: str
) -> None:
    """At a fresh start the page's note of its address failed the daemon's entry as locked."""
    journal = Journal(engine)
    journal.commit(WHOLE_DECISION)
    assert journal.get(A) is not None

    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:

        def commit(*_: object) -> None:
            with suppress(sqlite3.OperationalError):  # locked: it waits for our end, as it should
                other.execute("UPDATE lanes SET asks = asks + 1")

        event.listen(engine, "after_cursor_execute", commit)
        WRITES[name](journal)

    journal.close()


def test_what_writes_waits_for_who_writes(engine: Engine) -> None:
    """It waits before its first statement, so that what it reads is still so when it writes."""
    with writing(engine), pytest.raises(JournalError, match="locked"), writing(engine):
        pass


def test_what_was_written_is_undone_with_an_error(engine: Engine) -> None:
    """Half a decision is worse than none."""
    journal = Journal(engine)
    journal.register("1.0", 1.0)

    with suppress(KeyError), writing(engine) as connection:
        connection.exec_driver_sql("DELETE FROM daemons")
        raise KeyError

    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM daemons").scalar() == 1
    journal.close()
