"""Every answer of a bulk service, mapped to what a person can correct."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from bulk_scene import CONNECTION, ORIGIN, Factory, factory, table

from localtwin.world.bulk.accounts import Role
from twinsyncd.cloud.bulk_api import BatchRefused, Counts
from twinsyncd.cloud.bulk_sign_in import Account, ApiKey, PersonSignIn
from twinsyncd.core.commands import Compare
from twinsyncd.core.model import Failure, Fault, RunKey
from twinsyncd.errors import CloudError
from twinsyncd.targets.bulk.delivery import Delivery
from twinsyncd.targets.bulk.mapping import RowReader
from twinsyncd.targets.bulk.objections import objections
from twinsyncd.targets.bulk.tables import Table


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Factory]:
    """A factory with project P and component C."""
    with factory(tmp_path) as made:
        yield made.with_parents()


def _mixed(good: int, *lost: str) -> str:
    """Return pieces of component C, and two pieces of each lost component among them."""
    lines = table(**{f"p{each}": each for each in range(good)}).splitlines()
    for component in lost:
        lines[3:3] = [f"P,{component},{component}-{number},1" for number in (1, 2)]
    return "\n".join(lines) + "\n"


def test_rows_without_parents_wait_and_the_others_go_in(plant: Factory) -> None:
    """One component that is not exported yet must not keep a batch of good pieces waiting."""
    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", _mixed(500, "X", "Y"))

    assert caught.value.failure.fault is Fault.REFUSED
    text = caught.value.failure.message
    assert "4 of 504 rows are not in the service" in text
    assert "row 4, column project + component: the service: component_guid" in text
    assert "send its parents first" in text
    assert len(plant.lengths()) == 500
    assert len(plant.requests) == 3  # each refusal shows one missing parent


def test_rows_that_waited_for_parents_are_sent_when_these_came(plant: Factory) -> None:
    """The file itself does not change, so something has to ask for it."""
    with pytest.raises(CloudError):
        plant.store("pieces.csv", _mixed(2, "X"))
    target = plant.connection()
    assert _to_resend(plant) == []

    plant.store("components.csv", "project,component\nP,C\nP,X\n")
    plant.requests.clear()
    found = _to_resend(plant)
    plant.store("pieces.csv", _mixed(2, "X"), target)

    assert found == ["pieces.csv"]
    assert set(plant.lengths()) == {"p0", "p1", "X-1", "X-2"}
    assert [len(json.loads(each.content)["pieces"]) for each in plant.requests] == [2]
    assert _to_resend(plant) == []


def _to_resend(plant: Factory) -> list[str]:
    compared = plant.connection().compare(Compare(CONNECTION, "", (), RunKey("")))
    return [difference.key.path for difference in compared.differences]


def test_a_service_that_lost_parents_is_suspected_of_snapshots(plant: Factory) -> None:
    """Sent as upserts, two files of projects would delete each other's; nobody would know why."""
    plant.world.bulk_records.snapshot = True
    plant.store("projects.csv", "project\nP\nQ\n")

    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", table(a=1))

    assert 'set mode = "snapshot"' in caught.value.failure.message


def test_a_foreign_company_stops_everything_and_writes_nothing(plant: Factory) -> None:
    """The company is configured once, so no row is to blame."""
    other = plant.world.bulk_accounts.add_company("Other")
    mapping = plant.mapping("projects", company_guid=other)

    with pytest.raises(CloudError) as caught:
        plant.store("projects.csv", "project\nQ\n", plant.connection(projects=mapping))

    assert caught.value.failure.fault is Fault.UNAUTHORISED
    assert "company_guid must be its own company" in caught.value.failure.message
    assert list(plant.world.bulk_records.every(other, "projects")) == []


def test_a_row_of_a_foreign_company_is_rejected_alone(plant: Factory) -> None:
    """Where the export names the company, one wrong cell is one wrong row."""
    other = plant.world.bulk_accounts.add_company("Other")
    mapping = plant.mapping("projects", columns={"code": "project", "company_guid": "company"})
    data = f"project,company\nQ,{plant.company}\nR,{other}\nS,{plant.company}\n"

    with pytest.raises(CloudError) as caught:
        plant.store("projects.csv", data, plant.connection(projects=mapping))

    assert "row 3, column company: the service: Access denied" in caught.value.failure.message
    codes = {each["code"] for each in plant.world.bulk_records.every(plant.company, "projects")}
    assert codes == {"P", "Q", "S"}
    assert list(plant.world.bulk_records.every(other, "projects")) == []


