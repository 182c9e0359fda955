"""The bulk Synchronization API: each documented answer, in process and over a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
import pytest
from platform_scene import ORIGIN, Clock, opened

from localtwin.api.app import build
from localtwin.api.gateway import BODY_BYTES
from localtwin.faults import parse
from localtwin.serve import Settings, serving
from localtwin.world.bulk.accounts import Role
from localtwin.world.bulk.first_company import BulkAccount, BulkCredentials
from localtwin.world.tables import bulk_accounts
from localtwin.world.world import World
from wire.in_process import InProcess

SPACE = UUID("6f0a1f6e-1111-4222-8333-444455556666")


def guid(name: str) -> str:
    """Return the same GUID for the same name."""
    return str(uuid5(SPACE, name))


class Office:
    """A client of the bulk API with records to send."""

    def __init__(self, http: httpx.Client, first: BulkCredentials) -> None:
        self.http = http
        self.first = first
        self.key = {"X-API-Key": first.api_key}
        self.company = first.company_guid

    def sync(self, entity: str, *items: dict[str, Any], **headers: str) -> httpx.Response:
        """Send the items; the company's key signs unless `headers` do."""
        given = {name.replace("_", "-"): text for name, text in headers.items()} or self.key
        return self.http.post(f"/api/v1/sync/{entity}", json={entity: list(items)}, headers=given)

    def project(self, name: str = "P", **more: Any) -> dict[str, Any]:
        """Return a project."""
        return {"guid": guid(name), "code": name, "company_guid": self.company} | more

    def component(self, name: str = "C", project: str = "P") -> dict[str, Any]:
        """Return a component of a project."""
        return self.project(name) | {"project_guid": guid(project)}

    def piece(self, name: str, **more: Any) -> dict[str, Any]:
        """Return a piece of component C in project P."""
        parents = {"project_guid": guid("P"), "component_guid": guid("C")}
        own = {"guid": guid(name), "piece_id": name, "company_guid": self.company}
        return own | parents | more

    def with_parents(self) -> Office:
        """Send project P and component C."""
        assert self.sync("projects", self.project()).status_code == 200
        assert self.sync("components", self.component()).status_code == 200
        return self


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world on a clock that stands still."""
    with opened(tmp_path / "data", Clock()) as world:
        yield world


@pytest.fixture
def office(world: World) -> Iterator[Office]:
    """A client in this process."""
    with httpx.Client(transport=InProcess(build(world)), base_url=ORIGIN) as http:
        yield Office(http, world.bulk_credentials())


def answer(response: httpx.Response) -> tuple[int, Any]:
    """Return status and body."""
    return response.status_code, response.json()


def test_known_guids_are_updated_and_new_ones_inserted(office: Office, world: World) -> None:
    """The two numbers are all that a client learns of what happened."""
    office.with_parents().sync("pieces", office.piece("a"), office.piece("b"))

    found = office.sync("pieces", office.piece("b", barcode="7"), office.piece("c"))

    assert answer(found) == (200, {"inserted": 1, "updated": 1})
    pieces = list(world.bulk_records.every(office.company, "pieces"))
    assert {p["piece_id"]: p.get("barcode") for p in pieces} == {"a": None, "b": "7", "c": None}


def test_a_record_without_guid_gets_one(office: Office, world: World) -> None:
    """Sources without GUIDs are allowed; each request then makes another record."""
    nameless = {"code": "P", "company_guid": office.company}

    assert answer(office.sync("projects", nameless)) == (200, {"inserted": 1, "updated": 0})
    assert answer(office.sync("projects", nameless)) == (200, {"inserted": 1, "updated": 0})

    guids = [project["guid"] for project in world.bulk_records.every(office.company, "projects")]
    assert len({UUID(each) for each in guids}) == 2


def test_one_foreign_company_refuses_the_whole_request(office: Office, world: World) -> None:
    """Tenants are kept apart record by record, and nothing is written halfway."""
    other = world.bulk_accounts.add_company("Other")

    found = office.sync("projects", office.project("A"), office.project("B", company_guid=other))

    assert found.status_code == 403
    assert list(world.bulk_records.every(office.company, "projects")) == []
    assert list(world.bulk_records.every(other, "projects")) == []


def test_the_same_guid_in_two_companies_is_two_records(office: Office, world: World) -> None:
    """A GUID counts within the company: nobody can reach another's record by guessing it."""
    accounts = world.bulk_accounts
    other = accounts.add_company("Other")
    _, key = accounts.add_key(accounts.administrator(other), "other", "sync:write")
    office.sync("projects", office.project("A"))

    found = office.sync(
        "projects", office.project("A", company_guid=other, code="theirs"), X_API_Key=key
    )

    assert answer(found) == (200, {"inserted": 1, "updated": 0})
    assert next(world.bulk_records.every(office.company, "projects"))["code"] == "A"


