"""The bulk API's answers for each kind of records, written and read back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from platform_scene import ORIGIN, Clock, opened
from test_platform_bulk import Office, guid

from localtwin.api.app import build
from localtwin.world.world import World
from wire.in_process import InProcess

KINDS = ("projects", "components", "assemblies", "pieces", "articles")
REQUIRED = {
    "projects": ("code",),
    "components": ("code", "project_guid"),
    "assemblies": ("project_guid", "component_guid"),
    "pieces": ("piece_id", "project_guid", "component_guid"),
    "articles": ("code", "project_guid", "component_guid"),
}
OPTIONAL: dict[str, tuple[str, Any]] = {
    "projects": ("due_date", "2026-12-31"),
    "components": ("quantity", 4),
    "assemblies": ("cell_number", 7),
    "pieces": ("outer_length", 12.5),
    "articles": ("bar_length", 6000.5),
}
WRONG: dict[str, Any] = {
    "projects": "someday",
    "components": "many",
    "assemblies": "seven",
    "pieces": "long",
    "articles": "long",
}
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world on a clock that stands still."""
    with opened(tmp_path / "data", Clock()) as world:
        yield world


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    """A client in this process; project P and component C are there."""
    with httpx.Client(transport=InProcess(build(world)), base_url=ORIGIN) as http:
        yield Office(http, world.bulk_credentials()).with_parents()


def record(office: Office, kind: str, name: str = "new", **more: Any) -> dict[str, Any]:
    """Return a record of the kind with what is required, and one optional field."""
    values = {
        "code": name,
        "piece_id": name,
        "project_guid": guid("P"),
        "component_guid": guid("C"),
    }
    field, value = OPTIONAL[kind]
    own = {"guid": guid(name), "company_guid": office.company, field: value}
    return own | {each: values[each] for each in REQUIRED[kind]} | more


def stored(world: World, company: str, kind: str) -> dict[str, dict[str, Any]]:
    """Return the company's records of the kind by GUID."""
    return {each["guid"]: each for each in world.bulk_records.every(company, kind)}


@each_kind
def test_what_was_written_is_read_back_and_then_updated(
    office: Office, world: World, kind: str
) -> None:
    """An upsert replaces the record: a field that it leaves out is gone."""
    first = record(office, kind)
    second = {name: value for name, value in first.items() if name != OPTIONAL[kind][0]}

    inserted = office.sync(kind, first)
    read = stored(world, office.company, kind)[guid("new")]
    updated = office.sync(kind, second)

    assert inserted.json() == {"inserted": 1, "updated": 0}
    value = OPTIONAL[kind][1]
    assert read[OPTIONAL[kind][0]] in {value, f"{value}T00:00:00"}
    assert updated.json() == {"inserted": 0, "updated": 1}
    assert stored(world, office.company, kind)[guid("new")] == second


@each_kind
def test_an_empty_list_is_nothing(office: Office, kind: str) -> None:
    """A client whose file has no changed row may still call."""
    assert office.sync(kind).json() == {"inserted": 0, "updated": 0}


@each_kind
def test_each_required_field_and_a_wrong_one_are_named_by_their_place(
    office: Office, world: World, kind: str
) -> None:
    """One answer names all of them, so that a person corrects a file once."""
    required = (*REQUIRED[kind], "company_guid")
    bare = {"guid": guid("bare"), OPTIONAL[kind][0]: WRONG[kind]}

    found = office.sync(kind, record(office, kind), bare)

    assert found.status_code == 422
    places = {tuple(each["loc"][:4]) for each in found.json()["detail"]}
    assert places == {("body", kind, 1, name) for name in (*required, OPTIONAL[kind][0])}
    assert guid("new") not in stored(world, office.company, kind)


@each_kind
def test_a_guid_twice_conflicts_and_writes_nothing(office: Office, world: World, kind: str) -> None:
    """Neither of the two may win by chance."""
    found = office.sync(kind, record(office, kind), record(office, kind))

    assert found.status_code == 409
    assert guid("new") in found.json()["detail"]
    assert guid("new") not in stored(world, office.company, kind)


@each_kind
def test_a_foreign_company_writes_nothing_anywhere(office: Office, world: World, kind: str) -> None:
    """Each item is examined, also behind a good one."""
    other = world.bulk_accounts.add_company("Other")
    foreign = record(office, kind, "foreign", company_guid=other)

    found = office.sync(kind, record(office, kind), foreign)

    assert found.status_code == 403
    assert guid("new") not in stored(world, office.company, kind)
    assert stored(world, other, kind) == {}


@each_kind
def test_without_the_scope_nothing_is_written(office: Office, world: World, kind: str) -> None:
    """The scope counts for each kind alike."""
    accounts = world.bulk_accounts
    _, reading = accounts.add_key(accounts.administrator(office.company), "r", "sync:read")

    refused = office.sync(kind, record(office, kind), X_API_Key=reading)
    unknown = office.sync(kind, record(office, kind), X_API_Key="rfk_unknown")

    assert (refused.status_code, unknown.status_code) == (403, 401)
    assert guid("new") not in stored(world, office.company, kind)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_parent_of_another_company_is_no_parent(office: Office, world: World, kind: str) -> None:
    """Otherwise a record of ours would show what another company has."""
    accounts = world.bulk_accounts
    other = accounts.add_company("Other")
    _, key = accounts.add_key(accounts.administrator(other), "other", "sync:write")

    found = office.sync(kind, record(office, kind, company_guid=other), X_API_Key=key)

    assert found.status_code == 400
    assert "not found" in found.json()["detail"]
    assert stored(world, other, kind) == {}


@each_kind
def test_paths_without_the_prefix_are_not_this_api(office: Office, kind: str) -> None:
    """The overview writes /sync/pieces for short; the base path is part of every address."""
    body = {kind: [record(office, kind)]}

    assert office.http.post(f"/sync/{kind}", json=body, headers=office.key).status_code == 404
    assert office.http.get(f"/api/v1/sync/{kind}", headers=office.key).status_code == 405
