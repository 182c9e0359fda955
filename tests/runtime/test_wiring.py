"""What a daemon opens: a journal that only it writes, in a folder that only its account reads."""

from __future__ import annotations

from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest

from twinsyncd.config import Config, load
from twinsyncd.errors import JournalError
from twinsyncd.runtime.state import is_running
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
    """Two would upload and run everything twice, each believing its own memory (K6)."""
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
