# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""Opening a journal: new, older, newer, damaged, somebody else's, or in use."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from journal_scene import LOOK, WHOLE_DECISION, A, journal_in
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

import twinsyncd.journal
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import FileRow, LaneRow, Phase, SourceRow
from twinsyncd.core.progress import Heartbeat
from twinsyncd.errors import JournalDamaged, JournalError
from twinsyncd.journal import requests
from twinsyncd.journal.backup import back_up
from twinsyncd.journal.database import HEAD, open_database, open_read_only, version_of
from twinsyncd.journal.errors import journal_error
from twinsyncd.journal.lease_tables import metadata
from twinsyncd.journal.requests import Request
from twinsyncd.journal.views import Views

OLD_LANE = """INSERT INTO lanes VALUES ("imodel", "running", "one", "run", "", 0, 0, 0, 0, "")"""
OLD_SOURCE = "INSERT INTO sources VALUES ('cad', 'drive', 'gone', true, true)"
SYNC = Request("sync")
MIGRATIONS = Path(twinsyncd.journal.__file__).parent / "migrations"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the journal lies."""
    return tmp_path / "journal.sqlite"


def tables_in(file: Path) -> set[str]:
    """Return the tables a database has, read without our own code."""
    with closing(sqlite3.connect(file)) as raw:
        found = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name for (name,) in found if not name.startswith("sqlite_")}


def test_every_commit_is_on_the_disk_before_it_counts(file: Path) -> None:
    """With WAL, SQLite flushes at a checkpoint only unless it is told: a power cut would take
    back what commands were begun for (P8)."""
    engine = open_database(file)
    with engine.connect() as connection:
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar()
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    engine.dispose()

    assert (level, mode) == (2, "wal")  # 2 is FULL


def test_the_newest_migration_is_the_one_the_program_names() -> None:
    """An out-of-date name would skip the migration, or run Alembic at every start."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_migrated_journal_has_exactly_the_tables_that_are_used(file: Path) -> None:
    """Migrations and tables are written twice; any difference is a crash at a customer's."""
    migrate(file, "0001")
    engine = open_database(file)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_journal_of_this_version_is_opened_as_it_is(file: Path) -> None:
    """Opening is part of every status call; it must not touch what is there."""
    with journal_in(file) as journal:
        journal.commit(WHOLE_DECISION)
    engine = open_database(file)

    assert version_of(engine) == HEAD
    engine.dispose()


def old_journal(file: Path) -> None:
    """Write a journal of the first version, with a lane and a source."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    old = create_engine(f"sqlite:///{file}")
    with old.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text(OLD_LANE))
        connection.execute(text(OLD_SOURCE))
    old.dispose()


def migrate(file: Path, revision: str) -> None:
    """Create an empty journal of an older version."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    old = create_engine(f"sqlite:///{file}")
    with old.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    old.dispose()


