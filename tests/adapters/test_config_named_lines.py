"""A failed check says in which line of the file the wrong value stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinsyncd.config.named_lines import lines_about

TEXT = """\
[[connection]]
name = "Bridge"
itwin_id = "i-1"
imodel_id = "m-1"

  [[connection.source]]
  folder = "/drive/cad"

[[connection]]
name = "Tunnel"
itwin_id = "i-1"
imodel_id = "m-2"
"""


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    file = tmp_path / "twinsyncd.toml"
    file.write_text(TEXT, "utf-8")
    return file


@pytest.mark.parametrize(
    ("said", "fix", "lines"),
    [
        ("find the iModel m-2: it does not exist", "correct imodel_id, or give it access", (12,)),
        ("find the iTwin i-1: not found", "invite it to the iTwin, or correct itwin_id", (3, 11)),
        ("read /drive/cad: it is empty", "mount it, check its server, or correct folder", (7,)),
        ("find the iModel m-1: it belongs to i-9", "correct itwin_id or imodel_id: no pair", (4,)),
        ("open the iTwin's Storage: i-1: no", "give that identity the permissions", ()),
        ("find the iModel m-3: not found", "correct imodel_id", ()),
    ],
)
def test_the_lines_of_the_key_to_correct_are_found(
    file: Path, said: str, fix: str, lines: tuple[int, ...]
) -> None:
    """Only of keys that the fix names, and only where the value is the one it is about."""
    assert lines_about(file, said, fix) == lines


def test_a_file_that_went_away_meanwhile_has_no_lines(tmp_path: Path) -> None:
    """The message is shown all the same."""
    assert lines_about(tmp_path / "none.toml", "m-1", "correct imodel_id") == ()


def test_what_only_the_environment_says_has_no_line(tmp_path: Path) -> None:
    """No line is better than a wrong one."""
    (tmp_path / "a.toml").write_text("[daemon]\n", "utf-8")

    assert lines_about(tmp_path / "a.toml", "m-1", "correct imodel_id") == ()
