"""Every operation of the contract, and every error it documents, without and with a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from contract_walk import Walk, documented
from platform_scene import ORIGIN, opened, signing_key

from localtwin.api.app import build
from localtwin.faults import Fault
from localtwin.serve import Settings, serving
from localtwin.world.world import write_private
from wire.in_process import InProcess

TOKEN = "/connect/token"
NOBODY = "6d2f0a94-0d5c-4a2e-9c55-0c0c6c1b7a11"


@pytest.fixture(scope="module", params=["in process", "over a socket"])
def walk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walk]:
    """A client of one localtwin, reached either way."""
    data: Path = tmp_path_factory.mktemp("contract")
    if request.param == "in process":
        with opened(data) as world:
            world.start()
            transport = InProcess(build(world, admin_routes=True))
            with httpx.Client(transport=transport, base_url=ORIGIN) as client:
                made = world.credentials
                yield Walk(
                    client, made.client_id, made.client_secret, made.itwin_id, is_served=False
                )
    else:
        write_private(data / "token.pem", signing_key())
        settings = Settings(data, job_module="platform_jobs", workers=1, admin_routes=True)
        with serving(settings) as ready, httpx.Client(base_url=ready.api_url) as client:
            yield Walk(client, ready.client_id, ready.client_secret, ready.itwin_id, is_served=True)


def test_every_operation_does_what_it_is_for_and_answers_as_described(walk: Walk) -> None:
    """Clients of others call operations that the daemon never does."""
    walk.goes_everywhere()

    left = {each for each in documented() if each[2] < 400} - walk.answered
    assert left == set()


def test_every_documented_error_of_every_operation_is_of_the_described_shape(walk: Walk) -> None:
    """A client is written against errors that it hardly ever meets."""
    errors = {each for each in documented() if each[2] >= 400 and each[1] != TOKEN}
    for method, path, status in sorted(errors):
        place = re.sub(r"{\w+}", NOBODY, path)
        asked = walk.client.build_request(method, place)
        if status == 401:
            del asked.headers["Authorization"]
        else:
            kind = Fault.THROTTLE if status == 429 else Fault.ERROR
            fault = f"{kind.value}={status}@{place.rstrip('/')} x1"
            assert walk.client.post("/localtwin/faults", json={"fault": fault}).status_code == 201
        answer = walk.note(walk.client.send(asked))
        assert answer.status_code == status, (method, path, answer.text)
        if status == 422:
            assert answer.json()["error"]["code"].startswith("Invalid"), (method, path)
    login = (walk.client_id, "wrong")
    walk("POST", TOKEN, 401, data={"grant_type": "client_credentials"}, auth=login)
    walk("POST", TOKEN, 400, data={"grant_type": "of_no_kind"})

    assert {each for each in documented() if each[2] >= 400} - walk.answered == set()
