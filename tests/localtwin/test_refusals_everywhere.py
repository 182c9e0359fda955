"""The refusals that all APIs share: every operation is asked for each of them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from platform_scene import Platform, error_of, own_document

from localtwin.faults import Fault, Switch
from wire.witness import METHODS

pytest_plugins = ["platform_fixtures"]

Asked = Callable[..., httpx.Response]
INVALID = {
    "/synchronization/imodels/storageconnections": "InvalidStorageConnectionRequest",
    "/synchronization/imodels/manifestconnections": "InvalidManifestConnectionRequest",
    "/synchronization/configurations": "InvalidConfigurationRequest",
    "/storage": "InvalidStorageRequest",
    "/itwins": "InvalidiTwinsRequest",
    "/imodels": "InvalidiModelsRequest",
    "/webhooks": "Invalid{}WebhookRequest",
    "/accesscontrol": "InvalidiTwinsRequest",
}
"""The 422 of each API. Source: error examples of the operations' pages."""


LISTS = {"/users/getbyidlist"}
"""Operations whose body is a list, not an object."""


def operations(*, with_body: bool = False) -> Iterator[tuple[str, str]]:
    """Yield method and path of what is there behind the sign-in."""
    for path, answers in own_document()["paths"].items():
        for method in set(METHODS) & answers.keys():
            behind = "security" in answers[method] and not path.startswith("/localtwin")
            if with_body and path in LISTS:
                continue
            if behind and ("requestBody" in answers[method] or not with_body):
                yield method.upper(), path


def request(platform: Platform, method: str, path: str, **more: Any) -> httpx.Request:
    """Return a request for things that are not there; the shared refusals come before that."""
    return platform.build_request(method, re.sub(r"{\w+}", str(uuid.uuid4()), path), **more)


def test_every_operation_asks_who_is_calling(platform: Platform) -> None:
    """One that forgot would serve a whole project to any program on the machine."""
    answers = {}
    for method, path in operations():
        anonymous = request(platform, method, path)
        del anonymous.headers["Authorization"]
        answer = platform.send(anonymous)
        answers[method, path] = (answer.status_code, answer.json())

    words = "Header Authorization was not found in the request. Access denied."
    error = {"error": {"code": "HeaderNotFound", "message": words}}
    assert answers == dict.fromkeys(operations(), (401, error))


def test_every_operation_answers_with_retry_after(platform: Platform) -> None:
    """A client that does not know the seconds, or what was limited, can only guess."""
    answers = {}
    for method, path in operations():
        platform.world.faults.add(Switch(Fault.THROTTLE, 3.0, times=1))
        answer = platform.send(request(platform, method, path))
        limits = {name for name in answer.headers if name.startswith("itwinplatform-ratelimited")}
        answers[method, path] = (error_of(answer)[:2], answer.headers["Retry-After"], len(limits))

    assert answers == {
        (method, path): ((429, _limit_code(path)), "3", 4) for method, path in operations()
    }


def _limit_code(path: str) -> str:
    return "TooManyRequests" if path.startswith(("/sync", "/storage")) else "RateLimitExceeded"


def test_every_operation_is_there_in_its_own_version_only(platform: Platform) -> None:
    """A client of another version reads other shapes, so it must be refused at once."""
    accept = {"Accept": "application/vnd.bentley.itwin-platform.v9+json"}

    answers = {
        (method, path): _reported(platform.send(request(platform, method, path, headers=accept)))
        for method, path in operations()
    }

    words = "The requested resource was not found. Verify the API URL and the Accept header."
    assert answers == dict.fromkeys(operations(), (404, "ResourceNotFound", words))


def _reported(answer: httpx.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "InvalidRequestBody"),
        (b"[]", "InvalidRequestBody"),
        (b"7", "InvalidRequestBody"),
        (b'"text"', "InvalidRequestBody"),
        (b"\xff\xfe", "InvalidRequestBody"),
        (b"null", "InvalidRequestBody"),
        (b"", "MissingRequestBody"),
    ],
)
def test_every_body_that_is_none_is_named_as_such(
    platform: Platform, body: bytes, detail: str
) -> None:
    """A proxy or a wrong encoding spoils whatever is sent through it."""
    headers = {"Content-Type": "application/json"}

    answers = {
        (method, path): error_of(
            platform.send(request(platform, method, path, content=body, headers=headers))
        )
        for method, path in operations(with_body=True)
    }

    assert answers == {
        (method, path): (422, _invalid_code(method, path), {(detail, None)})
        for method, path in operations(with_body=True)
    }


def _invalid_code(method: str, path: str) -> str:
    doing = "Update" if method == "PATCH" else "Create"
    code = next(code for prefix, code in INVALID.items() if path.startswith(prefix)).format(doing)
    of_source = path.startswith("/synchronization/imodels") and "/sourcefiles" in path
    return code.replace("Request", "SourceFileRequest") if of_source else code


def test_every_page_has_bounds(platform: Platform) -> None:
    """A page of nothing, a negative start or a word for a number is a defect of the client."""
    paged = [path for method, path in operations() if method == "GET" and _is_paged(path)]
    wrong = [("$top", "0"), ("$top", "-1"), ("$top", "many"), ("$skip", "-1"), ("$top", "1001")]

    answers = {
        (path, name, value): platform.send(
            request(platform, "GET", path, params=_needed(path) | {name: value})
        ).status_code
        for path in paged
        for name, value in wrong
    }

    assert len(paged) > 15
    assert answers == dict.fromkeys(answers, 422)


def _is_paged(path: str) -> bool:
    answers = own_document()["paths"][path]["get"].get("parameters", [])
    return any(parameter["name"] == "$top" for parameter in answers)


def _needed(path: str) -> dict[str, str]:
    answers = own_document()["paths"][path]["get"]["parameters"]
    needed = (each for each in answers if each["in"] == "query" and each.get("required"))
    return {each["name"]: str(uuid.uuid4()) for each in needed}


def test_every_operation_refuses_a_property_that_it_does_not_carry_out(platform: Platform) -> None:
    """A property that is accepted and dropped makes a client believe that it was done."""
    details = {
        (method, path): error_of(
            platform.send(request(platform, method, path, json={"noSuchProperty": 1}))
        )[2]
        for method, path in operations(with_body=True)
    }

    refused = ("InvalidValue", "noSuchProperty")
    assert {each for each, found in details.items() if refused not in found} == set()


def test_a_json_body_needs_no_content_type(platform: Platform) -> None:
    """A hand-written call without the header is still JSON."""
    plain = platform.build_request("POST", "/itwins", content=b'{"displayName": "A"}')

    assert "content-type" not in plain.headers
    assert platform.send(plain).status_code == 201


def test_a_body_of_another_type_is_named_as_such(platform: Platform) -> None:
    """A JSON text that is sent as a form is not malformed; what is wrong is the header."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = platform.post("/itwins", content=b'{"displayName": "A"}', headers=form)

    (detail,) = answer.json()["error"]["details"]
    assert (answer.status_code, detail["code"]) == (422, "InvalidRequestBody")
    assert "Content-Type" in detail["message"]
