"""A journal whose file is deleted or replaced under the daemon is noticed and mended (P8, P12)."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest
from test_wiring import CONFIG

from twinsyncd.cli.run import Serving
from twinsyncd.config import Config, load
from twinsyncd.errors import JournalError, JournalGone
from twinsyncd.journal.requests import Request
from twinsyncd.runtime import engine as engine_module
from twinsyncd.runtime.state import journal_file, open_views
from twinsyncd.runtime.wiring import open_engine


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """An office's configuration."""
    (tmp_path / "cad").mkdir()
    file = tmp_path / "twinsyncd.toml"
    file.touch(mode=0o600)
    file.write_text(CONFIG.format(imodel_id=uuid5(NAMESPACE_URL, str(tmp_path))), "utf-8")
    return load(file, {})


def asked_in(file: Path) -> list[str]:
    """Return what people asked for, read without our own code."""
    with closing(sqlite3.connect(file)) as raw:
        return [kind for (kind,) in raw.execute("SELECT kind FROM requests")]


def run_until_noticed(config: Config, what_happens: object) -> None:
    """Run a daemon for a heartbeat, let something happen to its journal, and run on."""
    assert callable(what_happens)
    with open_engine(config, watch=False) as engine:
        engine._journal.leave_request(Request("sync"), 1.0)  # type: ignore[attr-defined]
        engine.run(until=lambda: True)
        what_happens()
        engine.run(until=lambda: True)


def test_a_deleted_state_folder_is_put_back_with_all_that_was_known(config: Config) -> None:
    """The daemon went on with a file that no longer had a name, and `status` knew of nothing."""
    file = journal_file(config)

    with pytest.raises(JournalGone, match="was deleted while it was in use"):
        run_until_noticed(config, lambda: shutil.rmtree(file.parent))

    assert asked_in(file) == ["sync"]
    if sys.platform != "win32":
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_empty_database_in_its_place_is_not_the_journal(config: Config) -> None:
    """Whatever opens a file that is gone makes an empty one."""
    file = journal_file(config)

    def replace() -> None:
        file.unlink()
        file.touch()

    with pytest.raises(JournalGone, match="was deleted"):
        run_until_noticed(config, replace)

    assert asked_in(file) == ["sync"]


def test_a_backup_that_was_put_in_its_place_is_kept(config: Config, tmp_path: Path) -> None:
    """Whoever restores a backup without stopping the daemon means the backup."""
    file = journal_file(config)
    with open_engine(config, watch=False):
        pass
    shutil.copy(file, tmp_path / "backup")

    def restore() -> None:
        (tmp_path / "backup").rename(file)

    with pytest.raises(JournalGone, match="another file lies in the place"):
        run_until_noticed(config, restore)

    assert asked_in(file) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the lock on the journal is all")
def test_until_it_is_put_back_nobody_says_that_nothing_was_synced(config: Config) -> None:
    """`status` said "there is no journal yet, since nothing was synced" of a daemon at work."""
    with open_engine(config, watch=False):
        shutil.rmtree(journal_file(config).parent)

        with pytest.raises(JournalError, match="serves Bridge with another journal, or this one"):
            open_views(config)


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_the_daemon_goes_on_by_itself(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart by hand would wait until somebody looks."""
    monkeypatch.setattr(engine_module, "BEAT_S", 0.01)
    file = journal_file(config)
    serving = Serving(tmp_path / "twinsyncd.toml", config)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        thread = threading.Thread(target=serving.serve)
        thread.start()
        while manager.recv(100) != b"READY=1":
            pass
        shutil.rmtree(file.parent)
        while manager.recv(100) != b"READY=1":
            pass
        serving.stop()
        thread.join(20)

    assert not thread.is_alive()
    assert file.exists()
