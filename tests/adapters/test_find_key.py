"""Files as people name them on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinsyncd.cli.retry import find_key
from twinsyncd.config import load

CONFIG = """
[[connection]]
name = "Factory"
target = "bulk"

  [connection.bulk]
  url = "https://factory.example.com/api/v1"
  company_guid = "0a1b2c3d-1111-4222-8333-444455556666"
  api_key_env = "KEY"

  [[connection.source]]
  folder = "exports"
  include = ["projects.csv"]
  storage_folder = "Factory/projects"
    [connection.source.rows]
    entity = "projects"
    columns = { code = "Project" }
    keys = { guid = ["Project"] }
"""


SECOND = """
  [[connection.source]]
  folder = "exports"
  include = ["pieces*.csv"]
  storage_folder = "Factory/pieces"
    [connection.source.rows]
    entity = "pieces"
    columns = { piece_id = "Part" }
    keys = { guid = ["Part"], project_guid = ["Project"], component_guid = ["Item"] }
"""


def test_of_sources_of_one_folder_the_one_that_takes_the_file_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export of pieces lies beside that of projects, and each has a source of its own."""
    (tmp_path / "exports").mkdir()
    file = tmp_path / "twinsyncd.toml"
    file.write_text(CONFIG + SECOND)
    config = load(file)
    monkeypatch.chdir(tmp_path)

    names = ("exports/projects.csv", "exports/pieces-2.csv", "exports/notes.txt")
    found = [find_key(config, name) for name in names]

    assert [key.source for key in found] == [
        "Factory/projects",
        "Factory/pieces",
        "Factory/projects",
    ]


def test_a_name_from_status_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside the drive, too, where any name could be that of a file below the current folder."""
    (tmp_path / "exports").mkdir()
    file = tmp_path / "twinsyncd.toml"
    file.write_text(CONFIG)
    config = load(file)
    monkeypatch.chdir(tmp_path / "exports")

    found = [find_key(config, name) for name in ("Factory/projects/projects.csv", "projects.csv")]

    assert [key.path for key in found] == ["projects.csv", "projects.csv"]
    assert found[0] == found[1]
