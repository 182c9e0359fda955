# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""An application whose role lacks something: what waits for a person, and what it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from contract_office import Office

from localtwin.serve import Ready, Settings, serving
from twinsyncd.cloud.access_check import examine_imodel_permissions, examine_permissions
from twinsyncd.cloud.session import CloudSettings, open_cloud
from twinsyncd.core.model import Fault
from twinsyncd.errors import CloudError


@pytest.fixture(scope="module")
def restricted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """A localtwin whose application has a role without any permission."""
    with serving(Settings(tmp_path_factory.mktemp("restricted"), permissions=())) as ready:
        yield ready


@pytest.fixture
def office(restricted: Ready) -> Iterator[Office]:
    """The office of that application."""
    settings = CloudSettings(
        restricted.client_id,
        lambda: restricted.client_secret,
        api_url=restricted.api_url,
        issuer_url=restricted.issuer_url,
    )
    with open_cloud(settings) as cloud:
        yield Office(cloud, restricted.itwin_id, restricted.imodel_id)


def grant(local: Ready, *permissions: str) -> None:
    """Let the application's role have these permissions, as the iTwin's owner would."""
    owner = json.loads((local.data / "credentials.json").read_text("utf-8"))
    with httpx.Client(base_url=local.api_url) as http:
        form = {"grant_type": "client_credentials", "scope": "itwin-platform"}
        names = {"client_id": owner["client_id"], "client_secret": owner["client_secret"]}
        token = http.post("/connect/token", data=form | names).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        here = f"/accesscontrol/itwins/{local.itwin_id}/roles"
        role = http.get(here).json()["roles"][-1]["id"]
        http.patch(f"{here}/{role}", json={"permissions": permissions}).raise_for_status()


def refused(error: pytest.ExceptionInfo[CloudError]) -> tuple[Fault, str]:
    """Return the kind of a refusal, and the last word of what to ask for."""
    failure = error.value.failure
    return failure.fault, failure.message.partition(" (the service")[0].rpartition(" ")[2]


def test_each_missing_permission_is_named_until_work_goes_on(
    restricted: Ready, office: Office
) -> None:
    """Whoever may give a role needs to hear which; no file is blamed for it."""
    grant(restricted, "storage_read")
    with pytest.raises(CloudError) as uploading:
        office.store("a.dxf", b"x")
    grant(restricted, "storage_read", "storage_write")
    office.store("a.dxf", b"x")
    with pytest.raises(CloudError) as looking:
        office.prepare()
    grant(restricted, "storage_read", "storage_write", "imodels_read")
    with pytest.raises(CloudError) as connecting:
        office.prepare()
    grant(restricted, "storage_read", "storage_write", "imodels_read", "imodels_write")

    assert refused(uploading) == (Fault.UNAUTHORISED, "storage_write")
    assert refused(looking) == (Fault.REFUSED, "imodels_read")
    assert refused(connecting) == (Fault.REFUSED, "imodels_write")
    assert office.prepare().refused == ()


def test_a_role_that_was_taken_away_loses_no_file(restricted: Ready, office: Office) -> None:
    """Storage then answers that the file does not exist, which must not be believed."""
    grant(restricted, "storage_read", "storage_write")
    before = office.store("b.dxf", b"x")
    grant(restricted)

    with pytest.raises(CloudError) as replacing:
        office.store("b.dxf", b"y")
    grant(restricted, "storage_read", "storage_write")

    assert refused(replacing) == (Fault.UNAUTHORISED, "storage_read")
    assert office.store("b.dxf", b"y") == before


def test_check_names_all_that_is_missing_at_once(restricted: Ready, office: Office) -> None:
    """One visit to the administrator is enough."""
    grant(restricted, "storage_read")

    found = [
        *examine_permissions(office.cloud, office.itwin_id, deletes=True),
        *examine_imodel_permissions(office.cloud, office.itwin_id, office.imodel_id),
    ]

    assert [each.found for each in found] == [
        "these are missing: storage_delete, storage_write",
        "these are missing: imodels_read, imodels_write",
    ]
