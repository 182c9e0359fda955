"""Every refusal of the iTwins and iModels APIs, named versions and changesets among them."""

from __future__ import annotations

from typing import Any

import pytest
from platform_scene import Platform, expect
from refusal_scene import NOBODY, Refused

pytest_plugins = ["platform_fixtures"]

LONG = "x" * 256
NO_ITWIN = (404, "iTwinNotFound", "Requested iTwin is not available.")
NO_IMODEL = (404, "iModelNotFound", "Requested iModel is not available.")
NO_CHANGESET = (404, "ChangesetNotFound", "Requested Changeset is not available.")
NO_VERSION = (404, "NamedVersionNotFound", "Requested Named Version is not available.")
NO_RESOURCE = (
    404,
    "ResourceNotFound",
    "The requested resource was not found. Verify the API URL and the Accept header.",
)
VERSIONS = "/imodels/{imodel}/namedversions"


@pytest.fixture(scope="module")
def things(office: Platform) -> dict[str, str]:
    """An iTwin and an iModel with a changeset and a named version, which no refusal changes."""
    office.settle_in()
    number = {"displayName": "Office", "number": f"No. {office.itwin_id}"}
    expect(office.post("/itwins", json=number), 201)
    imodel = office.new_imodel("Bridge")
    other = office.new_imodel("Tunnel")
    office.run(office.connect(imodel, office.upload("a.ifc", b"wall")))
    named = {"name": "One", "changesetId": office.changesets(imodel)[0]["id"]}
    version = office.post(f"/imodels/{imodel}/namedversions", json=named)
    empty = office.post(f"/imodels/{imodel}/namedversions", json={"name": "Start"})
    return {
        "itwin": office.itwin_id,
        "number": number["number"],
        "imodel": imodel,
        "other": other,
        "changeset": named["changesetId"],
        "version": expect(version, 201)["namedVersion"]["id"],
        "empty": expect(empty, 201)["namedVersion"]["id"],
        "none": NOBODY,
        "no_changeset": "0" * 40,
    }


def missing(target: str) -> tuple[str, str, str]:
    return ("MissingRequiredProperty", "Required property is missing.", target)


def bad(target: str, reason: str) -> tuple[str, str, str]:
    return ("InvalidValue", f"Provided '{target}' value is not valid. {reason}", target)


def not_this(target: str, value: str) -> tuple[str, str, str]:
    return ("InvalidValue", f"'{value}' is not a valid '{target}' value.", target)


def unsupported(target: str) -> tuple[str, str, str]:
    return ("InvalidValue", f"'{target}' is not supported.", target)


def too_long(target: str) -> tuple[str, str, str]:
    return bad(target, "The value exceeds allowed 255 characters.")


def itwins(request: str, body: Any, doing: str, detail: tuple[str, str, str]) -> Refused:
    return Refused(request, body, 422, "InvalidiTwinsRequest", f"Cannot {doing}.", [detail])


def imodels(request: str, body: Any, doing: str, detail: tuple[str, str, str]) -> Refused:
    return Refused(request, body, 422, "InvalidiModelsRequest", f"Cannot {doing}.", [detail])


OF_ITWINS = [
    itwins("POST /itwins", {}, "create iTwin", missing("displayName")),
    itwins("POST /itwins", {"displayName": ""}, "create iTwin", missing("displayName")),
    itwins("POST /itwins", {"displayName": LONG}, "create iTwin", too_long("displayName")),
    itwins("POST /itwins", {"displayName": "A", "latitude": 91}, "create iTwin",
           bad("latitude", "Input should be less than or equal to 90.")),
    Refused("POST /itwins", {"displayName": "A", "number": "{number}"},
            409, "iTwinExists", "iTwin with the same number already exists."),
    itwins("GET /itwins?subClass=Invalid", None, "get iTwins", not_this("subClass", "Invalid")),
    itwins("GET /itwins?status=Sleeping", None, "get iTwins", not_this("status", "Sleeping")),
    itwins("GET /itwins?$top=1001", None, "get iTwins", not_this("$top", "1001")),
    Refused("GET /itwins/{none}", None, *NO_ITWIN),
    Refused("GET /itwins/bridge", None, *NO_ITWIN),
    Refused("PATCH /itwins/{none}", {"displayName": "A"}, *NO_ITWIN),
    itwins("PATCH /itwins/{itwin}", {"status": "Sleeping"}, "update iTwin",
           bad("status", "Input should be 'Active', 'Inactive' or 'Trial'.")),
    Refused("DELETE /itwins/{none}", None, *NO_ITWIN),
]  # fmt: skip

