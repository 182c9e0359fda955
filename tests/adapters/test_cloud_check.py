"""`twinsyncd check` and the platform: network, clock, scopes, permissions, connections."""

from __future__ import annotations

import base64
import json
from email.utils import formatdate
from typing import Any

import httpx
import pytest
from cloud_script import API, Wire

from twinsyncd.cloud.access_check import (
    CheckResult,
    examine_connection,
    examine_imodel_permissions,
    examine_permissions,
    examine_scope,
)
from twinsyncd.cloud.network import read_proxies
from twinsyncd.cloud.network_check import examine_network
from twinsyncd.cloud.session import Cloud, CloudSettings, open_cloud

ISSUER = "https://ims.example.com"
NOW_S = 1_700_000_000.0
CONNECTIONS = "/synchronization/imodels/storageconnections"
LINKS: dict[str, Any] = {"_links": {}}


def results(wire: Wire, *, proxies: dict[str, str] | None = None) -> list[CheckResult]:
    """Return what the examination of the network says on this wire."""
    urls = (ISSUER, API)
    with open_cloud(CloudSettings("me"), transport=httpx.MockTransport(wire)) as cloud:
        way = read_proxies(urls, proxies or {})
        found = list(examine_network(cloud, way, urls, now=lambda: NOW_S))
    wire.ended()
    return found


@pytest.mark.parametrize(
    ("ahead_s", "level"), [(0, "ok"), (-50, "ok"), (90, "warning"), (-400, "failed")]
)
def test_a_wrong_clock_is_reported_by_the_services_own_time(ahead_s: int, level: str) -> None:
    """Tokens count as expired then, and the refusal blames the secret."""
    date = {"Date": formatdate(NOW_S - ahead_s, usegmt=True)}
    wire = Wire().hears("GET", f"{ISSUER}/", 404, headers=date).hears("GET", f"{API}/", 401)

    clock = results(wire)[-1]

    assert (clock.topic, clock.level) == ("clock", level)
    assert ("timedatectl" in clock.fix) == (level != "ok")
    if level == "failed":
        assert "this machine's clock is 400 s behind" in clock.found


def test_how_each_host_is_reached_is_reported_and_no_password_is() -> None:
    """The proxy is the first suspect of every first start."""
    wire = Wire().hears("GET", f"{ISSUER}/", 200)
    wire.breaks("GET", f"{API}/", httpx.ProxyError("503 Service Unavailable"))
    proxies = {"https": "http://me:hunter2@proxy.example.com:3128"}

    issuer, api = results(wire, proxies=proxies)

    assert issuer.found.startswith("through the proxy proxy.example.com:3128")
    assert not api.good
    assert "add api.example.com to NO_PROXY" in api.fix
    assert "hunter2" not in f"{issuer}{api}"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])
def test_localtwin_that_is_not_started_is_not_a_matter_of_the_network(host: str) -> None:
    """Most of those who try it have closed the terminal that serves it."""
    url = f"http://{host}"
    wire = Wire().breaks("GET", f"{url}/", httpx.ConnectError("[Errno 111] Connection refused"))
    proxies = read_proxies((url,), {"http": "http://proxy:3128"})
    with open_cloud(CloudSettings("me"), transport=httpx.MockTransport(wire)) as cloud:
        (found,) = examine_network(cloud, proxies, (url,))

    assert found.found.startswith("nothing listens on this machine at ")
    assert found.found.endswith("(tried directly)")
    assert host.strip("[]").replace("]", "") in found.found.replace("]", "")
    assert "start it with the --data it had before: twinsyncd local" in found.fix
    assert "proxy" not in found.fix


def test_a_host_behind_no_proxy_is_said_to_be_reached_directly() -> None:
    """Else a proxy that is configured and not used is a riddle."""
    wire = Wire().hears("GET", f"{ISSUER}/", 200).hears("GET", f"{API}/", 200)

    found = results(wire, proxies={"https": "http://proxy:1", "no": "example.com"})

    assert all("directly, as NO_PROXY says" in each.found for each in found)


