"""What a page of another origin may call: the APIs with a token, and nothing made for people."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from platform_scene import ORIGIN

from localtwin.api.app import build
from localtwin.world.world import World
from wire.in_process import InProcess

pytest_plugins = ["platform_fixtures"]

ELSEWHERE = {"Origin": "http://localhost:3000"}
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture
def page(world: World) -> Iterator[httpx.Client]:
    """Return what a page that was loaded from elsewhere calls with."""
    transport = InProcess(build(world))
    with httpx.Client(transport=transport, base_url=ORIGIN, headers=ELSEWHERE) as client:
        yield client


@pytest.mark.parametrize("path", ["/Synchronization/imodels/connections", "/itwins", "/blobs/x"])
def test_preflight_answers_allow_pages_to_call_the_apis(page: httpx.Client, path: str) -> None:
    """It asks without a token, and calls nothing when the answer is no."""
    answer = page.options(path, headers=ASKS)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "authorization"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in answer.headers


def test_a_page_may_read_answers_and_their_headers(page: httpx.Client, world: World) -> None:
    """Where a run is, and when to come back, stand in headers only."""
    token = world.access.issue(world.credentials.client_id, issuer=ORIGIN)
    listed = page.get("/itwins", headers={"Authorization": f"Bearer {token}"})
    refused = page.get("/itwins")

    assert (listed.status_code, refused.status_code) == (200, 401)
    for answer in (listed, refused):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-expose-headers"] == "*"


@pytest.mark.parametrize("path", ["/", "/view/x", "/connect/authorize", "/connect/consent"])
def test_pages_for_people_are_closed_to_other_pages(page: httpx.Client, path: str) -> None:
    """Any site a person visits could otherwise read the names of their projects."""
    answer = page.get(path)

    assert "access-control-allow-origin" not in answer.headers
