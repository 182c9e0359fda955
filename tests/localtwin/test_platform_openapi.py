"""localtwin keeps to its own description, whatever it is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from platform_scene import ORIGIN, Platform, expect, opened
from schemathesis import GenerationMode, checks
from schemathesis.core.result import Ok

from localtwin.api.app import build
from wire.in_process import InProcess
from wire.witness import METHODS

# Of each operation and mode; a search with hundreds takes minutes and is for a person to start.
EXAMPLES = 2
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
QUICKLY = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform of its own, because the search ruins it."""
    folder: Path = tmp_path_factory.mktemp("furnished")
    with opened(folder) as world, Platform(world) as platform:
        world.start()
        yield platform


@pytest.fixture(scope="module")
def searched(furnished: Platform) -> Iterator[httpx.Client]:
    """The same platform with every route there is."""
    app = build(furnished.world, admin_routes=True)
    with httpx.Client(transport=InProcess(app), base_url=ORIGIN) as client:
        client.headers["Authorization"] = furnished.headers["Authorization"]
        yield client


@pytest.fixture
def names(furnished: Platform) -> dict[str, list[str]]:
    """Values for the parameters of paths that lead to something."""
    furnished.settle_in()
    imodel, file = furnished.new_imodel(), furnished.upload("a.ifc", b"wall")
    connection = furnished.connect(imodel, file)
    path = f"/synchronization/imodels/storageconnections/{connection}"
    run = furnished.run(connection)["id"]
    source = furnished.get(f"{path}/sourcefiles").json()["sourceFiles"][0]["id"]
    named = furnished.post(f"/imodels/{imodel}/namedversions", json={"name": "One"})
    hook = {
        "callbackUrl": "http://localhost:9/",
        "scope": "Account",
        "eventTypes": ["iModels.changesReady.v1"],
    }
    webhook = furnished.post("/webhooks", json=hook)
    user = furnished.world.users.everybody()[0].id
    return {
        "itwin_id": [furnished.itwin_id],
        "imodel_id": [imodel],
        "changeset_id": ["1", furnished.changesets(imodel)[0]["id"]],
        "version_id": [expect(named, 201)["namedVersion"]["id"]],
        "item_id": [file, furnished.root],
        "connection_id": [connection],
        "source_id": [source],
        "run_id": [run],
        "user_id": [user],
        "entity_id": [furnished.itwin_id, imodel],
        "member_id": [user],
        "role_id": [user],
        "webhook_id": [expect(webhook, 201)["webhook"]["id"]],
        "scope_id": [furnished.itwin_id, imodel, connection],
    }


def test_the_description_is_served_with_the_errors(furnished: Platform) -> None:
    """Whoever generates a client from it relies on it."""
    paths = furnished.get("/openapi.json").json()["paths"]

    answers = [paths[path][method] for path in paths for method in METHODS if method in paths[path]]
    assert len(answers) > 90
    assert all("401" in operation["responses"] for operation in answers if "security" in operation)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_as_the_description_says(
    searched: httpx.Client, names: dict[str, list[str]], mode: GenerationMode
) -> None:
    """A client must never meet a defect, nor a status or a shape that is not described."""
    document = searched.get("/openapi.json").json()
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(found, Ok)
        _search(searched, found.ok(), names, mode)


def _search(
    client: httpx.Client, operation: Any, names: dict[str, list[str]], mode: GenerationMode
) -> None:
    real = {name: st.sampled_from(names[name]) for name in re.findall(r"{(\w+)}", operation.path)}

    @QUICKLY
    @given(operation.as_strategy(generation_mode=mode), st.fixed_dictionaries(real), st.booleans())
    def ask(case: Any, path_parameters: dict[str, str], known: bool) -> None:
        if known:
            case.path_parameters = path_parameters
        answer = client.send(_request(client, case))
        answer.elapsed = timedelta(0)  # httpx has none for an answer that is there at once
        case.validate_response(answer, checks=CHECKS)

    with suppress(Unsatisfiable):  # there is no wrong way to ask what takes no parameters
        ask()


def _request(client: httpx.Client, case: Any) -> httpx.Request:
    answers = case.as_transport_kwargs(base_url=ORIGIN)
    content = answers.pop("data", None)
    answers.pop("cookies", None)
    named = "data" if isinstance(content, dict) else "content"
    return client.build_request(**answers, **({} if content is None else {named: content}))
