"""Turns failed calls into CloudError; the only place that knows what a status means.

The meaning of 409 differs by operation, so the caller decides; what reaches this module counts
as transient. A web page instead of an answer comes from the network between, so it says nothing
about what the call names: it is an outage, whatever its status.
Sources: iTwin Platform API pages, "Response codes" of each operation; platform page, "Rate
limits" (429); RFC 9110, 10.2.3 (Retry-After); RFC 4918, 11.5 (507).
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from ..core.model import Failure, Fault
from ..errors import CloudError
from ..redact import redact
from . import fault_text, wire
from .needed_permissions import needed_permission
from .values import ServiceError

_TRANSIENT: Final = {407, 408, 409, 425, 500, 502, 503, 504}
_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]*)?")  # gateways send fractions too
_MESSAGE_MAX: Final = 500  # a whole HTML page helps nobody
_QUOTA: Final = re.compile(
    r"quota|insufficient\s?storage|out of (?:storage )?space|storage limit", re.IGNORECASE
)


def error_of(
    operation: str, response: httpx.Response, *, subject: str = "what the call names"
) -> CloudError:
    """Return the error for an answer that is not a success; reads the body.

    `subject` names what the call is about, for the words of a 404.
    """
    status = response.status_code
    answer = wire.service_error(response.content)
    title = fault_text.web_page(response)
    fault = fault_of(status)
    if title is not None or 300 <= status < 400:
        fault = fault if fault is Fault.THROTTLED else Fault.TRANSIENT
    elif is_quota(status, answer):
        fault = Fault.QUOTA
    failure = Failure(
        fault,
        redact(_text(response, answer, title, fault, subject))[:_MESSAGE_MAX],
        retry_after_s=retry_after_s(response.headers),
        request_id=response.headers.get("x-correlation-id", ""),
    )
    if title is not None and status < 500:
        status = 0  # not the service's own: nobody may conclude anything from it
    return CloudError(operation, failure, status=status, code=answer.code)


def error_from(operation: str, exc: Exception, *, request_id: str = "") -> CloudError:
    """Return the error for a call without a readable answer: its effect is not known."""
    message = redact(fault_text.of_exception(exc))[:_MESSAGE_MAX]
    return CloudError(operation, Failure(Fault.TRANSIENT, message, request_id=request_id))


def unreadable(operation: str, exc: Exception, response: httpx.Response) -> CloudError:
    """Return the error for a success that cannot be read: its effect is not known."""
    request_id = response.headers.get("x-correlation-id", "")
    title = fault_text.web_page(response)
    if title is None:
        return error_from(operation, exc, request_id=request_id)
    message = redact(fault_text.of_web_page(response, title))[:_MESSAGE_MAX]
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
        case 507:
            return Fault.QUOTA
        case _ if status in _TRANSIENT or status >= 500 or status < 400:
            return Fault.TRANSIENT
        case _:
            return Fault.REFUSED  # repeating the same request will not help


def is_quota(status: int, answer: ServiceError) -> bool:
    """Return whether the service has no space left; neither a missing role nor an outage."""
    texts = (answer.code, answer.message, *answer.details)
    return status == 507 or (
        status in {402, 403, 409, 413, 422} and any(_QUOTA.search(text) for text in texts)
    )


def refused(operation: str, message: str) -> CloudError:
    """Return the error for something that only a person can correct."""
    return CloudError(operation, Failure(Fault.REFUSED, message))


def unclear(operation: str, message: str) -> CloudError:
    """Return the error for an answer that contradicts itself; looking again may help."""
    return CloudError(operation, Failure(Fault.TRANSIENT, message))


def without_budget(operation: str, wait_s: float) -> CloudError:
    """Return the error for a call that was not sent, since the service would have refused it."""
    message = f"the service takes no further request for {wait_s:.0f} s, so it is asked after that"
    return CloudError(operation, Failure(Fault.THROTTLED, message, retry_after_s=wait_s))


def retry_after_s(headers: httpx.Headers) -> float:
    """Return the seconds to wait as the service requests; 0 if it names none.

    A date is counted from the answer's own Date, so a wrong clock here does not matter.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        return max(0.0, (until - parsedate_to_datetime(headers["date"])).total_seconds())
    except (ValueError, TypeError, KeyError, OverflowError):
        return 0.0


def _text(
    response: httpx.Response, answer: ServiceError, title: str | None, fault: Fault, subject: str
) -> str:
    status = response.status_code
    if 300 <= status < 400:
        return fault_text.of_redirect(status, response.headers.get("location", ""))
    if title is not None:
        return fault_text.of_web_page(response, title)
    if fault is Fault.QUOTA:
        theirs = answer.message or answer.code
        return f"{fault_text.QUOTA} (the service: {theirs})" if theirs else fault_text.QUOTA
    if status == 403:
        return fault_text.of_denial(_needed(response), answer)
    text = fault_text.of_status(status, answer, subject)
    wait_s = retry_after_s(response.headers)
    if status == 429:
        text += fault_text.of_rate_limit(response.headers)
    return f"{text}; it requests a wait of {wait_s:.0f} s" if status == 429 and wait_s else text


def _needed(response: httpx.Response) -> str:
    """Return the permission that the call needed; "" if that is not known."""
    try:
        request = response.request
    except RuntimeError:  # httpx: no request was set
        return ""
    return needed_permission(request.method, request.url.path)
