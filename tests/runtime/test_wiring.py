"""What a daemon opens: a journal that only it writes, in a folder that only its account reads."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from filelock import FileLock

from twinsyncd.config import Config, load
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import Digest, FileKey, FileRow, Fingerprint
from twinsyncd.errors import JournalDamaged, JournalError, JournalGone
from twinsyncd.journal.damage import set_aside_ones
from twinsyncd.journal.database import open_database
from twinsyncd.journal.writer import Journal
from twinsyncd.runtime import patience
from twinsyncd.runtime.state import (
    is_running,
    journal_file,
    open_views,
    read_status,
    read_trouble,
)
from twinsyncd.runtime.trouble import LENGTH, TroubleFile
from twinsyncd.runtime.wiring import open_engine

CONFIG = """[auth]
client_id = "service-abc"
client_secret = "hunter2"

[daemon]
state_folder = "state"

[[connection]]
name = "Bridge"
itwin_id = "0a1b2c3d-1111-4222-8333-444455556666"
imodel_id = "{imodel_id}"

  [[connection.source]]
  folder = "cad"
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The configuration of an office where nothing was ever started."""
    (tmp_path / "cad").mkdir()
    file = tmp_path / "twinsyncd.toml"
    file.touch(mode=0o600)
    imodel_id = uuid5(NAMESPACE_URL, str(tmp_path))  # else other tests would serve it as well
    file.write_text(CONFIG.format(imodel_id=imodel_id), "utf-8")
    return load(file, {})


def test_a_journal_has_one_daemon(config: Config) -> None:
    """Two would upload and run everything twice, each believing its own memory."""
    with open_engine(config, watch=False):
        assert is_running(config)
        with (
            pytest.raises(JournalError, match="another twinsyncd"),
            open_engine(config, watch=False),
        ):
            pass

    assert not is_running(config)
    with open_engine(config, watch=False):
        pass  # the first has ended, so the next may begin


def test_the_memory_of_last_resort_takes_its_space_at_the_start(config: Config) -> None:
    """On a disk that is full by then, a new file could not be written (P15)."""
    with open_engine(config, watch=False):
        pass

    assert config.daemon.state_folder is not None
    assert TroubleFile(config.daemon.state_folder).read() is None
    assert (config.daemon.state_folder / "trouble.json").stat().st_size == LENGTH


def test_the_state_folder_is_for_the_daemons_account_alone(config: Config) -> None:
    """The journal holds the names of an office's projects (P11)."""
    with open_engine(config, watch=False):
        pass

    folder = config.daemon.state_folder
    assert folder is not None
    assert folder.stat().st_mode & 0o077 == 0