def test_a_key_without_the_scope_is_named_as_such(plant: Factory) -> None:
    """The key works elsewhere, so nobody thinks of its scope."""
    accounts = plant.world.bulk_accounts
    _, reading = accounts.add_key(accounts.administrator(plant.company), "r", "sync:read")
    plant.api = plant.client(ApiKey(lambda: reading))

    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", table(a=1))

    assert caught.value.failure.fault is Fault.UNAUTHORISED
    assert "scope sync:write" in caught.value.failure.message


def _account(plant: Factory, role: Role = Role.INTEGRATION) -> Account:
    plant.world.bulk_accounts.add_account("a@b.c", "secret", role, plant.company)
    return Account("a@b.c", lambda: "secret")


def _sign_in(plant: Factory, account: Account, now_s: Sequence[float] = (0.0,)) -> PersonSignIn:
    return PersonSignIn(plant.http, f"{ORIGIN}/api/v1", account, lambda: now_s[0])


def _calls(plant: Factory) -> list[str]:
    return [request.url.path.removeprefix("/api/v1/") for request in plant.requests]


@pytest.mark.parametrize("key", ["rfk_\u00e4", "rfk_a\nrfk_b", "key: rfk_a"])
def test_a_key_that_no_header_can_hold_is_not_shown(plant: Factory, key: str) -> None:
    """Such a key ended the delivery with an exception whose text has the key."""
    plant.api = plant.client(ApiKey(lambda: key))

    with pytest.raises(CloudError, match="write the key alone") as caught:
        plant.store("pieces.csv", table(a=1))

    assert caught.value.failure.fault is Fault.UNAUTHORISED
    assert key not in str(caught.value)


def test_an_account_signs_in_once_and_renews_its_token(plant: Factory) -> None:
    """A token is good for a quarter of an hour; the password is not sent again for the next."""
    now_s = [0.0]
    plant.api = plant.client(_sign_in(plant, _account(plant), now_s))

    plant.store("pieces.csv", table(a=1))
    plant.store("pieces.csv", table(a=2))
    now_s[0] = 850.0
    plant.store("pieces.csv", table(a=3))

    push = "sync/pieces"
    assert _calls(plant) == ["auth/login", push, push, "auth/refresh", push]
    assert plant.lengths() == {"a": 3}


def test_a_token_that_is_no_longer_accepted_is_replaced(plant: Factory) -> None:
    """A service that restarts with another secret accepts no earlier token."""
    plant.api = plant.client(_sign_in(plant, _account(plant)))
    plant.store("pieces.csv", table(a=1))
    plant.requests.clear()
    plant.fault("signed-out@/api/v1/sync x1")

    plant.store("pieces.csv", table(a=2))

    assert _calls(plant) == ["sync/pieces", "auth/login", "sync/pieces"]
    assert plant.lengths() == {"a": 2}


def test_a_wrong_password_stops_everything_and_is_not_shown(plant: Factory) -> None:
    """Nobody else's file is to blame, and the log is read by many."""
    account = replace(_account(plant), password=lambda: "wrong-pass-word")
    plant.api = plant.client(_sign_in(plant, account))

    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", table(a=1))

    assert caught.value.failure.fault is Fault.UNAUTHORISED
    assert "correct email or password_file" in caught.value.failure.message
    assert "wrong-pass-word" not in str(caught.value)


def test_a_role_that_may_not_synchronize_is_named_as_such(plant: Factory) -> None:
    """Signing in works, so the role is what has to be changed."""
    plant.api = plant.client(_sign_in(plant, _account(plant, Role.OPERATOR)))

    with pytest.raises(CloudError) as caught:
        plant.store("pieces.csv", table(a=1))

    assert caught.value.failure.fault is Fault.UNAUTHORISED
    assert "the role Integration" in caught.value.failure.message


