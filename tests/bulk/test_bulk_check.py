"""What `check` finds out of a bulk API without writing to it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from localtwin.serve import Settings, serving
from twinsyncd.cloud.access_check import CheckResult
from twinsyncd.cloud.network import NetworkSettings
from twinsyncd.config import load
from twinsyncd.runtime.bulk_check import examine_service

OTHER = "0a1b2c3d-1111-4222-8333-444455556666"
CONFIG = """
[[connection]]
name = "Factory"
target = "bulk"

  [connection.bulk]
  url = "{url}"
  company_guid = "{company}"
  {who}

  [[connection.source]]
  folder = "exports"
  include = ["projects.csv"]
  storage_folder = "Factory/projects"
  rows = {{ entity = "projects", columns = {{ code = "P" }}, keys = {{ guid = ["P"] }} }}

  [[connection.source]]
  folder = "exports"
  include = ["components.csv"]
  storage_folder = "Factory/components"
  [connection.source.rows]
  entity = "components"
  columns = {{ code = "C" }}
  keys = {{ guid = ["P", "C"], project_guid = ["P"] }}
"""


class Site:
    """A bulk API on a loopback port, and who may use it."""

    def __init__(self, api_url: str, data: Path) -> None:
        self.api_url = api_url
        first = json.loads((data / "bulk.json").read_text("utf-8"))
        self.company, self.key = first["company_guid"], first["api_key"]
        self.email, self.password = first["email"], first["password"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests; nothing here changes it but by new keys."""
    data = tmp_path_factory.mktemp("data")
    with serving(Settings(data)) as ready:
        yield Site(ready.api_url, data)


def found(folder: Path, site: Site, **given: str) -> dict[str, CheckResult]:
    """Return the results by their step, for a configuration with these values."""
    (folder / "exports").mkdir()
    (folder / "key").touch(0o600)
    (folder / "key").write_text(given.pop("key", site.key))
    values = {
        "url": f"{site.api_url}/api/v1",
        "company": site.company,
        "who": 'api_key_file = "key"',
    }
    file = folder / "twinsyncd.toml"
    file.write_text(CONFIG.format(**(values | given)), "utf-8")
    (connection,) = load(file, {}).connection
    results = examine_service(connection, NetworkSettings())
    return {each.step.split(" at ")[0]: each for each in results}


def made_key(site: Site, scopes: str) -> str:
    """Return an API key with these scopes, made by the company's administrator."""
    with httpx.Client(base_url=f"{site.api_url}/api/v1") as http:
        login = {"email": site.email, "password": site.password}
        token = http.post("/auth/login", json=login).json()["access_token"]
        wish = {"description": "test", "scopes": scopes}
        signed = {"Authorization": f"Bearer {token}"}
        return str(http.post("/api-keys", json=wish, headers=signed).json()["key"])


def test_all_is_well_but_for_what_cannot_be_seen(tmp_path: Path, site: Site) -> None:
    """Whether the service deletes shows only by writing, so a person has to ask."""
    results = found(tmp_path, site)

    levels = {step: each.level for step, each in results.items()}
    assert levels == {"sign in": "ok", "company of Factory": "ok", "mode of Factory": "warning"}
    assert "ask its operator" in results["mode of Factory"].fix


def test_a_key_for_reading_is_named_as_such(tmp_path: Path, site: Site) -> None:
    """It is accepted, so nobody thinks of its scope."""
    result = found(tmp_path, site, key=made_key(site, "sync:read"))["sign in"]

    assert result.level == "failed"
    assert "scope sync:write" in result.found


def test_an_address_without_its_path_is_completed(tmp_path: Path, site: Site) -> None:
    """The documentation has paths without /api/v1 and with it."""
    result = found(tmp_path, site, url=site.api_url)["sign in"]

    assert result.level == "failed"
    assert result.fix == f'write url = "{site.api_url}/api/v1"'


def test_a_foreign_company_shows_before_the_first_sync(tmp_path: Path, site: Site) -> None:
    """Copied from another configuration it looks as good as any other GUID."""
    result = found(tmp_path, site, company=OTHER)["company of Factory"]

    assert result.level == "failed"
    assert f'write company_guid = "{site.company}"' in result.fix


def test_an_account_is_examined_like_a_key(tmp_path: Path, site: Site) -> None:
    """Offices without API keys sign in as a person."""
    (tmp_path / "password").touch(0o600)
    (tmp_path / "password").write_text(site.password)
    who = f'email = "{site.email}"\n  password_file = "password"'

    results = found(tmp_path, site, who=who)

    assert results["sign in"].found.endswith("its role allows it")
    assert results["company of Factory"].level == "ok"


def test_a_service_that_is_down_is_not_blamed_on_the_key(tmp_path: Path, site: Site) -> None:
    """Whoever makes a new key for it finds the old one revoked and the service still down."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    results = found(tmp_path, site, url=f"http://127.0.0.1:{port}/api/v1")

    signed_in = next(iter(results.values()))
    assert not signed_in.good
    assert signed_in.fix.startswith("check again when the service answers")
