"""Every refusal of sign-in, authorization information, configurations, reports and webhooks."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from platform_scene import ORIGIN, Platform, error_of, expect
from refusal_scene import NOBODY, Refused

from localtwin.world.access.clients import NATIVE_CLIENT

pytest_plugins = ["platform_fixtures"]

FORBIDDEN = "The user has insufficient permissions for the requested operation."
CANNOT = "Cannot perform operation."
CONFIGURATIONS = "/synchronization/configurations"
REPORTS = "/synchronization/reports"
AUTHORIZATION = "/synchronization/imodels/connections/authorizationinformation"
NO_CONFIGURATION = (404, "ConfigurationNotFound", "Requested Configuration is not available.")
NO_WEBHOOK = (404, "WebhookNotFound", "Requested Webhook is not available.")
HOOK = {
    "callbackUrl": "http://localhost:9/",
    "scope": "Account",
    "eventTypes": ["synchronization.jobCompleted.v1"],
}


@pytest.fixture(scope="module")
def things(office: Platform) -> dict[str, str]:
    """An iTwin, an iModel, a connection and a webhook, which no refusal changes."""
    office.settle_in()
    imodel = office.new_imodel()
    return {
        "itwin": office.itwin_id,
        "imodel": imodel,
        "connection": office.connect(imodel, office.upload("a.ifc", b"a")),
        "hook": expect(office.post("/webhooks", json=HOOK), 201)["webhook"]["id"],
        "none": NOBODY,
    }


def hook(**change: Any) -> dict[str, Any]:
    return {key: value for key, value in (HOOK | change).items() if value is not None}


def invalid(code: str, request: str, body: Any, *detail: str) -> Refused:
    kind, message, target = detail
    return Refused(request, body, 422, code, CANNOT, [(kind, message, target)])


def of_reports(query: str, *detail: str) -> Refused:
    return invalid("InvalidBadgersRequest", f"GET {REPORTS}?{query}", None, *detail)


def of_settings(request: str, body: Any, target: str) -> Refused:
    words = "No such setting, or a value of another type."
    detail = ("InvalidValue", words, target)
    return invalid("InvalidConfigurationRequest", request, body, *detail)


def of_hooks(request: str, body: Any, *detail: str) -> Refused:
    kind, message, target = detail
    doing = "create" if request.startswith("POST") else "update"
    words = f"Cannot {doing} a webhook. Make sure the request body is valid."
    code = f"Invalid{doing.capitalize()}WebhookRequest"
    return Refused(request, body, 422, code, words, [(kind, message, target)])


MISSING = ("MissingRequiredProperty", "Required property is missing.")
LOCAL = ("InvalidValue", "A local platform calls back to this computer only.", "callbackUrl")
SHORT = (
    "InvalidValue",
    "Provided 'secret' value is not valid. String should have at least 32 characters.",
    "secret",
)
NOT_GIVEN = "A property required to create or update a connection is missing."
ROWS = [
    *(
        Refused(f"{method} {CONFIGURATIONS}/{scope}", body, *NO_CONFIGURATION)
        for scope, setting in (
            ("itwins/{itwin}", "skipRvtReprojection"),
            ("itwins/{none}", "skipRvtReprojection"),
            ("imodels/{imodel}", "clampZExtent"),
            ("imodels/{none}", "clampZExtent"),
            ("connections/{connection}", "ignoreDgnAttachments"),
            ("connections/{none}", "ignoreDgnAttachments"),
        )
        for method, body in (("GET", None), ("PATCH", {setting: True}), ("DELETE", None))
    ),
    Refused(f"POST {CONFIGURATIONS}/itwins/{{none}}", {"skipRvtReprojection": True},
            404, "iTwinNotFound", "Requested iTwin is not available."),
    Refused(f"POST {CONFIGURATIONS}/imodels/{{none}}", {"clampZExtent": True},
            404, "iModelNotFound", "Requested iModel is not available."),
    Refused(f"POST {CONFIGURATIONS}/connections/{{none}}", {"ignoreDgnAttachments": True},
            404, "ConnectionNotFound", "Requested Connection is not available."),
    of_settings(f"POST {CONFIGURATIONS}/itwins/{{itwin}}", {"clampZExtent": True}, "clampZExtent"),
    of_settings(f"POST {CONFIGURATIONS}/imodels/{{imodel}}", {"clampZExtent": 1}, "clampZExtent"),
    of_settings(f"PATCH {CONFIGURATIONS}/imodels/{{imodel}}",
                {"overrideRvtReprojectionDistance": True}, "overrideRvtReprojectionDistance"),
    of_settings(f"POST {CONFIGURATIONS}/connections/{{connection}}", {"enableSheetIndex": True},
                "enableSheetIndex"),
    of_reports("runId={none}", "MissingRequiredProperty", "imodelId was not provided.",
               "imodelId"),
    of_reports("imodelId={none}", "MissingRequiredProperty", NOT_GIVEN, "runId"),
    of_reports("imodelId=x&runId={none}", "InvalidValue", "Provided imodelId value is not valid.",
               "imodelId"),
    of_reports("imodelId={none}&runId=x", "InvalidValue", "Provided runId value is not valid.",
               "runId"),
    of_reports("imodelId={none}&runId={none}&taskId=x", "InvalidValue",
               "Provided taskId value is not valid.", "taskId"),
    *(
        invalid("InvalidAuthorizationInformationRequest", f"GET {AUTHORIZATION}?redirectUrl={url}",
                None, "InvalidValue", "Provided redirectUrl value is not valid.", "redirectUrl")
        for url in ("callback", "/callback", "javascript://x/%250aalert(1)", "ftp://localhost/",
                    "http://", "")
    ),
    of_hooks("POST /webhooks", hook(callbackUrl=None), *MISSING, "callbackUrl"),
    of_hooks("POST /webhooks", hook(scope=None), *MISSING, "scope"),
    of_hooks("POST /webhooks", hook(eventTypes=None), *MISSING, "eventTypes"),
    of_hooks("POST /webhooks", hook(eventTypes=[]), *MISSING, "eventTypes"),
    of_hooks("POST /webhooks", hook(scope="iTwin"), *MISSING, "scopeId"),
    of_hooks("POST /webhooks", hook(scopeId="{none}"), "InvalidValue",
             "A local platform has one account; leave the property out, or name that one.",
             "scopeId"),
    of_hooks("POST /webhooks", hook(scope="World"), "InvalidValue",
             "Provided 'scope' value is not valid. Input should be 'Account' or 'iTwin'.",
             "scope"),
    of_hooks("POST /webhooks", hook(secret="s" * 31), *SHORT),
    of_hooks("POST /webhooks", hook(callbackUrl="https://example.org/"), *LOCAL),
    of_hooks("POST /webhooks", hook(callbackUrl="file://localhost/etc/passwd"), *LOCAL),
    Refused("POST /webhooks", hook(scope="iTwin", scopeId="{none}"),
            404, "iTwinNotFound", "Requested iTwin is not available."),
    Refused("GET /webhooks/{none}", None, *NO_WEBHOOK),
    Refused("PATCH /webhooks/{none}", {"active": True}, *NO_WEBHOOK),
    Refused("DELETE /webhooks/{none}", None, *NO_WEBHOOK),
    of_hooks("PATCH /webhooks/{hook}", {"secret": "short"}, *SHORT),
    of_hooks("PATCH /webhooks/{hook}", {"callbackUrl": "https://example.org/"}, *LOCAL),
    of_hooks("PATCH /webhooks/{hook}", {"eventTypes": []}, *MISSING, "eventTypes"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_request_that_breaks_a_rule_is_answered_as_documented(
    office: Platform, things: dict[str, str], row: Refused
) -> None:
    """Small as these operations are, a client stumbles over each of them alike."""
    office.sign_in()

    answer = row.asked(office, things)

    assert (answer.status_code, answer.json()) == (row.status, row.answer)


def as_person(platform: Platform, scope: str) -> dict[str, str]:
    token = platform.world.access.issue_to_user(NATIVE_CLIENT, scope=scope, issuer=ORIGIN)
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", ""), ("GET", ""), ("GET", "/{h}"), ("PATCH", "/{h}"), ("DELETE", "/{h}")],
)
def test_webhooks_are_for_services_only(
    office: Platform, things: dict[str, str], method: str, path: str
) -> None:
    """A person's program that relies on them would fail on the real platform."""
    url = f"/webhooks{path.format(h=things['hook'])}"

    answer = office.request(
        method,
        url,
        json=HOOK if method != "GET" else None,
        headers=as_person(office, "itwin-platform"),
    )

    assert error_of(answer) == (403, "InsufficientPermissions", set())
    assert answer.json()["error"]["message"] == FORBIDDEN


