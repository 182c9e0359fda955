"""Several kinds of records in one export file."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinsyncd.config import load
from twinsyncd.errors import ConfigError

CONFIG = """
[[connection]]
name = "Factory"
target = "bulk"
  [connection.bulk]
  url = "https://factory.example.com/api/v1"
  company_guid = "0a1b2c3d-1111-4222-8333-444455556666"
  api_key_file = "api_key"
"""
SOURCE = """
  [[connection.source]]
  folder = "."
  include = ["all.xlsx"]
  storage_folder = "{entity} {sheet}"
  [connection.source.rows]
  entity = "{entity}"
  sheet = "{sheet}"
  columns = {{ {field} = "Code" }}
  keys = {{ guid = ["Code"], project_guid = ["Project"], component_guid = ["Component"] }}
"""

FIELDS = {"articles": "code", "pieces": "piece_id"}


def _file(folder: Path, *kinds: tuple[str, str]) -> Path:
    (folder / "all.xlsx").touch()
    (folder / "api_key").write_text("key", "utf-8")
    (folder / "api_key").chmod(0o600)
    file = folder / "twinsyncd.toml"
    sources = (
        SOURCE.format(entity=entity, sheet=sheet, field=FIELDS[entity]) for entity, sheet in kinds
    )
    file.write_text(CONFIG + "".join(sources), "utf-8")
    return file


def test_a_workbook_may_have_several_kinds_of_records(tmp_path: Path) -> None:
    """Offices keep one workbook with a sheet for each kind."""
    file = _file(tmp_path, ("articles", "Articles"), ("pieces", "Items"))

    sources = load(file).connection[0].source

    assert [source.rows.sheet for source in sources] == ["Articles", "Items"]


def test_one_sheet_is_not_sent_twice_as_the_same_kind(tmp_path: Path) -> None:
    """Two mappings of the same rows would send them in turns for ever."""
    file = _file(tmp_path, ("articles", "Articles"), ("articles", "Articles"))
    file.write_text(file.read_text("utf-8").replace('"articles Articles"', '"two"', 1), "utf-8")

    with pytest.raises(ConfigError, match="would be sent twice"):
        load(file)
