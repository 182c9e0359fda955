"""Updates: what is left out stays, null clears what may be null and is refused for the rest."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from platform_scene import Platform, error_of, expect

pytest_plugins = ["platform_fixtures"]

CONNECTIONS = "/synchronization/imodels/storageconnections"
HOOK = {
    "callbackUrl": "http://127.0.0.1:9/",
    "scope": "Account",
    "eventTypes": ["iModels.changesReady.v1"],
}


@pytest.fixture
def paths(platform: Platform) -> dict[str, str]:
    """Where there is something to update, each with a description where it may have one."""
    imodel, file = platform.new_imodel(), platform.upload("a.ifc", b"wall")
    for path in (f"/imodels/{imodel}", f"/storage/files/{file}"):
        expect(platform.patch(path, json={"description": "old"}), 200)
    named = {"name": "One", "description": "old"}
    version = expect(platform.post(f"/imodels/{imodel}/namedversions", json=named), 201)
    hook = expect(platform.post("/webhooks", json=HOOK), 201)["webhook"]["id"]
    return {
        "itwin": f"/itwins/{platform.itwin_id}",
        "imodel": f"/imodels/{imodel}",
        "version": f"/imodels/{imodel}/namedversions/{version['namedVersion']['id']}",
        "file": f"/storage/files/{file}",
        "webhook": f"/webhooks/{hook}",
        "connection": f"{CONNECTIONS}/{platform.connect(imodel, file)}",
    }


def update(platform: Platform, path: str, body: dict[str, Any]) -> httpx.Response:
    return platform.request("PUT" if "connections" in path else "PATCH", path, json=body)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("imodel", "description"),
        ("imodel", "extent"),
        ("version", "description"),
        ("file", "description"),
        ("connection", "displayName"),
        ("itwin", "geographicLocation"),
    ],
)
def test_null_clears_what_may_be_null(
    platform: Platform, paths: dict[str, str], kind: str, name: str
) -> None:
    """It was answered 200 and dropped, so nothing could be cleared any more."""
    (changed,) = expect(update(platform, paths[kind], {name: None}), 200).values()

    (found,) = expect(platform.get(paths[kind]), 200).values()
    assert changed[name] is found[name] is None


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("itwin", "displayName"),
        ("itwin", "number"),
        ("itwin", "status"),
        ("imodel", "name"),
        ("version", "name"),
        ("version", "state"),
        ("file", "displayName"),
        ("webhook", "callbackUrl"),
        ("webhook", "eventTypes"),
        ("webhook", "secret"),
        ("webhook", "active"),
        ("connection", "authenticationType"),
    ],
)
def test_null_is_refused_for_what_must_have_a_value(
    platform: Platform, paths: dict[str, str], kind: str, name: str
) -> None:
    """A client that sends it has a defect that 200 would hide."""
    before = expect(platform.get(paths[kind]), 200)

    answer = update(platform, paths[kind], {name: None})

    assert answer.status_code == 422
    assert {target for _, target in error_of(answer)[2]} == {name}
    assert expect(platform.get(paths[kind]), 200) == before


@pytest.mark.parametrize("kind", ["itwin", "imodel", "version", "file", "webhook", "connection"])
def test_an_empty_update_changes_nothing(
    platform: Platform, paths: dict[str, str], kind: str
) -> None:
    """What is left out belongs to whoever set it."""
    before = expect(platform.get(paths[kind]), 200)

    assert expect(update(platform, paths[kind], {}), 200) == before
