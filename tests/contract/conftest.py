"""The client and a real localtwin on a loopback port: two readings of one documentation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from contract_office import Office

from localtwin.serve import Ready, Settings, serving
from twinsyncd.cloud.session import Cloud, CloudSettings, open_cloud
from wire.tap import Tap
from wire.witness import Exchange, contract


@pytest.fixture(scope="session")
def exchanges() -> list[Exchange]:
    """What went over the wire and nobody has looked at yet."""
    return []


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory, exchanges: list[Exchange]) -> Iterator[Ready]:
    """A localtwin of this test session; its runs take a moment, so that they can be met."""
    data: Path = tmp_path_factory.mktemp("localtwin")
    settings = Settings(data, run_delay_s=0.2, admin_routes=True)
    with serving(settings, lambda app: Tap(app, exchanges)) as ready:
        yield ready


@pytest.fixture(autouse=True)
def as_the_contract_has_it(exchanges: list[Exchange]) -> Iterator[None]:
    """After every test: each request and each answer was of a shape the contract knows."""
    exchanges.clear()
    yield
    strange = {
        f"{each.method} {each.path} {each.status}": objections
        for each in exchanges
        if each.status < 500 and (objections := contract().objections(each, to_request=True))
    }
    assert strange == {}


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
