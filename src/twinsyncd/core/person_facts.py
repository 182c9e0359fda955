"""What people ask of the machine; part of `facts`."""

from __future__ import annotations

from dataclasses import dataclass

from .model import ConnectionKey, FileKey, HeldSource


@dataclass(frozen=True, slots=True)
class SyncAsked:
    """A person asks to look at everything now, without waits."""


@dataclass(frozen=True, slots=True)
class PublishAsked:
    """A person asks for the same, and for runs outside their timetable; None: of all."""

    connection: ConnectionKey | None = None


@dataclass(frozen=True, slots=True)
class RetryAsked:
    """A person asks to retry a file that was set aside; None: all of them.

    `reason`: why it is not a person who asks.
    """

    key: FileKey | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ApproveAsked:
    """A person approves what was shown of some sources, and nothing more."""

    findings: tuple[HeldSource, ...]


@dataclass(frozen=True, slots=True)
class PauseAsked:
    """A person asks to store and run nothing more; None: of any connection."""

    connection: ConnectionKey | None = None


@dataclass(frozen=True, slots=True)
class ResumeAsked:
    """A person ends a pause; None: of every connection."""

    connection: ConnectionKey | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person signed in; `authorised`: and has just allowed runs to act for them."""

    authorised: bool = False


PersonFact = (
    SyncAsked | PublishAsked | RetryAsked | ApproveAsked | PauseAsked | ResumeAsked | SignedIn
)
"""Every fact that is a person's request."""