def test_one_piece_too_many_is_refused(office: Office, world: World) -> None:
    """The documented limit is 1,000 pieces; whoever sends 1,001 must be told, not truncated."""
    office.with_parents()
    pieces = [office.piece(str(number)) for number in range(1001)]

    assert office.sync("pieces", *pieces).status_code == 400
    assert answer(office.sync("pieces", *pieces[:1000])) == (200, {"inserted": 1000, "updated": 0})
    assert len(list(world.bulk_records.every(office.company, "pieces"))) == 1000


def test_a_guid_twice_in_one_request_conflicts(office: Office) -> None:
    """Which of the two should win is nobody's guess."""
    found = office.sync("projects", office.project("A"), office.project("A", code="B"))

    assert found.status_code == 409
    assert guid("A") in found.json()["detail"]


def test_a_missing_or_unfitting_parent_is_refused(office: Office) -> None:
    """A piece without its component can never be made."""
    office.with_parents()
    office.sync("projects", office.project("Q"))

    missing = office.sync("pieces", office.piece("a", component_guid=guid("none")))
    unfitting = office.sync("pieces", office.piece("a", project_guid=guid("Q")))

    assert (missing.status_code, unfitting.status_code) == (400, 400)
    assert guid("none") in missing.json()["detail"]
    assert "does not belong" in unfitting.json()["detail"]


def test_wrong_fields_are_named_by_their_place(office: Office) -> None:
    """A client maps the place back to the row that a person has to correct."""
    wrong = office.piece("b", outer_length="long")
    del wrong["piece_id"]

    found = office.sync("pieces", office.piece("a"), wrong)

    places = {(tuple(each["loc"]), each["type"]) for each in found.json()["detail"]}
    assert found.status_code == 422
    assert {
        (("body", "pieces", 1, "piece_id"), "missing"),
        (("body", "pieces", 1, "outer_length"), "float_parsing"),
    } == places


@pytest.mark.parametrize("value", ["NaN", "1e999", '"\\ud83d"'])
def test_what_json_cannot_show_is_refused_like_any_wrong_field(office: Office, value: str) -> None:
    """An answer that cannot be written was HTTP 500, and the connection was closed."""
    piece = json.dumps(office.with_parents().piece("a", outer_length=0))
    body = f'{{"pieces": [{piece}]}}'.replace('"outer_length": 0', f'"outer_length": {value}')

    answer = office.http.post(
        "/api/v1/sync/pieces",
        content=body,
        headers=office.key | {"Content-Type": "application/json"},
    )

    assert answer.status_code == 422
    (wrong,) = json.loads(answer.text, parse_constant=pytest.fail)["detail"]
    assert wrong["loc"] == ["body", "pieces", 0, "outer_length"]