def rows_in(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables, read without our own code."""
    with closing(sqlite3.connect(file)) as raw:
        raw.row_factory = sqlite3.Row
        names = tables_in(file) - {"alembic_version", "sqlite_sequence"}
        return {
            name: [dict(row) for row in raw.execute(f"SELECT * FROM {name}")]  # noqa: S608 - ours
            for name in names
        }


def fill(file: Path, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Insert the rows, as far as this version has their tables and columns."""
    with closing(sqlite3.connect(file)) as raw, raw:
        for table in tables_in(file) & rows.keys():
            known = {row[1] for row in raw.execute(f"PRAGMA table_info({table})")}
            for row in rows[table]:
                values = {name: value for name, value in row.items() if name in known}
                marks = ", ".join("?" * len(values))
                into = f"{table} ({', '.join(values)})"
                raw.execute(f"INSERT INTO {into} VALUES ({marks})", [*values.values()])  # noqa: S608 - ours


@pytest.mark.parametrize("revision", ["0009", "0012", "0013", "0014", "0016", "0017", "0020"])
def test_a_journal_of_each_older_version_keeps_all_that_it_knew(
    file: Path, tmp_path: Path, revision: str
) -> None:
    """Renames, removals, uploads and evidence of months go on where they were (P8, P15)."""
    with journal_in(tmp_path / "new" / "journal.sqlite") as journal:
        journal.register("1.0", 10.0)
        journal.beat(20.0, Heartbeat(is_idle=False, unsettled=2))
        journal.commit(WHOLE_DECISION)
    migrate(file, revision)
    fill(file, rows_in(tmp_path / "new" / "journal.sqlite"))
    before = {table: rows for table, rows in rows_in(file).items() if rows}

    with journal_in(file) as journal:
        active = [row.key for row in journal.active([A.source])]
        lanes = journal.saved_state().lanes

    after = rows_in(file)
    kept = {
        table: [
            {name: now[name] for name in old} for old, now in zip(rows, after[table], strict=True)
        ]
        for table, rows in before.items()
    }
    assert kept == before
    assert {"files", "lanes", "connections", "sources", "runs", "daemons"} <= before.keys()
    assert active == [A]
    assert list(lanes) == ["imodel"]


def test_a_journal_of_the_first_version_is_taken_over(file: Path) -> None:
    """An update finds months of memory; what it adds must begin as nothing (P8)."""
    old_journal(file)

    with journal_in(file) as journal:
        saved_state = journal.saved_state()

        assert saved_state.lanes == {"imodel": LaneRow("imodel", Phase.RUNNING, "one", "run")}
        assert saved_state.sources == {"cad": SourceRow("cad", "drive", "gone", needs_person=True)}


def test_what_dgn_files_name_is_read_anew_after_the_update_that_reads_it(file: Path) -> None:
    """They are not saved again only because a new version knows their attachments."""
    row = {
        "source": "cad",
        "digest": "1",
        "found": "[]",
        "trouble": "",
        "open_count": 0,
        "since_s": 0,
    }
    migrate(file, "0039")
    paths = ("a.DGN", "b.dwg", "dgn/c.dwg")
    fill(file, {"drawing_references": [{**row, "path": path, "since_s": 0} for path in paths]})

    open_database(file).dispose()

    assert [each["path"] for each in rows_in(file)["drawing_references"]] == ["b.dwg", "dgn/c.dwg"]


def test_an_older_journal_is_copied_before_it_is_changed(file: Path) -> None:
    """Whoever goes back to the version before needs the journal that it can read."""
    old_journal(file)
    before = tables_in(file)
    open_database(file).dispose()
    copy = file.with_name("journal.before-upgrade-0001.sqlite")

    assert tables_in(copy) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as raw:
        assert raw.execute("SELECT count(*) FROM lanes").fetchone() == (1,)
    assert not list(file.parent.glob("*.part"))


def test_a_new_journal_leaves_no_copy_and_old_copies_go(file: Path) -> None:
    """Copies of every version for ever would fill the disk that they are to protect."""
    open_database(file).dispose()
    assert [each.name for each in file.parent.iterdir() if "before" in each.name] == []

    for version in ("0003", "0001", "0002"):
        back_up(file, version)

    left = sorted(each.name for each in file.parent.glob("*before-upgrade*"))
    assert left == ["journal.before-upgrade-0002.sqlite", "journal.before-upgrade-0003.sqlite"]


def test_an_older_journal_waits_where_no_copy_can_be_made(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk nothing may be changed: the daemon waits until there is room (P15)."""
    old_journal(file)
    before = file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(JournalError) as refused:
        open_database(file)

    assert refused.value.may_pass
    assert "free some space" in refused.value.hint
    assert file.read_bytes()[100:] == before[100:]  # but for what turning to WAL writes
    assert not list(file.parent.glob("*before-upgrade*"))


def test_a_journal_of_a_newer_version_is_refused(file: Path) -> None:
    """A downgrade that guesses at unknown columns would forget what they meant."""
    open_database(file).dispose()
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.commit()

    with pytest.raises(JournalError, match="newer twinsyncd") as caught:
        open_database(file)

    assert "newer version" in caught.value.hint


@pytest.mark.parametrize(
    ("mistake", "named"),
    [
        ("ALTER TABLE files DROP COLUMN note", "no column note in the table files"),
        ("DROP TABLE outlets", "no table outlets"),
        ("UPDATE alembic_version SET version_num = '0028'", "duplicate column"),
        ("UPDATE alembic_version SET version_num = '0029-mine'", "locate revision"),
        ("DELETE FROM alembic_version", "already exists"),
    ],
)
def test_a_journal_whose_tables_are_not_those_of_its_number_has_a_way_out(
    file: Path, mistake: str, named: str
) -> None:
    """A journal of a version in development made each start end with "no such column"."""
    open_database(file).dispose()
    with closing(sqlite3.connect(file)) as raw:
        raw.execute(mistake)
        raw.commit()

    with pytest.raises(JournalError, match="not have the tables that its number") as caught:
        open_database(file)

    assert named in str(caught.value)
    assert "move it away" in caught.value.hint
    for copy in file.parent.glob("*before-upgrade*"):
        assert str(copy) in caught.value.hint


def test_a_command_names_the_way_out_of_a_journal_that_does_not_fit(file: Path) -> None:
    """`status` printed the statement that failed."""
    open_database(file).dispose()
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("ALTER TABLE lanes DROP COLUMN halt")
        raw.commit()

    with pytest.raises(JournalError, match="no column halt in the table lanes"):
        Views(file)


@pytest.mark.parametrize("log", [None, b""], ids=["no log", "an empty log"])
def test_where_no_shared_memory_can_be_made_the_counts_are_read_all_the_same(
    file: Path, log: bytes | None
) -> None:
    """`status` on a read-only disk said why, and no more; yet all was there to be read."""
    with journal_in(file) as journal:
        journal.commit(WHOLE_DECISION)
    wal, memory = (file.with_name(f"{file.name}-{each}") for each in ("wal", "shm"))
    if log is not None:
        wal.write_bytes(log)
    memory.mkdir()  # as on a full or read-only disk, which a test cannot make

    with closing(Views(file)) as views:
        assert views.status().counts

    wal.write_bytes(b"what nobody has moved into the file yet")
    with pytest.raises(JournalError, match="cannot be used"):
        Views(file)


def test_a_full_or_read_only_disk_is_named_as_such(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite says "disk I/O error" where its shared memory finds no room."""
    error = sqlite3.OperationalError("disk I/O error")
    before = journal_error(file, error)
    disk = shutil.disk_usage(file.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: disk._replace(free=0))
    full = journal_error(file, error)
    missing = journal_error(file.parent / "gone" / file.name, error)
    denied = journal_error(file, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))

    assert "disk I/O error" in str(before)
    assert str(full).endswith("its disk is full")
    assert "free some space" in full.hint
    assert str(missing).endswith(f"the state folder {file.parent / 'gone'} does not exist")
    assert all(each.may_pass for each in (before, full, missing, denied))
    assert "write access" in denied.hint


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"this is a text file\n" * 100, id="no database"),
        pytest.param(b"SQLite format 3\0" + b"\xff" * 4080, id="garbage after the header"),
    ],
)
def test_a_file_that_is_no_database_is_refused_with_a_way_out(file: Path, content: bytes) -> None:
    """The operator must hear that nothing is lost but time, and what to do."""
    file.write_bytes(content)

    with pytest.raises(JournalError, match="cannot be used") as caught:
        open_database(file)

    assert isinstance(caught.value, JournalDamaged)
    assert "twinsyncd sync; it sets the damaged one aside" in caught.value.hint
    assert file.read_bytes() == content


