"""Names that the server answers under; any other is another site's."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from platform_scene import ORIGIN

from localtwin.api.app import build
from localtwin.world.world import World
from wire.in_process import InProcess

pytest_plugins = ["platform_fixtures"]


@pytest.fixture
def browser(world: World) -> Iterator[httpx.Client]:
    """A client of a server that also has names of its own."""
    app = build(world, hosts=("Twin.office.example", "*.wild.example"))
    with httpx.Client(transport=InProcess(app), base_url=ORIGIN) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    ["/", "/connect/authorize", "/connect/consent", "/itwins", "/openapi.json", "/docs",
     "/.well-known/openid-configuration", "/blobs/azuresqldbecpluginstorage/ProjectShare/File/a"],
)  # fmt: skip
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "[::2]:80", ""])
def test_nothing_is_served_under_the_name_of_another_site(
    browser: httpx.Client, path: str, host: str
) -> None:
    """A page there could otherwise read what is here, after its name was made to point here."""
    answer = browser.get(path, headers={"Host": host})

    assert (answer.status_code, answer.json()["error"]["code"]) == (421, "MisdirectedRequest")


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.8.8.8", "[::1]:8080",
     "twin.office.example:443", "any.wild.example"],
)  # fmt: skip
def test_the_servers_own_names_are_served(browser: httpx.Client, host: str) -> None:
    """Whatever the port: a tunnel or a container may change it."""
    answer = browser.get("/.well-known/openid-configuration", headers={"Host": host})

    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["wild.example", "a.b.wild.example", "office.example"])
def test_a_wildcard_matches_one_label(browser: httpx.Client, host: str) -> None:
    """As in the certificate that it comes from."""
    assert browser.get("/itwins", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("hosts", [("localhost", "evil.example"), ("evil.example", "localhost")])
def test_a_second_name_does_not_hide_the_first(
    browser: httpx.Client, hosts: tuple[str, ...]
) -> None:
    """Which of two names a program believes differs from program to program."""
    headers = [("Host", host) for host in hosts]

    assert browser.get("/openapi.json", headers=headers).status_code == 421