def test_a_state_folder_that_is_read_only_is_waited_for(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk with a defect is mounted read-only; a daemon that ends would start for ever (P15)."""
    tries: list[str] = []
    acquire = FileLock.acquire

    def refuse_three_times(lock: FileLock, *given: Any, **named: Any) -> Any:
        tries.append(lock.lock_file)
        if len(tries) < 4:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), lock.lock_file)
        return acquire(lock, *given, **named)

    monkeypatch.setattr(FileLock, "acquire", refuse_three_times)
    monkeypatch.setattr(patience, "delay_s", lambda *_, **__: 0.0)
    with (
        pytest.raises(JournalError, match="Read-only file system"),
        open_engine(config, watch=False),
    ):
        pass  # somebody waits for this command, and is told at once
    with open_engine(config, watch=True):
        assert is_running(config)

    assert len(tries) >= 4


@pytest.mark.skipif(sys.platform == "win32", reason="the sockets of systemd")
def test_a_journal_that_does_not_fit_is_waited_for_until_it_is_moved_away(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service manager started the daemon again and again, each time to end at once (P15)."""
    file = journal_file(config)
    open_database(file).dispose()
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("ALTER TABLE files DROP COLUMN note")
    monkeypatch.setattr(patience, "WAIT_MAX_S", 0.0)
    opened: list[bool] = []

    def start() -> None:
        with open_engine(config, watch=True):
            opened.append(True)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        thread = threading.Thread(target=start)
        thread.start()
        assert manager.recv(100) == b"WATCHDOG=1"
        trouble = read_trouble(config)
        with pytest.raises(JournalError, match="the daemon runs and waits for its journal") as said:
            open_views(config)
        file.rename(tmp_path / "moved-away.sqlite")
        thread.join(20)

    assert opened == [True]
    assert trouble is not None
    assert "no column note in the table files" in trouble.reason
    assert trouble.reason in str(said.value)
    assert "goes on by itself" in said.value.hint


def test_what_drawings_refer_to_is_read_by_whoever_keeps_the_journal(config: Config) -> None:
    """Also of files that an earlier process took; a single sync ends once it is known."""
    source = config.connection[0].source[0]
    key = FileKey(config.connection[0].key_of(source), "plan.ifc")
    (Path(source.folder) / key.path).write_bytes(
        b"ISO-10303-21;\n#1=IFCDOCUMENTREFERENCE('gone.pdf',$,$);\nEND-ISO-10303-21;\n"
    )
    with open_engine(config, watch=False):
        pass
    journal = Journal(open_database(journal_file(config)))
    journal.commit(Decision(files=(FileRow(key, Fingerprint(1, 1), seen=Digest("1" * 64)),)))
    journal.close()

    with open_engine(config, watch=False):
        pass

    found = read_status(config).references[key.source]
    assert [each.written for each in found.examples[0].missing] == ["gone.pdf"]


@pytest.mark.parametrize("content", [b"no database", None])
def test_a_damaged_journal_is_set_aside_and_said(config: Config, content: bytes | None) -> None:
    """It holds nothing that drive and Storage do not; a daemon that waited would be no help."""
    file = journal_file(config)
    with open_engine(config, watch=False):
        pass
    damaged = file.read_bytes()[:4096] + b"\xff" * 8192 if content is None else content
    file.write_bytes(damaged)

    with open_engine(config, watch=False):
        pass

    [kept] = read_status(config).damaged
    assert kept.file.read_bytes() == damaged
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_damage_that_shows_while_it_is_used_sets_the_journal_aside(config: Config) -> None:
    """The next start, which the daemon does by itself, begins with an empty one."""
    file = journal_file(config)
    with open_engine(config, watch=False):
        pass

    def use() -> None:
        with open_engine(config, watch=False):
            file.write_bytes(b"rubbish" * 9000)
            raise JournalDamaged("database disk image is malformed")

    with pytest.raises(JournalGone, match="is kept as"):
        use()

    with open_engine(config, watch=False):
        pass

    assert len(read_status(config).damaged) == 1


def test_a_sound_journal_is_not_set_aside_for_an_error(config: Config) -> None:
    """A cable that fails for a moment must not cost the history."""
    with (
        pytest.raises(JournalDamaged),
        open_engine(config, watch=False),
    ):
        raise JournalDamaged("database disk image is malformed")

    assert read_status(config).damaged == ()


def test_a_disk_that_damages_one_journal_after_the_other_is_left_to_a_person(
    config: Config,
) -> None:
    """A copy each second would fill it."""
    file = journal_file(config)
    with open_engine(config, watch=False):
        pass
    file.write_bytes(b"no database")
    with open_engine(config, watch=False):
        pass
    file.write_bytes(b"no database")

    with (
        pytest.raises(JournalDamaged, match="the second within an hour") as refused,
        open_engine(config, watch=False),
    ):
        pass

    assert "set state_folder in the configuration" in refused.value.with_hint
    assert file.read_bytes() == b"no database"
    assert len(set_aside_ones(file)) == 1


def test_a_daemon_waits_for_the_person_whose_disk_damages_one_journal_after_the_other(
    config: Config,
) -> None:
    """It ended, and so did every start of it within the hour."""
    file = journal_file(config)
    with open_engine(config, watch=False):
        pass
    file.write_bytes(b"no database")
    with open_engine(config, watch=False):
        pass  # the first one is set aside
    ended: list[str] = []

    def serve() -> None:
        try:
            with open_engine(config, watch=True):
                file.write_bytes(b"no database")
                raise JournalDamaged("database disk image is malformed")
        except JournalGone as exc:
            ended.append(str(exc))

    daemon = threading.Thread(target=serve)
    daemon.start()
    while (trouble := read_trouble(config)) is None or "malformed" not in trouble.reason:
        assert daemon.is_alive()
    file.unlink()
    daemon.join(30)

    assert ended == [f"the journal {file} was damaged"]


def test_a_daemon_whose_state_folder_was_replaced_while_it_waited_locks_the_new_one(
    config: Config,
) -> None:
    """It worked on behind a lock that nobody saw, and status reported another daemon."""
    file = journal_file(config)
    with open_engine(config, watch=False):
        pass
    good = file.parent.with_name("backup")
    shutil.copytree(file.parent, good)
    with closing(sqlite3.connect(file)) as journal, journal:
        journal.execute("UPDATE alembic_version SET version_num = '9999'")
    ended: list[str] = []

    def serve() -> None:
        try:
            with open_engine(config, watch=True):
                pass
        except JournalGone as exc:
            ended.append(str(exc))

    daemon = threading.Thread(target=serve)
    daemon.start()
    while (trouble := read_trouble(config)) is None or trouble.is_start:
        assert daemon.is_alive()
    shutil.rmtree(file.parent)
    shutil.copytree(good, file.parent)
    daemon.join(30)

    assert ended == [
        f"the state folder {file.parent} was replaced while its journal was waited for"
    ]
