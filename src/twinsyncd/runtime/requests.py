"""What people ask, as rows on the way to the daemon and as facts once it hears them."""

from __future__ import annotations

import json
from typing import Protocol, assert_never

from ..core.facts import ApproveAsked, PersonFact, RetryAsked, SyncAsked
from ..core.model import FileKey


class Request(Protocol):
    """One row: a kind, and what it is about."""

    @property
    def kind(self) -> str:
        """One of sync, retry, approve."""

    @property
    def argument(self) -> str:
        """For retry a source and a path as JSON, or "" for all; for approve a connection."""


def fact_of(request: Request) -> PersonFact | None:
    """Return what the machine hears; None for a request that only another version knows."""
    match request.kind:
        case "sync":
            return SyncAsked()
        case "retry":
            return RetryAsked(FileKey(*json.loads(request.argument)) if request.argument else None)
        case "approve":
            return ApproveAsked(request.argument)
        case _:
            return None


def words_of(fact: PersonFact) -> tuple[str, str]:
    """Return the kind and the argument that `fact_of` reads."""
    match fact:
        case SyncAsked():
            return "sync", ""
        case RetryAsked(key):
            return "retry", "" if key is None else json.dumps(key)
        case ApproveAsked(connection):
            return "approve", connection
        case _:
            assert_never(fact)