class Picky:
    """A service that refuses requests with wrong records, in whatever words it is made with."""

    def __init__(self, wrong: set[str], text: str, status: int = 400) -> None:
        self.wrong, self.text, self.status = wrong, text, status
        self.taken: list[str] = []
        self.requests = 0

    def upsert(self, entity: str, records: Sequence[dict[str, Any]]) -> Counts:
        """Take all, or refuse all."""
        self.requests += 1
        if self.wrong & {record["piece_id"] for record in records}:
            failure = Failure(Fault.REFUSED, self.text)
            refused = BatchRefused(f"send {entity}", failure, status=self.status)
            refused.detail = self.text
            raise refused
        self.taken += [record["piece_id"] for record in records]
        return Counts(len(records), 0)


@pytest.mark.parametrize(("wrong", "most"), [({"p7"}, 21), ({"p7", "p300", "p999"}, 61)])
def test_wrong_records_that_are_not_named_are_found_by_halves(
    plant: Factory, wrong: set[str], most: int
) -> None:
    """Another service may say only that something is wrong; the good rows go in all the same."""
    service = Picky(wrong, "Something is wrong")
    file = plant.folder / "pieces.csv"
    file.write_text(table(**{f"p{each}": each for each in range(1000)}))
    reader = RowReader(plant.mapping("pieces"))
    rows = Table(file, ".csv", reader.mapping.wanted())

    summary = Delivery("Factory", reader, rows, plant.delivered, service).deliver()

    assert {f"p{each}" for each in range(1000)} - set(service.taken) == wrong
    assert summary.rejected_count == len(wrong)
    assert service.requests <= most


G = [f"0a1b2c3d-1111-4222-8333-44445555666{number}" for number in range(10)]
RECORDS = [
    {"guid": G[0], "company_guid": G[9], "project_guid": G[4], "component_guid": G[6]},
    {"guid": G[1], "company_guid": G[9], "project_guid": G[5], "component_guid": G[6]},
    {"guid": G[2], "company_guid": G[8], "project_guid": G[4], "component_guid": G[7]},
    {"guid": G[3], "company_guid": G[9], "project_guid": G[4], "component_guid": G[6]},
]
DENIED = "has company_guid that doesn't match the authenticated user's company"


@pytest.mark.parametrize(
    ("status", "text", "indexes"),
    [
        (400, "Piece at index 1 references a project that doesn't exist or isn't yours", {1}),
        (400, "Piece at index 0 references a component that doesn't exist", {0, 1, 3}),
        (400, f"component_guid {G[7]} not found (record {G[2]})", {2}),
        (
            400,
            f"component_guid {G[6]} does not belong to project_guid {G[4]} (record {G[0]})",
            {0, 3},
        ),
        (403, f"Piece at index 2 {DENIED}", {2}),
        (403, f"Access denied to company {G[8]}", {2}),
        (409, f"Duplicate GUID found in input data: {G[3].upper()}", {3}),
        (400, "Piece at index 77 is odd", set()),
        (400, "Something is wrong", set()),
    ],
)
def test_sentences_of_services_are_mapped_to_records(
    plant: Factory, status: int, text: str, indexes: set[int]
) -> None:
    """The documented service and others word the same refusals differently."""
    refused = BatchRefused("send pieces", Failure(Fault.REFUSED, text), status=status)
    refused.detail = text

    found = objections(refused, plant.mapping("pieces"), RECORDS)

    assert found.keys() == indexes


def test_a_request_that_is_too_large_is_halved(plant: Factory) -> None:
    """A proxy before the service may have a limit of its own, and says so with a web page."""

    def limited(request: httpx.Request) -> httpx.Response:
        count = len(json.loads(request.content)["pieces"])
        if count > 300:
            return httpx.Response(413, html="<html>Request Entity Too Large</html>")
        return httpx.Response(200, json={"inserted": count, "updated": 0})

    with httpx.Client(transport=httpx.MockTransport(limited)) as http:
        plant.http = http
        plant.api = plant.client(ApiKey(lambda: "key"))

        stored = plant.store("pieces.csv", table(**{f"p{each}": each for each in range(1000)}))

    assert stored.text == "1,000 rows of pieces: 1,000 inserted, 0 updated in 7 requests"