OF_IMODELS = [
    imodels("POST /imodels", {"name": "A"}, "create iModel", missing("iTwinId")),
    imodels("POST /imodels", {"iTwinId": "{itwin}"}, "create iModel", missing("name")),
    imodels("POST /imodels", {"iTwinId": "{itwin}", "name": LONG}, "create iModel",
            too_long("name")),
    imodels("POST /imodels", {"iTwinId": "{itwin}", "name": "A", "description": LONG},
            "create iModel", too_long("description")),
    imodels("POST /imodels",
            {"iTwinId": "{itwin}", "name": "A", "extent": {"southWest": {"latitude": 0,
             "longitude": 0}}}, "create iModel", missing("northEast")),
    Refused("POST /imodels", {"iTwinId": "{none}", "name": "A"}, *NO_ITWIN),
    Refused("POST /imodels", {"iTwinId": "{itwin}", "name": "Bridge"}, 409, "iModelExists",
            "iModel with the same name already exists within the iTwin."),
    imodels("POST /imodels", {"iTwinId": "{itwin}", "name": "A", "template": {}},
            "create iModel", unsupported("template")),
    imodels("POST /imodels", {"iTwinId": "{itwin}", "name": "A", "baselineFile": {"size": 1}},
            "create iModel", unsupported("baselineFile")),
    imodels("POST /imodels", {"iTwinId": "{itwin}", "name": "A", "containersEnabled": 1},
            "create iModel", bad("containersEnabled", "Input should be 0.")),
    Refused("POST /imodels/{imodel}/clone", {"iTwinId": "{itwin}"}, *NO_RESOURCE),
    Refused("POST /imodels/{imodel}/fork", {"iTwinId": "{itwin}"}, *NO_RESOURCE),
    imodels("GET /imodels", None, "get iModels", missing("iTwinId")),
    imodels("GET /imodels?iTwinId=toto", None, "get iModels", not_this("iTwinId", "toto")),
    Refused("GET /imodels?iTwinId={none}", None, *NO_ITWIN),
    Refused("GET /imodels/{none}", None, *NO_IMODEL),
    Refused("GET /imodels/bridge", None, *NO_IMODEL),
    Refused("PATCH /imodels/{none}", {"name": "A"}, *NO_IMODEL),
    imodels("PATCH /imodels/{imodel}", {"name": LONG}, "update iModel", too_long("name")),
    Refused("PATCH /imodels/{other}", {"name": "Bridge"}, 409, "iModelExists",
            "iModel with the same name already exists within the iTwin."),
    Refused("DELETE /imodels/{none}", None, *NO_IMODEL),
    Refused("GET /imodels/{none}/operations/create", None, *NO_IMODEL),
    imodels(
        "POST /imodels",
        {"iTwinId": "{itwin}", "name": "A", "creationMode": "fromBaseline"},
        "create iModel",
        bad("creationMode", "Input should be 'empty'."),
    ),
    Refused("GET /imodels/{none}/changesets", None, *NO_IMODEL),
    imodels("GET /imodels/{imodel}/changesets?$orderBy=name", None, "get Changesets",
            not_this("$orderBy", "name")),
    imodels("GET /imodels/{imodel}/changesets?afterIndex=-1", None, "get Changesets",
            not_this("afterIndex", "-1")),
    imodels(f"GET /imodels/{{imodel}}/changesets?lastIndex={2**63}", None, "get Changesets",
            not_this("lastIndex", str(2**63))),
    imodels(f"GET /imodels/{{imodel}}/changesets?afterIndex={2**63}", None, "get Changesets",
            not_this("afterIndex", str(2**63))),
    imodels("GET /imodels/{imodel}/changesets?$continuationToken=x", None, "get Changesets",
            not_this("$continuationToken", "x")),
    Refused("GET /imodels/{none}/changesets/1", None, *NO_IMODEL),
    Refused("GET /imodels/{imodel}/changesets/7", None, *NO_CHANGESET),
    Refused("GET /imodels/{imodel}/changesets/{no_changeset}", None, *NO_CHANGESET),
    Refused("GET /imodels/{other}/changesets/{changeset}", None, *NO_CHANGESET),
]  # fmt: skip

