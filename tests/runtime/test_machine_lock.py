"""Two journals of one machine must not serve the same connection."""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest

from twinsyncd.config import Config, load
from twinsyncd.errors import JournalError
from twinsyncd.runtime.machine_lock import serving_alone

CONFIG = """
[auth]
client_id = "x"
client_secret = "y"

[daemon]
state_folder = "{state}"

[[connection]]
name = "{name}"
itwin_id = "11111111-1111-4111-8111-111111111111"
imodel_id = "{imodel}"

  [[connection.source]]
  folder = "."
  include = ["*.dgn"]
"""
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="abstract sockets are Linux's; elsewhere only the journal locks"
)


def config(folder: Path, state: str, name: str = "Bridge 12") -> Config:
    """Return a configuration of one connection, private to this test."""
    imodel = uuid5(NAMESPACE_URL, str(folder))
    file = folder / f"{state}.toml"
    file.write_text(CONFIG.format(state=state, name=name, imodel=imodel))
    file.chmod(0o600)
    return load(file)


def test_a_second_journal_is_refused_in_words(tmp_path: Path) -> None:
    """A shell without the unit's environment became a second daemon, and uploaded all again."""
    with serving_alone(config(tmp_path, "service")):
        with (
            pytest.raises(JournalError, match='serves the connection "Bridge 12"') as caught,
            serving_alone(config(tmp_path, "shell")),
        ):
            pass
        with serving_alone(config(tmp_path, "other", "Bridge 13")):
            pass

    assert "account as the service" in caught.value.hint
    with serving_alone(config(tmp_path, "shell")):
        pass
