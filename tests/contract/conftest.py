"""The client and a real localtwin on a loopback port: two readings of one documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from contract_office import Office

from localtwin.serve import Ready, Settings, serving
from twinsyncd.cloud.session import Cloud, CloudSettings, open_cloud


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """A localtwin of this test session; its runs take a moment, so that they can be met."""
    data: Path = tmp_path_factory.mktemp("localtwin")
    with serving(Settings(data, run_delay_s=0.2)) as ready:
        yield ready


@pytest.fixture
def cloud(local: Ready) -> Iterator[Cloud]:
    """The client under test, signed in as the local application."""
    settings = CloudSettings(
        local.client_id,
        lambda: local.client_secret,
        api_url=local.api_url,
        issuer_url=local.issuer_url,
    )
    with open_cloud(settings) as opened:
        yield opened


@pytest.fixture
def raw(local: Ready, cloud: Cloud) -> Iterator[httpx.Client]:
    """A plain client, to look at the server past the code under test."""
    headers = {"Authorization": f"Bearer {cloud.login.token()}"}
    with httpx.Client(base_url=local.api_url, headers=headers, follow_redirects=True) as http:
        yield http


@pytest.fixture
def new_imodel(local: Ready, raw: httpx.Client) -> Callable[[str], str]:
    """Create an iModel and return its id."""

    def create(name: str) -> str:
        made = raw.post("/imodels", json={"iTwinId": local.itwin_id, "name": name})
        assert made.status_code == 201, made.text
        return str(made.json()["iModel"]["id"])

    return create


@pytest.fixture
def office(
    local: Ready,
    cloud: Cloud,
    new_imodel: Callable[[str], str],
    request: pytest.FixtureRequest,
) -> Office:
    """A connection on an iModel of its own."""
    return Office(cloud, local.itwin_id, new_imodel(str(request.node.name)[:200]))