OF_VERSIONS = [
    imodels(f"POST {VERSIONS}", {}, "create Named Version", missing("name")),
    imodels(f"POST {VERSIONS}", {"name": LONG}, "create Named Version", too_long("name")),
    Refused(f"POST {VERSIONS}", {"name": "Two", "changesetId": "{no_changeset}"}, *NO_CHANGESET),
    Refused(f"POST {VERSIONS}", {"name": "One", "changesetId": "{changeset}"}, 409,
            "NamedVersionExists", "Named Version already exists.", target="name"),
    Refused(f"POST {VERSIONS}", {"name": "Two", "changesetId": "{changeset}"}, 409,
            "NamedVersionOnChangesetExists", "Named Version on the changeset already exists."),
    Refused("POST /imodels/{none}/namedversions", {"name": "One"}, *NO_IMODEL),
    Refused("POST /imodels/{none}/namedversions", {"name": "One", "changesetId": "{changeset}"},
            *NO_IMODEL),
    Refused("GET /imodels/{none}/namedversions", None, *NO_IMODEL),
    Refused("GET /imodels/{none}/namedversions/{version}", None, *NO_IMODEL),
    Refused(f"GET {VERSIONS}/{{none}}", None, *NO_VERSION),
    Refused("GET /imodels/{other}/namedversions/{version}", None, *NO_VERSION),
    Refused(f"PATCH {VERSIONS}/{{none}}", {"name": "Two"}, *NO_VERSION),
    Refused("PATCH /imodels/{none}/namedversions/{version}", {"name": "Two"}, *NO_IMODEL),
    Refused(f"PATCH {VERSIONS}/{{empty}}", {"name": "One"}, 409, "NamedVersionExists",
            "Named Version already exists.", target="name"),
    imodels(f"PATCH {VERSIONS}/{{version}}", {"state": "gone"}, "update Named Version",
            bad("state", "Input should be 'visible' or 'hidden'.")),
    imodels(f"PATCH {VERSIONS}/{{version}}", {"name": LONG}, "update Named Version",
            too_long("name")),
]  # fmt: skip


@pytest.mark.parametrize("row", [*OF_ITWINS, *OF_IMODELS, *OF_VERSIONS], ids=str)
def test_a_request_that_breaks_a_rule_is_answered_as_documented(
    office: Platform, things: dict[str, str], row: Refused
) -> None:
    """Clients turn these codes into exceptions of their own, and their users read the words."""
    office.sign_in()

    answer = row.asked(office, things)

    assert (answer.status_code, answer.json()) == (row.status, row.answer)


def test_an_imodel_is_not_deleted_under_a_run(world: Any) -> None:
    """The run would write into nothing."""
    with Platform(world) as platform:  # nothing carries runs out, so the run stays active
        imodel = platform.new_imodel()
        connection = platform.connect(imodel, platform.upload("a.ifc", b"a"))
        platform.post(f"/synchronization/imodels/storageconnections/{connection}/run")

        answer = platform.delete(f"/imodels/{imodel}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ConflictWithAnotherUser")
