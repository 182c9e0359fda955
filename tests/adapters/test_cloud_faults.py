"""Failures as values: the right kind, words for a person, no secrets."""

from __future__ import annotations

import httpx
import pytest
from cloud_script import Wire, caught

from twinsyncd.cloud import fault_text
from twinsyncd.cloud.blob_wire import error_of as blob_error_of
from twinsyncd.cloud.faults import error_from, error_of
from twinsyncd.core.model import Fault
from twinsyncd.redact import redact


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (302, Fault.TRANSIENT),
        (400, Fault.REFUSED),
        (401, Fault.UNAUTHORISED),
        (403, Fault.REFUSED),
        (404, Fault.GONE),
        (407, Fault.TRANSIENT),
        (408, Fault.TRANSIENT),
        (409, Fault.TRANSIENT),
        (410, Fault.GONE),
        (413, Fault.REFUSED),
        (422, Fault.REFUSED),
        (429, Fault.THROTTLED),
        (500, Fault.TRANSIENT),
        (503, Fault.TRANSIENT),
        (507, Fault.QUOTA),
        (599, Fault.TRANSIENT),
    ],
)
def test_a_status_means_one_kind_of_failure(status: int, fault: Fault) -> None:
    """The core decides by the kind alone, so a wrong one waits for ever or gives up too soon."""
    error = error_of("do it", httpx.Response(status))

    assert (error.failure.fault, error.status) == (fault, status)
    assert error.failure.message != ""


def test_a_rate_limit_that_was_met_is_named() -> None:
    """Whoever can raise it needs to know which: of the tier, or of one application."""
    headers = {
        "Retry-After": "7",
        "ITwinPlatform-RateLimited-Tier": "Trial",
        "ITwinPlatform-RateLimited-API": "storage",
        "ITwinPlatform-RateLimited-Operation": "POST files",
    }

    failure = error_of("do it", httpx.Response(429, headers=headers)).failure
    plain = error_of("do it", httpx.Response(429)).failure.message

    assert failure.message == (
        "the service limits the request rate (HTTP 429) [api storage, operation POST files, "
        "tier Trial]; it requests a wait of 7 s"
    )
    assert plain == "the service limits the request rate (HTTP 429)"


@pytest.mark.parametrize(
    ("asked", "permission"),
    [
        ("GET /storage?iTwinId=i1", " storage_read"),
        ("POST /storage/files/f1/updatecontent", " storage_write"),
        ("DELETE /storage/files/f1", " storage_delete"),
        ("GET /synchronization/imodels/storageconnections?imodelId=m1", " imodels_read"),
        ("POST /synchronization/imodels/storageconnections/c1/run", " imodels_write"),
        ("POST /synchronization/configurations/connections/c1", " imodels_manage"),
        ("GET /imodels/m1/changesets", " imodels_read"),
        ("GET /itwins/i1", "there"),
    ],
)
def test_a_denial_names_the_permission_that_is_missing(asked: str, permission: str) -> None:
    """The service does not, and an administrator can not give what nobody names."""
    method, _, path = asked.partition(" ")
    request = httpx.Request(method, f"https://api.example.com{path}")
    body = {"error": {"code": "InsufficientPermissions", "message": "The user has none."}}

    message = error_of("do it", httpx.Response(403, json=body, request=request)).failure.message

    assert message.endswith(f"{permission} (the service: The user has none.)")
    assert "ask an administrator of the iTwin to give this application a role" in message


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


PAGE = b"<!DOCTYPE html><html><head><title>Guest WiFi</title></head><body>Accept</body></html>"


@pytest.mark.parametrize("status", [200, 403, 404, 422, 451, 502, 503])
def test_a_web_page_says_nothing_about_what_was_asked_for(status: int) -> None:
    """A 404 of a guest network must not count as a deleted connection, nor its 403 as no role."""
    error = error_of("look", httpx.Response(status, content=PAGE))

    assert error.failure.fault is Fault.TRANSIENT
    assert '"Guest WiFi"' in error.failure.message
    assert f"HTTP {status}" in error.failure.message
    assert "no access" not in error.failure.message


@pytest.mark.parametrize("status", [200, 404, 501])
def test_a_web_page_of_this_machine_is_another_program(status: int) -> None:
    """No network lies between, and localtwin, which was advised, is not what answers there."""
    request = httpx.Request("GET", "http://127.0.0.1:8000/itwins")
    page = httpx.Response(status, content=b"<html><title>My blog</title>", request=request)

    told = fault_text.of_web_page(page, "My blog")

    assert 'a web page "My blog" was returned' in told
    assert "another program of this machine serves 127.0.0.1:8000; correct api_url" in told
    assert "network" not in told


def test_a_success_that_is_a_web_page_names_the_network_as_the_cause() -> None:
    """A login page that answers everything with 200 is what guest networks do."""
    wire = Wire().hears("GET", "/itwins/i1", content=PAGE, headers={"content-type": "text/html"})

    failure = caught(lambda: wire.platform().itwin("i1")).failure

    assert failure.fault is Fault.TRANSIENT
    assert "web page" in failure.message
    assert "guest network" in failure.message


