"""What a failure of an object store means, in words for whoever set the store up.

The library's own text names its retries and timings; the cause stands in what it adds for
programmers, so it is looked for there.
Source: obstore manual, "Exceptions", and its messages for hosts that are not there, read 2026-11.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from obstore import exceptions

from ...core.model import Failure, Fault
from ...redact import redact

_ACCESS: Final = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
_CONFIGURED: Final = (exceptions.UnknownConfigurationKeyError, ValueError)
_STATUS: Final = re.compile(r"status code: (\d{3})")
_ATTEMPT: Final = re.compile(
    r"^Generic \w+ error: |Error performing [A-Z]+ \S+ in \S+?s\b[^-]*- |HTTP error: "
)
_ADDRESS: Final = re.compile(r"Error performing [A-Z]+ (\S+)")
_CAUSES: Final = (  # the first that is found, with {host}
    ("dns error", "no host is called {host}"),
    ("BadScheme", "{host} is not asked without encryption; write https:// in front of it"),
    (
        "InvalidCertificate",
        "the certificate of {host} is not trusted on this machine (if a proxy inspects encrypted "
        "traffic, name its certificate in ca_bundle below [platform])",
    ),
    ("ConnectionRefused", "{host} refuses connections"),
    ("TimedOut", "{host} does not answer in time"),
    ("kind: Connect", "no connection to {host} is possible"),
)
_MESSAGE_MAX: Final = 300


def failure_of(url: str, exc: Exception) -> Failure:
    """Return the failure: a person must correct rights and names, the rest passes."""
    text = str(exc)
    status = found[1] if (found := _STATUS.search(text)) else ""
    if isinstance(exc, _ACCESS) or status in {"401", "403"}:
        words = f"the object store {url} refuses access; check its credentials"
        return Failure(Fault.UNAUTHORISED, f"{words} ({_reason(text)})")
    if isinstance(exc, FileNotFoundError) or status == "404":
        words = f"there is no {url}; create the bucket or container, or correct url"
        return Failure(Fault.UNAUTHORISED, f"{words} ({_reason(text)})")
    if isinstance(exc, _CONFIGURED):
        words = f"{url} cannot be used as configured"
        return Failure(Fault.UNAUTHORISED, f"{words} ({_reason(text)})")
    if cause := _cause(text):
        advice = "check the network, and region and endpoint below [connection.objects]"
        message = f"the object store {url} cannot be reached: {cause}; {advice}"
        return Failure(Fault.TRANSIENT, message)
    return Failure(Fault.TRANSIENT, f"the object store {url} fails: {_reason(text)}")


def _cause(text: str) -> str:
    """Return why the host cannot be reached; "" if it was, or that is not said."""
    address = _ADDRESS.search(text)
    host = (urlsplit(address[1]).hostname or "") if address else ""
    words = next((words for mark, words in _CAUSES if mark in text), "")
    return words.format(host=host) if host else ""


def _reason(text: str) -> str:
    said = _ATTEMPT.sub("", " ".join(text.partition("Debug source:")[0].split()))
    return redact(said)[:_MESSAGE_MAX]
