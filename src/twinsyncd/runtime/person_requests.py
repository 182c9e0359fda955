"""Requests of people: rows on the way to the daemon, facts once it reads them."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import Protocol, assert_never

from ..core.facts import ApproveAsked, PersonFact, RetryAsked, SyncAsked
from ..core.model import FileKey, HeldSource


class Request(Protocol):
    """One row: a kind, and what it is about."""

    @property
    def kind(self) -> str:
        """One of sync, retry, approve."""

    @property
    def argument(self) -> str:
        """As JSON: for retry a source and a path, or "" for all; for approve what was shown."""

    @property
    def number(self) -> int:
        """The journal's number of it."""


def fact_of(request: Request) -> PersonFact | None:
    """Return the fact for the machine; None for a request that only another version knows."""
    match request.kind:
        case "sync":
            return SyncAsked()
        case "retry":
            return RetryAsked(FileKey(*json.loads(request.argument)) if request.argument else None)
        case "approve":
            return ApproveAsked(tuple(HeldSource(*each) for each in json.loads(request.argument)))
        case _:
            return None


def request_of(fact: PersonFact) -> tuple[str, str]:
    """Return the kind and the argument that `fact_of` reads."""
    match fact:
        case SyncAsked():
            return "sync", ""
        case RetryAsked(key):
            return "retry", "" if key is None else json.dumps(key)
        case ApproveAsked(findings):
            return "approve", json.dumps([astuple(each) for each in findings])
        case _:
            assert_never(fact)
