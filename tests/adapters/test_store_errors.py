"""Failures of an object store: the cause and the key to correct, not the library's retries."""

from __future__ import annotations

import pytest
from obstore import exceptions

from twinsyncd.core.model import Fault
from twinsyncd.targets.manifest.store_errors import failure_of

URL = "s3://office/bridge"
ATTEMPT = (
    "Generic S3 error: Error performing HEAD https://s3.eu.example/office/a?X-Sig=1 in 104.0µs, "
    "after 2 retries, max_retries: 2, retry_timeout: 30s  - HTTP error: error sending request"
)


@pytest.mark.parametrize(
    ("detail", "cause"),
    [
        ('ConnectError("dns error", Custom { kind: Uncategorized })', "no host is called s3.eu.e"),
        ('ConnectError("tcp connect error", Os { kind: ConnectionRefused })', "refuses connec"),
        ("source: reqwest::Error { kind: Request, source: TimedOut }", "does not answer in time"),
        ("kind: Connect, InvalidCertificate(UnknownIssuer) certificate", "is not trusted on this"),
        ("HttpError { kind: Connect, source: Odd }", "no connection to s3.eu.example"),
    ],
)
def test_a_host_that_cannot_be_reached_is_named_with_the_cause(detail: str, cause: str) -> None:
    """Name, network, time and certificate are four different people's trouble."""
    failure = failure_of(URL, Exception(f"{ATTEMPT}\n\nDebug source:\n{detail}"))

    assert failure.fault is Fault.TRANSIENT
    assert cause in failure.message
    assert "region and endpoint below [connection.objects]" in failure.message
    assert not any(word in failure.message for word in ("retries", "X-Sig", "Debug"))


@pytest.mark.parametrize(
    ("exc", "words"),
    [
        (exceptions.PermissionDeniedError("AccessDenied"), "refuses access; check its credentials"),
        (FileNotFoundError("Object at location not found"), "create the bucket or container"),
        (ValueError("unknown key 'acess_key'"), "cannot be used as configured (unknown key"),
        (Exception("Server returned non-2xx status code: 403"), "refuses access"),
        (Exception("Server returned non-2xx status code: 404"), "create the bucket or container"),
    ],
)
def test_what_only_a_person_can_correct_waits_for_one(exc: Exception, words: str) -> None:
    """Trying again changes neither rights nor names."""
    failure = failure_of(URL, exc)

    assert (failure.fault, URL in failure.message) == (Fault.UNAUTHORISED, True)
    assert words in failure.message


def test_any_other_failure_keeps_the_stores_own_words() -> None:
    """They are all that is known; how often it was tried is not."""
    text = ATTEMPT.replace("HTTP error: error sending request", "SlowDown: reduce your rate")

    failure = failure_of(URL, Exception(text))

    assert failure.fault is Fault.TRANSIENT
    assert (
        failure.message == "the object store s3://office/bridge fails: SlowDown: reduce your rate"
    )
