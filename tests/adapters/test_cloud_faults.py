"""Failures as values: the right kind, words for a person, no secrets."""

from __future__ import annotations

import httpx
import pytest

from twinsyncd.cloud.blob_wire import error_of as blob_error_of
from twinsyncd.cloud.faults import error_from, error_of
from twinsyncd.core.model import Fault
from twinsyncd.redact import redact


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (302, Fault.REFUSED),
        (400, Fault.REFUSED),
        (401, Fault.UNAUTHORISED),
        (403, Fault.REFUSED),
        (404, Fault.GONE),
        (408, Fault.TRANSIENT),
        (409, Fault.TRANSIENT),
        (410, Fault.GONE),
        (413, Fault.REFUSED),
        (422, Fault.REFUSED),
        (429, Fault.THROTTLED),
        (500, Fault.TRANSIENT),
        (503, Fault.TRANSIENT),
        (599, Fault.TRANSIENT),
    ],
)
def test_a_status_means_one_kind_of_failure(status: int, fault: Fault) -> None:
    """The core decides by the kind alone, so a wrong one waits for ever or gives up too soon."""
    error = error_of("do it", httpx.Response(status))

    assert (error.failure.fault, error.status) == (fault, status)
    assert error.failure.message != ""


def test_the_services_reasons_reach_the_reader() -> None:
    """A 422 without its details tells nobody which property is wrong."""
    body = {
        "error": {
            "code": "InvalidStorageConnectionRequest",
            "message": "Cannot perform operation.",
            "details": [
                {"code": "InvalidValue", "message": "'connectorType' is unknown."},
                {"code": "MissingRequiredProperty", "message": "'iModelId' is missing."},
            ],
        }
    }

    error = error_of("create the connection", httpx.Response(422, json=body))

    assert error.code == "InvalidStorageConnectionRequest"
    assert (
        str(error) == "create the connection: Cannot perform operation: "
        "'connectorType' is unknown.; 'iModelId' is missing."
    )


@pytest.mark.parametrize(
    "body",
    [
        {"statusCode": 401, "message": "Access denied due to invalid access_token."},
        {
            "error": {
                "code": "Unauthorized",
                "message": "Access denied due to invalid access_token.",
            }
        },
    ],
)
def test_errors_of_every_generation_are_read(body: dict[str, object]) -> None:
    """The older gateway answers without the envelope, and it is still out there."""
    error = error_of("look", httpx.Response(401, json=body))

    assert "Access denied" in error.failure.message
    assert "client id and secret" in error.failure.message


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1]", b'"x"', b"null", b'{"error": 3}', b"\xff"]
)
def test_an_error_without_a_body_to_read_is_still_an_error(body: bytes) -> None:
    """Proxies answer in their own ways."""
    error = error_of("look", httpx.Response(500, content=body))

    assert "HTTP 500" in error.failure.message


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "30"}, 30.0),
        (
            {
                "Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT",
                "Date": "Fri, 31 Dec 1999 23:59:49 GMT",
            },
            10.0,
        ),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0.0),
        ({"Retry-After": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_retry_after_is_understood_in_both_forms(headers: dict[str, str], expected: float) -> None:
    """The standard allows seconds and a date; a misread one means hammering."""
    assert error_of("x", httpx.Response(429, headers=headers)).failure.retry_after_s == expected


@pytest.mark.parametrize(
    ("exc", "words"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "cannot be reached"),
        (httpx.ConnectTimeout(""), "cannot be reached"),
        (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "SSL_CERT_FILE"),
        (httpx.ReadTimeout(""), "did not answer in time"),
        (httpx.PoolTimeout(""), "busy"),
        (httpx.RemoteProtocolError("Server disconnected"), "Server disconnected"),
        (httpx.ReadError(""), "ReadError"),
    ],
)
def test_a_broken_line_is_transient_and_says_how_it_broke(exc: httpx.HTTPError, words: str) -> None:
    """Its effect is not known, so the machine must look again and not give up."""
    failure = error_from("look", exc, request_id="id-1").failure

    assert failure.fault is Fault.TRANSIENT
    assert words in failure.message
    assert failure.request_id == "id-1"


@pytest.mark.parametrize(
    "text",
    [
        "PUT https://x.blob.example.net/c/1?sv=1&sig=TOPSECRET failed",
        "header Bearer TOPSECRET.a-b_c",
        "Basic TOPSECRET==",
        "token eyJhbGciOi.TOPSECRET.sig",
        "client_secret=TOPSECRET",
        "{'access_token': 'TOPSECRET', 'expires_in': 3}",
        '{"refresh_token":"TOPSECRET"}',
        "https://h/p?redirect=1&se=2&sig=TOPSECRET",
    ],
)
def test_secrets_are_taken_out_of_texts(text: str) -> None:
    """Errors are mailed around; a signed URL in one is a key to the office's files."""
    assert "TOPSECRET" not in redact(text)


def test_plain_words_are_left_alone() -> None:
    """A message that hides too much helps nobody."""
    text = "The file Bridge 12/structure.dgn is too large (see https://help.example.com/kb/1)."

    assert redact(text) == text


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (403, "AuthenticationFailed", Fault.FILE),
        (412, "ConditionNotMet", Fault.TRANSIENT),
        (409, "BlobAlreadyExists", Fault.TRANSIENT),
        (400, "InvalidBlockList", Fault.TRANSIENT),
        (400, "MissingRequiredHeader", Fault.FILE),
        (413, "RequestBodyTooLarge", Fault.FILE),
        (503, "ServerBusy", Fault.TRANSIENT),
    ],
)
def test_the_blob_hosts_errors_never_blame_the_credentials(
    status: int, code: str, fault: Fault
) -> None:
    """A refused upload link says nothing about the sign-in and must not halt the lane."""
    body = f"<Error><Code>{code}</Code><Message>x?sig=abc</Message></Error>"
    error = blob_error_of("upload", httpx.Response(status, text=body))

    assert (error.failure.fault, error.code) == (fault, code)
    assert "sig=abc" not in str(error)