def test_a_token_without_the_platforms_scope_opens_nothing(office: Platform) -> None:
    """A program that asked only who somebody is must not read that person's projects."""
    headers = as_person(office, "openid profile")

    refused = office.get("/itwins", headers=headers)
    who = office.get("/connect/userinfo", headers=headers)

    assert error_of(refused) == (401, "Unauthorized", set())
    assert expect(who, 200)["email"] == "local.user@localhost"


def grant(office: Platform, **form: str) -> httpx.Response:
    made = office.world.credentials
    return office.post(
        "/connect/token",
        data={"client_id": made.client_id, "client_secret": made.client_secret} | form,
    )


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "client_credentials", "client_secret": "x"}, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": NATIVE_CLIENT, "client_secret": ""},
         "invalid_client"),
        ({"grant_type": "client_credentials", "scope": "synchronization:read"}, "invalid_scope"),
        ({"grant_type": "client_credentials", "scope": "openid"}, "invalid_scope"),
    ],
)  # fmt: skip
def test_a_grant_that_is_refused_says_why(
    office: Platform, form: dict[str, str], problem: str
) -> None:
    """In the words of RFC 6749, and never to be cached."""
    answer = grant(office, **form)

    assert (answer.status_code, answer.json()["error"]) == (400, problem)
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["Basic eDp5", "Basic %%%", "Basic "])
def test_a_refused_basic_sign_in_asks_for_another(office: Platform, header: str) -> None:
    """401 with a challenge is what RFC 6749 wants where the header was used."""
    form = {"grant_type": "client_credentials", "scope": "itwin-platform"}

    answer = office.post("/connect/token", data=form, headers={"Authorization": header})

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"] == "Basic"


@pytest.mark.parametrize("header", [None, "Bearer x.y.z", "Bearer", ""])
def test_user_information_needs_a_sign_in(office: Platform, header: str | None) -> None:
    """The one operation of IMS that wants a token."""
    request = office.build_request("GET", "/connect/userinfo")
    del request.headers["Authorization"]
    if header is not None:
        request.headers["Authorization"] = header

    answer = office.send(request)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "Unauthorized")
