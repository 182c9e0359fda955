"""What errors advise."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shlex
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from twinsyncd.errors import how_to_install


class Installed:
    """A program whose installer noted where it came from."""

    def __init__(self, origin: str | None) -> None:
        self._origin = origin

    def read_text(self, name: str) -> str | None:
        """Return the note."""
        assert name == "direct_url.json"
        return self._origin


@pytest.mark.parametrize(
    ("origin", "wanted"),
    [
        (None, "twinsyncd[bulk]"),
        ('{"url": "https://index.example.com/twinsyncd.whl"}', "twinsyncd[bulk]"),
        ('{"url": "file:///gone/rel", "dir_info": {}}', ".[bulk]"),
        ('{"url": "file://HERE", "dir_info": {}}', "HERE[bulk]"),
        ('{"url": "file://HERE", "dir_info": {"editable": true}}', "-e HERE[bulk]"),
    ],
)
def test_a_missing_part_comes_from_where_the_program_came_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, origin: str | None, wanted: str
) -> None:
    """No public index has it, and whoever takes its name there could serve anything."""
    here = tmp_path / "my release"
    here.mkdir()
    noted = origin.replace("HERE", quote(str(here))) if origin else None
    monkeypatch.setattr(importlib.metadata, "distribution", lambda _name: Installed(noted))

    words = shlex.split(how_to_install("bulk").partition(" install ")[2])

    assert " ".join(words).partition("   ")[0].startswith(wanted.replace("HERE", str(here)))


@pytest.mark.parametrize("has_pip", [True, False])
def test_a_missing_part_goes_into_this_programs_own_environment(
    monkeypatch: pytest.MonkeyPatch, has_pip: bool
) -> None:
    """Any other pip that is on the PATH installs it where this program does not find it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if has_pip else None)
    monkeypatch.setattr(sys, "executable", "/opt/twin sync/bin/python")

    words = shlex.split(how_to_install("bulk").partition(": ")[2])

    assert words[-1].endswith("[bulk]")
    assert "/opt/twin sync/bin/python" in words
    assert words[0] == ("/opt/twin sync/bin/python" if has_pip else "uv")


@pytest.mark.parametrize(
    ("has_pip", "words"),
    [
        (True, 'install it with: "C:/Program Files/twinsyncd/python.exe" -m pip install '),
        (False, 'build the bundle again with -Extras "windows,keyring,bulk"'),
    ],
)
def test_a_missing_part_on_windows_is_named_as_its_command_line_reads_it(
    monkeypatch: pytest.MonkeyPatch, has_pip: bool, words: str
) -> None:
    """It knows no single quotes, and the bundle's own Python has neither pip nor uv."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if has_pip else None)
    monkeypatch.setattr(sys, "executable", "C:/Program Files/twinsyncd/python.exe")

    told = how_to_install("bulk", is_windows=True)

    assert told.startswith(words)
    assert "'" not in told
