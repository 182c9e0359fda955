"""What `twinsyncd local` says of the bulk API."""

from __future__ import annotations

from pathlib import Path

from localtwin.serve import Ready
from twinsyncd.cli.local import bulk_lines

URL = "http://127.0.0.1:1"


def _said(data: Path) -> str:
    ready = Ready(URL, URL, "id", "secret", "itwin", "imodel", data, bulk_company_guid="company")
    return bulk_lines(ready)


def test_the_bulk_api_is_announced_without_its_key(tmp_path: Path) -> None:
    """Its block was nowhere to be seen; a key in a terminal's history is a key that is out."""
    said = _said(tmp_path / "localtwin")

    assert f'url = "{URL}/api/v1"' in said
    assert 'company_guid = "company"' in said
    assert f"api_key of {tmp_path / 'localtwin' / 'bulk.json'}" in said
    assert "demo" not in said


def test_a_folder_of_a_demo_names_its_own_configuration(tmp_path: Path) -> None:
    """Whoever goes on with a demo would paste the block of another target."""
    (tmp_path / "twinsyncd.toml").touch()

    assert f"has its configuration already: {tmp_path / 'twinsyncd.toml'}" in _said(
        tmp_path / "localtwin"
    )
