"""Commands that are printed to be typed next: as this shell finds them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from twinsyncd.cli.this_command import this_command


@pytest.mark.parametrize(
    ("on_path", "here", "expected"),
    [
        (True, "elsewhere", "twinsyncd"),
        (False, ".", ".venv/bin/twinsyncd"),
        (False, "elsewhere", "{top}/.venv/bin/twinsyncd"),
    ],
)
def test_a_printed_command_can_be_typed_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_path: bool, here: str, expected: str
) -> None:
    """The demo's last lines ended with "command not found" for everybody in a checkout."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name in ("twinsyncd", "python"):
        (folder / name).touch(0o755)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder)] if on_path else ["/nowhere"]))
    monkeypatch.chdir(tmp_path / here)

    assert this_command() == expected.format(top=tmp_path)
