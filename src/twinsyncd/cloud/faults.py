"""Turns failed calls into CloudError; the only place that knows what a status means.

The meaning of 409 differs by operation, so the caller decides; what reaches this module counts
as transient. Sources: iTwin Platform API pages, "Response codes" of each operation;
platform page, "Rate limits" (429); RFC 9110, 10.2.3 (Retry-After).
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from ..core.model import Failure, Fault
from ..errors import CloudError
from ..redact import redact
from . import wire
from .values import ServiceError

_TRANSIENT: Final = {408, 409, 425, 500, 502, 503, 504}
_MESSAGE_MAX: Final = 500  # a whole HTML page helps nobody
_ASK_ADMIN: Final = "ask an administrator of the iTwin to give this application a role there"
_WORDS: Final = {
    401: "the platform does not accept the credentials; check client id and secret",
    403: f"not permitted; {_ASK_ADMIN}",
    404: "it does not exist (any more), or is hidden from this application",
    410: "it does not exist any more",
    413: "it is too large for the service",
    429: "the service limits the request rate (HTTP 429)",
}


def error_of(operation: str, response: httpx.Response) -> CloudError:
    """Return the error for an answer that is not a success; reads the body."""
    answer = wire.service_error(response.content)
    failure = Failure(
        fault_of(response.status_code),
        redact(_words(response.status_code, answer))[:_MESSAGE_MAX],
        retry_after_s=retry_after_s(response.headers),
        request_id=response.headers.get("x-correlation-id", ""),
    )
    return CloudError(operation, failure, status=response.status_code, code=answer.code)


def error_from(operation: str, exc: Exception, *, request_id: str = "") -> CloudError:
    """Return the error for a call without a readable answer: its effect is not known."""
    message = redact(_network_words(exc))[:_MESSAGE_MAX]
    return CloudError(operation, Failure(Fault.TRANSIENT, message, request_id=request_id))


def fault_of(status: int) -> Fault:
    """Return the kind of failure; the core decides what to do about it."""
    match status:
        case 401:
            return Fault.UNAUTHORISED
        case 404 | 410:
            return Fault.GONE
        case 429:
            return Fault.THROTTLED
        case _ if status in _TRANSIENT or status >= 500 or status < 300:
            return Fault.TRANSIENT
        case _:
            return Fault.REFUSED  # repeating the same request will not help


def refused(operation: str, message: str) -> CloudError:
    """Return the error for something that only a person can correct."""
    return CloudError(operation, Failure(Fault.REFUSED, message))


def unclear(operation: str, message: str) -> CloudError:
    """Return the error for an answer that contradicts itself; looking again may help."""
    return CloudError(operation, Failure(Fault.TRANSIENT, message))


def retry_after_s(headers: httpx.Headers) -> float:
    """Return the seconds to wait as the service requests; 0 if it names none.

    A date is counted from the answer's own Date, so a wrong clock here does not matter.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        return max(0.0, (until - parsedate_to_datetime(headers["date"])).total_seconds())
    except (ValueError, TypeError, KeyError):
        return 0.0


def _words(status: int, answer: ServiceError) -> str:
    ours = _WORDS.get(status, "")
    if 300 <= status < 400:
        ours = f"the service redirects elsewhere (HTTP {status}); check api_url"
    theirs = answer.message
    if answer.details:
        theirs = (
            f"{theirs.rstrip('.')}: {'; '.join(answer.details)}" if theirs else answer.details[0]
        )
    if not theirs:
        return ours or f"the service answered HTTP {status}"
    return f"{ours} (the service: {theirs})" if ours else theirs


_UNTRUSTED: Final = (
    "the service cannot be reached safely: its certificate is not trusted here; if a proxy "
    "inspects encrypted traffic, install the proxy's certificate on this machine or name its file "
    "in SSL_CERT_FILE; else check the address and the clock"
)


def _network_words(exc: Exception) -> str:
    match exc:
        case httpx.PoolTimeout():
            return "all connections to the service are busy"
        case httpx.ConnectTimeout():
            return "the service cannot be reached: no answer"
        case httpx.TimeoutException():
            return "the service did not answer in time"
        case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(exc):
            return _UNTRUSTED
        case httpx.ConnectError():
            return f"the service cannot be reached: {exc}"
        case wire.Unreadable():
            return f"the answer makes no sense: {exc}; is a proxy answering instead?"
        case _:
            return f"the connection broke: {str(exc) or type(exc).__name__}"