CAUSES = {
    "redirect": httpx.Response(302, headers={"location": "http://captive.example/login"}),
    "proxy": httpx.Response(407, content=PAGE),
    "throttled": httpx.Response(429, headers={"retry-after": "40"}),
    "unavailable": httpx.Response(503),
    "gateway": httpx.Response(502, content=PAGE),
    "missing": httpx.Response(404, json={"error": {"code": "iModelNotFound"}}),
    "quota": httpx.Response(403, json={"error": {"code": "StorageQuotaExceeded"}}),
    "role": httpx.Response(403, json={"error": {"code": "InsufficientPermissions"}}),
}


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("redirect", "captive.example"),
        ("proxy", "HTTPS_PROXY"),
        ("throttled", "limits the request rate (HTTP 429); it requests a wait of 40 s"),
        ("unavailable", "temporarily unavailable (HTTP 503)"),
        ("gateway", "gateway"),
        ("missing", "the iModel m1 does not exist"),
        ("quota", "quota is used up"),
        ("role", "role"),
    ],
)
def test_every_cause_has_words_of_its_own(cause: str, words: str) -> None:
    """What differs for the person who must act must differ in what is shown."""
    error = error_of("look", CAUSES[cause], subject="the iModel m1")

    assert words in error.failure.message
    others = [
        each
        for name, each in CAUSES.items()
        if name != cause
        and error_of("look", each, subject="the iModel m1").failure == error.failure
    ]
    assert others == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, {"error": {"code": "StorageQuotaExceeded", "message": "No."}}),
        (403, {"error": {"code": "Forbidden", "message": "The storage quota is exceeded."}}),
        (422, {"error": {"details": [{"message": "Quota of the iTwin exceeded"}]}}),
        (507, {}),
    ],
)
def test_no_space_left_is_neither_a_role_nor_an_outage(
    status: int, body: dict[str, object]
) -> None:
    """Only somebody who makes room can help, and every file waits for that."""
    error = error_of("create", httpx.Response(status, json=body))

    assert error.failure.fault is Fault.QUOTA
    assert "quota" in error.failure.message
    assert "role" not in error.failure.message


@pytest.mark.parametrize(
    ("exc", "words"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), "(DNS)"),
        (httpx.ConnectError("[Errno 11001] getaddrinfo failed"), "(DNS)"),
        (httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), "plain http"),
        (httpx.ProxyError("407 Proxy Authentication Required"), "HTTPS_PROXY"),
        (httpx.ProxyError("502 Bad Gateway"), "proxy"),
        (httpx.InvalidURL("Invalid port: 'x'"), "address"),
    ],
)
def test_a_call_without_an_answer_names_the_cause(exc: Exception, words: str) -> None:
    """DNS, proxy and TLS are mended by different people."""
    assert words in error_from("look", exc).failure.message


def test_the_host_that_does_not_answer_is_named() -> None:
    """A firewall rule is written for a host."""
    request = httpx.Request("GET", "https://api.example.com/x?sig=1")

    failure = error_from("look", httpx.ConnectTimeout("", request=request)).failure

    assert "api.example.com" in failure.message
    assert "sig" not in failure.message


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
        (400, "InvalidBlockList", Fault.FILE),
        (400, "MissingRequiredHeader", Fault.FILE),
        (413, "RequestBodyTooLarge", Fault.FILE),
        (412, "LeaseIdMissing", Fault.FILE),
        (407, "", Fault.TRANSIENT),
        (307, "", Fault.TRANSIENT),
        (507, "AccountQuotaExceeded", Fault.QUOTA),
        (403, "AccountQuotaExceeded", Fault.QUOTA),
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


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(412, headers={"x-ms-error-code": "LeaseIdMissing"}), "lease"),
        (httpx.Response(403, content=PAGE), '"Guest WiFi"'),
        (httpx.Response(307, headers={"location": "https://x.example/a?sig=1"}), "x.example"),
        (httpx.Response(507), "quota"),
    ],
)
def test_the_blob_hosts_causes_are_named(answer: httpx.Response, words: str) -> None:
    """Lease, data-loss filter and quota are for three different people."""
    error = blob_error_of("upload", answer)

    assert words in error.failure.message
    assert "sig=" not in error.failure.message


def test_a_page_of_a_proxy_is_no_quota_of_the_blob_host() -> None:
    """Its words blamed the proxy, and all files of the iModel waited five minutes for a person."""
    error = blob_error_of("upload", httpx.Response(507, content=PAGE))

    assert error.failure.fault is Fault.TRANSIENT
    assert '"Guest WiFi"' in error.failure.message


def test_advice_is_not_taken_for_a_secret() -> None:
    """What to write for a proxy's user and password was shown as "[redacted]"."""
    message = error_of("look", CAUSES["proxy"]).failure.message

    assert "user:password@" in message
    assert "redacted" not in message
