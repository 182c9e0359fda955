"""The errors of localtwin, as one tree.

LocalTwinError
├── SetupError          the server cannot start: the data folder or the address is not usable
├── Refusal             a rule of the platform refuses; the API answers with code and details
│   ├── Unauthorised    no token, or one that is not valid
│   ├── Forbidden       the caller lacks the permission
│   ├── NotFound        the entity does not exist for this caller
│   ├── Conflict        the request does not fit the current state
│   └── Invalid         the request breaks a rule of its operation
├── BlobRefusal         the same for the blob endpoint, which has its own codes and messages
└── JobFailed           a run's worker process crashed, hung or sent no report
"""

from __future__ import annotations

from dataclasses import dataclass


class LocalTwinError(Exception):
    """Root of everything that localtwin raises on purpose."""


class SetupError(LocalTwinError):
    """The server cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One entry of an error's details."""

    code: str
    message: str
    target: str | None = None


class Refusal(LocalTwinError):
    """The platform's rules refuse the request.

    Source: iTwin Platform, "Error handling": code, message, optional target and details.
    """

    def __init__(
        self, code: str, message: str, *details: Detail, target: str | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details
        self.target = target


class Unauthorised(Refusal):
    """The caller is not authenticated."""


class Forbidden(Refusal):
    """The caller lacks the permission."""


class NotFound(Refusal):
    """The entity does not exist."""


class Conflict(Refusal):
    """The request does not fit the current state."""


class Invalid(Refusal):
    """The request breaks a rule of its operation."""


class BlobRefusal(LocalTwinError):
    """The blob endpoint refuses; `code` is the wire value, `facts` are elements of the body."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(" ".join([code, *facts.values()]))
        self.code = code
        self.facts = facts


class JobFailed(LocalTwinError):
    """The worker process sent no report: it hung or crashed (running out of memory included)."""

    def __init__(self, reason: str, *, timed_out: bool = False, crashed: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.timed_out = timed_out
        self.crashed = crashed


def not_found(entity: str, text: str | None = None) -> NotFound:
    """Return the refusal for a missing `entity`.

    Source: Synchronization API and Storage API pages, "Requested ... is not available."
    """
    return NotFound(f"{entity}NotFound", f"Requested {text or entity} is not available.")
