"""A daemon outlives its own disk: it waits, says so, and loses nothing (P15)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinsyncd.core.decision import Decision
from twinsyncd.core.model import Digest, FileKey, FileRow, SourceKey
from twinsyncd.errors import JournalError
from twinsyncd.journal import database
from twinsyncd.journal.database import HEAD, open_database, open_read_only, open_unchanged
from twinsyncd.journal.requests import Request
from twinsyncd.journal.views import Views
from twinsyncd.journal.writer import Journal
from twinsyncd.runtime import patience
from twinsyncd.runtime.patience import Patience
from twinsyncd.runtime.patient_journal import PatientJournal
from twinsyncd.runtime.trouble import LENGTH, Trouble, TroubleFile

ROW = FileRow(FileKey(SourceKey("one/cad"), "a.dgn"), seen=Digest("v1"))
FULL = JournalError("database or disk is full", hint="free some space", may_pass=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing real."""
    monkeypatch.setattr(database, "BUSY_MS", 1)
    monkeypatch.setattr(patience, "WAIT_MAX_S", 0.0)


@pytest.fixture
def trouble(tmp_path: Path) -> TroubleFile:
    """Give the state folder's memory of last resort."""
    return TroubleFile(tmp_path)


def failing(times: int, error: JournalError = FULL) -> Iterator[str]:
    """Fail so often, then give a result."""
    for _ in range(times):
        yield str(error)
    while True:
        yield ""


def test_a_full_disk_is_waited_for_and_told(trouble: TroubleFile) -> None:
    """It was a traceback and an endless restart."""
    seen: list[Trouble | None] = []
    alive: list[None] = []
    patience = Patience(trouble)
    patience.alive = lambda: alive.append(None)
    outcomes = failing(3)

    def act() -> str:
        seen.append(trouble.read())
        if reason := next(outcomes):
            raise JournalError(reason, hint="free some space", may_pass=True)
        return "done"

    assert patience.call(act) == "done"

    assert [each.reason if each else "" for each in seen] == [
        "",
        *["database or disk is full; free some space"] * 3,
    ]
    assert len(alive) == 3, "the service manager must see that it is well"
    assert trouble.read() is None, "and that it is over"


def test_a_start_is_no_hang_until_the_first_heartbeat(tmp_path: Path, trouble: TroubleFile) -> None:
    """The heartbeat of the process before is old, and a locked journal keeps it so for a while."""
    journal = Journal(open_database(tmp_path / "journal.sqlite"))
    patience = Patience(trouble)
    patience.begin()
    outcomes = failing(1)

    def act() -> None:
        if reason := next(outcomes):
            raise JournalError(reason, may_pass=True)

    before = trouble.read()
    patience.call(act)
    recovered = trouble.read()
    PatientJournal(journal, patience).register("1.0", 1.0, Request("retry"))

    assert before is not None
    assert before.is_start
    assert recovered == before, "the heartbeat is still that of the process before"
    assert trouble.read() is None
    journal.close()


def test_what_waiting_cannot_mend_is_raised_at_once(trouble: TroubleFile) -> None:
    """A damaged journal, or one of a newer version, needs a person."""

    def act() -> None:
        raise JournalError("malformed")

    with pytest.raises(JournalError, match="malformed"):
        Patience(trouble).call(act)


def test_a_command_that_somebody_waits_for_does_not_wait(trouble: TroubleFile) -> None:
    """`twinsyncd sync` says what is wrong; only the daemon is patient."""

    def act() -> None:
        raise FULL

    with pytest.raises(JournalError):
        Patience(trouble, is_patient=False).call(act)


def test_a_stop_ends_the_waiting(trouble: TroubleFile) -> None:
    """Every stop ends within seconds, whatever the disk does."""
    patience = Patience(trouble)
    tried = threading.Event()

    def act() -> None:
        tried.set()
        raise FULL

    failed: list[JournalError] = []

    def wait() -> None:
        try:
            patience.call(act)
        except JournalError as exc:
            failed.append(exc)

    thread = threading.Thread(target=wait)
    thread.start()
    assert tried.wait(10)
    patience.stop()
    thread.join(10)

    assert failed == [FULL]


def test_a_decision_is_committed_once_another_program_lets_go(
    tmp_path: Path, trouble: TroubleFile
) -> None:
    """A backup or a database browser held the lock, and the daemon died in its heartbeat."""
    file = tmp_path / "journal.sqlite"
    journal = Journal(open_database(file))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    patience = Patience(trouble)
    waits: list[str] = []

    def let_go() -> None:
        found = trouble.read()
        waits.append(found.reason if found else "")
        if len(waits) == 2:
            other.execute("ROLLBACK")

    patience.alive = let_go
    patient = PatientJournal(journal, patience)

    patient.commit(Decision(files=(ROW,)), (), 0.0)

    assert patient.get(ROW.key) == ROW
    assert "another program has the journal open" in waits[0]
    other.close()
    journal.close()


def test_the_memory_of_last_resort_has_its_length_from_the_start(tmp_path: Path) -> None:
    """Writing it must need no space on a full disk."""
    trouble = TroubleFile(tmp_path)
    sizes = []
    for each in (None, Trouble("full", 1.0), Trouble("x" * 5000, 2.0), None):
        trouble.write(each)
        sizes.append((tmp_path / "trouble.json").stat().st_size)

    assert set(sizes) == {LENGTH}


def test_a_state_folder_that_cannot_be_made_is_words(tmp_path: Path) -> None:
    """Not a traceback of the operating system's error."""
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(JournalError, match="cannot be created") as caught:
        open_database(tmp_path / "file" / "state" / "journal.sqlite")

    assert caught.value.may_pass


def test_reading_writes_nothing(tmp_path: Path) -> None:
    """A look by another account must leave the daemon's file alone."""
    file = tmp_path / "journal.sqlite"
    open_database(file).dispose()
    engine = open_read_only(file)

    with engine.connect() as connection, pytest.raises(JournalError, match="readonly"):
        connection.exec_driver_sql("DELETE FROM files")

    with pytest.raises(JournalError, match="unable to open"):
        open_read_only(tmp_path / "none.sqlite").connect()
    assert not (tmp_path / "none.sqlite").exists()


def test_a_command_does_not_migrate_a_running_daemons_journal(tmp_path: Path) -> None:
    """An older daemon that runs on would fail at its next commit."""
    file = tmp_path / "journal.sqlite"
    open_database(file).dispose()
    with sqlite3.connect(file) as older:
        older.execute("UPDATE alembic_version SET version_num = '0001'")
    older.close()

    for look in (lambda: open_unchanged(file), lambda: Views(file)):
        with pytest.raises(JournalError, match=f"older twinsyncd .schema 0001, not {HEAD}"):
            look()