def test_a_body_that_is_too_large_is_named_as_such(office: Office) -> None:
    """FastAPI would answer 400, as if its JSON were broken."""
    answer = office.http.post(
        "/api/v1/sync/projects",
        content=b" " * (BODY_BYTES + 1),
        headers=office.key | {"Content-Type": "application/json"},
    )

    assert answer.status_code == 413
    assert answer.json() == {"detail": "Request body is too large"}


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "*/*"},
        {"X_API_Key": "rfk_wrong"},
        {"Authorization": "Bearer x"},
        {"Authorization": "ApiKey x"},
    ],
)
def test_without_valid_credentials_nothing_is_done(office: Office, headers: dict[str, str]) -> None:
    """401 is how a client learns that its key was withdrawn."""
    assert office.sync("projects", office.project(), **headers).status_code == 401


def test_a_key_needs_the_scope_to_write(office: Office, world: World) -> None:
    """A key for reading must not be able to change what a factory makes."""
    accounts = world.bulk_accounts
    administrator = accounts.administrator(office.company)
    _, reading = accounts.add_key(administrator, "reader", "sync:read")
    _, both = accounts.add_key(administrator, "both", "sync:read, sync:write")

    refused = office.sync("projects", office.project(), X_API_Key=reading)
    allowed = office.sync("projects", office.project(), Authorization=f"ApiKey {both}")

    assert (refused.status_code, allowed.status_code) == (403, 200)
    assert "sync:write" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.SYSTEM_ADMIN, 200),
        (Role.COMPANY_ADMIN, 200),
        (Role.INTEGRATION, 200),
        (Role.OPERATOR, 403),
    ],
)
def test_roles_decide_for_people(office: Office, world: World, role: Role, expected: int) -> None:
    """The document names the roles that may synchronize."""
    world.bulk_accounts.add_account("a@b.c", "secret", role, office.company)
    token = _token(office, "a@b.c", "secret")

    found = office.sync("projects", office.project(), Authorization=f"Bearer {token}")

    assert expected == found.status_code


def test_a_system_administrator_reaches_every_company(office: Office, world: World) -> None:
    """Only this role does."""
    other = world.bulk_accounts.add_company("Other")
    world.bulk_accounts.add_account("root@b.c", "secret", Role.SYSTEM_ADMIN, other)
    token = _token(office, "root@b.c", "secret")

    found = office.sync("projects", office.project(), Authorization=f"Bearer {token}")

    assert found.status_code == 200


def test_who_only_has_the_data_folder_can_try_every_role_and_a_second_company(
    office: Office,
) -> None:
    """What is refused to whom can be tried over HTTP, without writing into the database."""
    found = [
        (account.role, account.company_guid == office.company, _may_write(office, account))
        for account in office.first.accounts
    ]

    assert found == [
        ("CompanyAdmin", True, 200),
        ("SystemAdmin", True, 200),
        ("Integration", True, 200),
        ("Operator", True, 403),
        ("CompanyAdmin", False, 403),
    ]


def test_a_folder_of_an_earlier_version_gets_its_accounts(tmp_path: Path) -> None:
    """Its company and its key stay what they are."""
    with opened(tmp_path) as world:
        first = world.bulk_credentials()
        file = world.folder / "bulk.json"
        known = json.loads(file.read_text("utf-8"))
        del known["accounts"]
        file.write_text(json.dumps(known), "utf-8")
        with world._database.write() as connection:
            others = bulk_accounts.c.email != first.email
            connection.execute(bulk_accounts.delete().where(others))

        again = world.bulk_credentials()

    assert (again.company_guid, again.api_key) == (first.company_guid, first.api_key)
    assert [each.role for each in again.accounts] == [each.role for each in first.accounts]


def test_tokens_expire_and_are_refreshed(office: Office, world: World) -> None:
    """An access token lasts 15 minutes; a client that runs for months must renew it."""
    first = office.first
    login = {"email": first.email, "password": first.password}
    tokens = office.http.post("/api/v1/auth/login", json=login).json()
    assert isinstance(world.clock, Clock)
    world.clock.advance(seconds=901)

    stale = office.sync(
        "projects", office.project(), Authorization=f"Bearer {tokens['access_token']}"
    )
    refresh = {"refresh_token": tokens["refresh_token"]}
    fresh = office.http.post("/api/v1/auth/refresh", json=refresh).json()["access_token"]
    me = office.http.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {fresh}"})

    assert (tokens["expires_in"], tokens["role"]) == (900, "CompanyAdmin")
    assert stale.status_code == 401
    assert office.company == me.json()["company_guid"]
    wrong = {"refresh_token": tokens["access_token"]}
    assert office.http.post("/api/v1/auth/refresh", json=wrong).status_code == 401