def token(**claims: object) -> str:
    """Return a token whose claims can be read."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"h.{body}.s"


def signed_in(wire: Wire, issued: str = "t") -> Wire:
    """Let the wire sign one service in."""
    wire.hears("GET", f"{ISSUER}/.well-known/openid-configuration", 404)
    answer = {"access_token": issued, "expires_in": 3600}
    return wire.hears("POST", f"{ISSUER}/connect/token", json=answer)


def cloud_on(wire: Wire) -> Any:
    """Return the cloud on this wire, to be entered."""
    settings = CloudSettings("me", lambda: "hunter2", API, ISSUER)
    return open_cloud(settings, sleep=wire.naps.append, transport=httpx.MockTransport(wire))


@pytest.mark.parametrize(
    ("scope", "level"),
    [
        (["itwin-platform"], "ok"),
        ("openid itwin-platform", "ok"),
        (["storage:read"], "failed"),
        (None, ""),
    ],
)
def test_a_token_without_the_scope_is_no_success(scope: object, level: str) -> None:
    """Sign-in works, every call fails, and the refusal speaks of credentials."""
    wire = signed_in(Wire(), token(scope=scope) if scope else "opaque")
    cloud: Cloud
    with cloud_on(wire) as cloud:
        found = [each.level for each in examine_scope(cloud)]

    assert found == ([level] if level else [])


@pytest.mark.parametrize(
    ("held", "deletes", "fix"),
    [
        (["storage_read", "storage_write"], False, ""),
        (["storage_read"], False, "a role in the iTwin with: storage_write"),
        ([], True, "a role in the iTwin with: storage_delete, storage_read, storage_write"),
        (["storage_read", "storage_write"], True, "a role in the iTwin with: storage_delete"),
    ],
)
def test_missing_permissions_are_named_with_whom_to_give_them(
    held: list[str], *, deletes: bool, fix: str
) -> None:
    """`403` names neither the permission nor the identity."""
    wire = signed_in(Wire()).hears(
        "GET", "/accesscontrol/itwins/i1/permissions", json={"permissions": held}
    )
    cloud: Cloud
    with cloud_on(wire) as cloud:
        (found,) = examine_permissions(cloud, "i1", deletes=deletes)

    assert found.level == ("failed" if fix else "ok")
    assert found.fix.endswith(fix)
    assert ("me@apps.imsoidc.bentley.com" in found.fix) == bool(fix)


@pytest.mark.parametrize(
    ("told", "of_itwin", "level"),
    [
        (["imodels_read", "imodels_write"], None, "ok"),
        (["imodels_read"], ["imodels_read"], "failed"),
        (["imodels_read"], None, "failed"),
        (404, ["imodels_read", "imodels_write"], "ok"),
        (404, ["imodels_read"], "warning"),  # the iModel alone may grant it
        (403, ["imodels_read", "imodels_write"], "ok"),  # it is not to be seen: no webview
        (403, ["storage_read"], "failed"),  # the iModel is not even to be seen
    ],
)
def test_the_imodel_says_what_may_be_done_with_it(
    told: list[str] | int, of_itwin: list[str] | None, level: str
) -> None:
    """A run that may not write fails after the upload of everything."""
    wire, path = signed_in(Wire()), "/imodels/m1/permissions"
    if isinstance(told, int):
        wire.hears("GET", path, told)
        wire.hears("GET", "/accesscontrol/itwins/i1/permissions", json={"permissions": of_itwin})
    else:
        wire.hears("GET", path, json={"permissions": told})
        refused = 403 if of_itwin is None else 200
        answer = {"permissions": of_itwin}
        wire.hears("GET", "/accesscontrol/itwins/i1/permissions", refused, json=answer)
    cloud: Cloud
    with cloud_on(wire) as cloud:
        (found,) = examine_imodel_permissions(cloud, "i1", "m1")

    assert found.level == level
    assert found.fix.endswith("imodels_write") == (level != "ok")
    assert ("a role in the iTwin" in found.fix) == (level != "ok")


@pytest.mark.parametrize(
    ("told", "missing"),
    [(["imodels_read"], "imodels_write"), (403, "imodels_read, imodels_write")],
)
def test_permissions_of_the_imodel_itself_are_not_sought_in_the_itwin(
    told: list[str] | int, missing: str
) -> None:
    """Once there are any they count instead, so another role in the iTwin would not help."""
    wire = signed_in(Wire())
    if isinstance(told, int):
        wire.hears("GET", "/imodels/m1/permissions", told)
    else:
        wire.hears("GET", "/imodels/m1/permissions", json={"permissions": told})
    of_itwin = {"permissions": ["imodels_read", "imodels_webview", "imodels_write"]}
    wire.hears("GET", "/accesscontrol/itwins/i1/permissions", json=of_itwin)
    cloud: Cloud
    with cloud_on(wire) as cloud:
        (found,) = examine_imodel_permissions(cloud, "i1", "m1")

    assert found.level == "failed"
    assert "the iModel has permissions of its own" in found.found
    assert found.fix.endswith(f"to the permissions of the iModel, with: {missing}")


def examined(wire: Wire, connection_id: str = "") -> CheckResult:
    """Return what the examination of the connection says on this wire."""
    found = examine_connection(
        wire.platform(), name="Bridge 12", imodel_id="M1", connection_id=connection_id
    )
    wire.ended()
    return found


def connection(identifier: str, imodel_id: str = "m1") -> dict[str, Any]:
    """Return a connection as the service shows it."""
    return {"id": identifier, "displayName": "Bridge 12", "iModelId": imodel_id}


def test_a_connection_id_of_another_imodel_is_refused() -> None:
    """It would be filled with the files of this one."""
    wire = Wire().hears("GET", f"{CONNECTIONS}/c1", json={"connection": connection("c1", "m2")})

    found = examined(wire, "c1")

    assert not found.good
    assert found.found == '"Bridge 12" belongs to the iModel m2'
    assert "connection_id or imodel_id" in found.fix


def test_a_connection_id_that_does_not_exist_is_named_as_that() -> None:
    """`It does not exist` left open what."""
    wire = Wire().hears("GET", f"{CONNECTIONS}/c1", 404)

    found = examined(wire, "c1")

    assert not found.good
    assert "the connection c1 does not exist" in found.found
    assert "or delete connection_id" in found.fix


def test_a_right_connection_id_is_good_whatever_the_case_of_the_imodels_id() -> None:
    """Ids are compared, not spelled."""
    wire = Wire().hears("GET", f"{CONNECTIONS}/c1", json={"connection": connection("c1")})

    assert examined(wire, "c1").good


@pytest.mark.parametrize(
    ("there", "good", "words"),
    [
        ([], True, "the first sync creates it"),
        ([connection("c1")], True, "it exists (c1) and will be used"),
        ([connection("c1"), connection("c2")], False, "2 connections of this name"),
        (
            [{"id": f"c{each}", "displayName": f"{each}"} for each in range(90)],
            True,
            "90 connections of at most 100",
        ),
        (
            [{"id": f"c{each}", "displayName": f"{each}"} for each in range(100)],
            False,
            "no more can be added",
        ),
    ],
)
def test_what_the_first_sync_does_about_the_connection_is_said_before_it(
    there: list[dict[str, Any]], good: bool, words: str
) -> None:
    """A connection that is made by mistake has to be found and deleted in the portal."""
    wire = Wire().hears("GET", CONNECTIONS, json={"connections": there, **LINKS})

    found = examined(wire)

    assert found.good == good
    assert words in found.found