def test_a_journal_cut_off_by_a_full_disk_is_refused(file: Path) -> None:
    """Half a database may still open; it must not be taken for an empty one."""
    with journal_in(file) as journal:
        journal.commit(WHOLE_DECISION)
    file.write_bytes(file.read_bytes()[:5_000])

    with pytest.raises(JournalError):
        open_database(file)


def test_a_folder_in_the_place_of_the_journal_is_refused(file: Path) -> None:
    """It is said in words, not as a traceback."""
    file.mkdir()

    with pytest.raises(JournalError):
        open_database(file)


def test_a_migration_that_is_killed_halfway_leaves_the_file_as_it_was(file: Path) -> None:
    """Power cuts do not wait for migrations; the next start must find a usable file (P8)."""
    begun: list[str] = []

    def die(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.lstrip().startswith("CREATE TABLE"):
            begun.append(statement)
        if len(begun) == 4:
            raise KeyboardInterrupt("the power is cut")

    event.listen(Engine, "before_cursor_execute", die)
    try:
        with pytest.raises(KeyboardInterrupt):
            open_database(file)
    finally:
        event.remove(Engine, "before_cursor_execute", die)

    assert len(begun) == 4
    assert tables_in(file) == set()
    with journal_in(file) as journal:
        journal.commit(Decision(files=(FileRow(A, LOOK, "v1"),)))
        assert journal.get(A) == FileRow(A, LOOK, "v1")


def test_a_second_process_asks_while_the_writer_writes(file: Path) -> None:
    """`twinsyncd sync` leaves a row in a journal that a busy daemon keeps."""
    with journal_in(file) as journal:
        other = open_database(file)
        journal.commit(WHOLE_DECISION)

        request = requests.add_request(other, SYNC, 1.0)

        assert requests.handled_s(other, request) is None
        assert [each.kind for each in journal.open_requests()] == ["sync"]
        journal.commit(WHOLE_DECISION, [request], 2.0)
        assert requests.handled_s(other, request) == 2.0
        other.dispose()


def test_a_reader_sees_one_moment_until_it_ends(file: Path) -> None:
    """The counts are read in several steps; a commit between two made "15 of 14 files synced"."""
    with journal_in(file) as journal:
        engine = open_read_only(file)
        with engine.connect() as reader, reader.begin():
            count = text("SELECT count(*) FROM files")
            before = reader.execute(count).scalar()
            journal.commit(WHOLE_DECISION)
            meanwhile = reader.execute(count).scalar()

        with engine.connect() as reader:
            after = reader.execute(count).scalar()

    assert (before, meanwhile) == (0, 0)
    assert after == len(WHOLE_DECISION.files)


def test_a_reader_never_waits_for_an_open_transaction(file: Path) -> None:
    """The status must answer while a large decision is being written."""
    with journal_in(file) as journal, closing(sqlite3.connect(file, timeout=0)) as raw:
        journal.commit(Decision(files=(FileRow(A, LOOK, "v1"),)))
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("UPDATE files SET seen = 'half'")

        row = journal.get(A)

        assert row is not None
        assert row.seen == "v1"
        raw.rollback()
