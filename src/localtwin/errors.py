"""What localtwin can refuse or fail at, as one tree.

LocalTwinError
├── SetupError          the server cannot start: the data folder or the address is not usable
├── Refusal             a rule of the platform says no; the API answers with its code and details
│   ├── Unauthorised    no identity, or not a believable one
│   ├── Forbidden       a known caller that may not do this
│   ├── NotFound        the thing asked for does not exist for this caller
│   ├── Conflict        right in itself, wrong at this moment
│   └── Invalid         the request breaks a rule of its operation
├── BlobRefusal         the same for the blob endpoint, which has codes and words of its own
└── JobFailed           a run's worker process crashed, hung or answered nonsense
"""

from __future__ import annotations

from dataclasses import dataclass


class LocalTwinError(Exception):
    """Root of everything that localtwin raises on purpose."""


class SetupError(LocalTwinError):
    """Says why the server cannot start and what to do about it."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One entry of an error's details."""

    code: str
    message: str
    target: str | None = None


class Refusal(LocalTwinError):
    """A rule of the platform said no.

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
    """The caller is not known."""


class Forbidden(Refusal):
    """The caller is known and may not do this."""


class NotFound(Refusal):
    """The thing asked for does not exist."""


class Conflict(Refusal):
    """The request does not fit the present state."""


class Invalid(Refusal):
    """The request breaks a rule of its operation."""


class BlobRefusal(LocalTwinError):
    """The blob endpoint said no; `code` is the wire value, `facts` are elements of the body."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(" ".join([code, *facts.values()]))
        self.code = code
        self.facts = facts


class JobFailed(LocalTwinError):
    """The worker process gave no report: it hung, or crashed (out of memory counts as that)."""

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