def test_an_administrator_makes_keys_for_the_own_company_only(office: Office, world: World) -> None:
    """A key is a way into a company."""
    other = world.bulk_accounts.add_company("Other")
    signed = {
        "Authorization": f"Bearer {_token(office, office.first.email, office.first.password)}"
    }
    wish = {"description": "Ra", "scopes": "sync:write"}

    made = office.http.post("/api/v1/api-keys", json=wish, headers=signed)
    foreign = office.http.post(
        "/api/v1/api-keys", json=wish | {"company_guid": other}, headers=signed
    )

    assert (made.status_code, foreign.status_code) == (201, 403)
    assert made.json()["key"].startswith("rfk_")
    assert (
        office.sync("projects", office.project(), X_API_Key=made.json()["key"]).status_code == 200
    )


def test_a_snapshot_deletes_what_it_leaves_out(office: Office, world: World) -> None:
    """The service's own code does so, against its documentation: clients must be able to try it."""
    office.with_parents().sync("pieces", office.piece("a"), office.piece("b"))
    world.bulk_records.snapshot = True

    office.sync("pieces", office.piece("b"))
    left = [piece["piece_id"] for piece in world.bulk_records.every(office.company, "pieces")]
    again = office.sync("pieces", office.piece("a"))
    office.sync("projects", office.project("Q"))

    assert left == ["b"]
    assert answer(again) == (200, {"inserted": 0, "updated": 1})
    assert list(world.bulk_records.every(office.company, "pieces")) == []
    assert [p["code"] for p in world.bulk_records.every(office.company, "projects")] == ["Q"]


def test_faults_are_answered_in_the_apis_own_shape(office: Office, world: World) -> None:
    """A client is rehearsed against the errors it will meet, not against the platform's."""
    for text in ("throttle=7@/api x1", "error=503@/api x1", "signed-out@/api x1"):
        world.faults.add(parse(text))

    answers = [office.sync("projects", office.project()) for _ in range(3)]

    assert [each.status_code for each in answers] == [429, 503, 401]
    assert answers[0].headers["retry-after"] == "7"
    assert all(list(each.json()) == ["detail"] for each in answers)


def test_a_description_of_its_own_is_served(office: Office) -> None:
    """Whoever generates a client from it relies on it."""
    paths = office.http.get("/api/v1/openapi.json").json()["paths"]

    assert {
        "200",
        "400",
        "401",
        "403",
        "409",
        "422",
    } == set(paths["/api/v1/sync/pieces"]["post"]["responses"])


def test_records_and_keys_survive_a_restart_and_work_over_a_socket(tmp_path: Path) -> None:
    """What was answered 200 must be there tomorrow, and over a real connection."""
    with opened(tmp_path) as world:
        first = world.bulk_credentials()
        with httpx.Client(transport=InProcess(build(world)), base_url=ORIGIN) as http:
            Office(http, first).with_parents()

    with serving(Settings(tmp_path)) as ready, httpx.Client(base_url=ready.api_url) as http:
        found = Office(http, first).sync(
            "projects", Office(http, first).project(due_date="2026-12-01")
        )

    assert answer(found) == (200, {"inserted": 0, "updated": 1})


def _may_write(office: Office, account: BulkAccount) -> int:
    token = _token(office, account.email, account.password)
    return office.sync("projects", office.project(), Authorization=f"Bearer {token}").status_code


def _token(office: Office, email: str, password: str) -> str:
    login = {"email": email, "password": password}
    return str(office.http.post("/api/v1/auth/login", json=login).json()["access_token"])
