"""Requests of people: rows on the way to the daemon, facts once it reads them."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import Protocol, assert_never

import structlog

from ..core.facts import (
    ApproveAsked,
    PauseAsked,
    PersonFact,
    PublishAsked,
    ResumeAsked,
    RetryAsked,
    SignedIn,
    SyncAsked,
)
from ..core.model import ConnectionKey, FileKey, HeldSource, SourceKey

log = structlog.get_logger()


class Request(Protocol):
    """One row: a kind, and what it is about."""

    @property
    def kind(self) -> str:
        """One of sync, publish, retry, approve, pause, resume, signed-in."""

    @property
    def argument(self) -> str:
        """As JSON: for retry a source and a path, or "" for all.

        For publish, pause and resume a connection, or null for all; for approve what was shown; for
        signed-in whether the person agreed to runs just now.
        """

    @property
    def number(self) -> int:
        """The journal's number of it."""


def fact_of(request: Request) -> PersonFact | None:
    """Return the fact for the machine; None for a request that only another version knows.

    Its row may be of any version, so whatever it holds must not stop the daemon.
    """
    try:
        match request.kind:
            case "sync":
                return SyncAsked()
            case "retry":
                return RetryAsked(_file_key(json.loads(request.argument or "null")))
            case "signed-in":
                return SignedIn(json.loads(request.argument) is True)
            case "publish":
                return PublishAsked(_connection_key(json.loads(request.argument)))
            case "pause":
                return PauseAsked(_connection_key(json.loads(request.argument)))
            case "resume":
                return ResumeAsked(_connection_key(json.loads(request.argument)))
            case "approve":
                return ApproveAsked(tuple(map(_held_source, json.loads(request.argument))))
    except (ValueError, TypeError):
        pass
    log.warning("request.not_understood", kind=request.kind, number=request.number)
    return None


def _file_key(value: object) -> FileKey | None:
    match value:
        case None:
            return None
        case [str(source), str(path)]:
            return FileKey(SourceKey(source), path)
        case _:
            raise ValueError(value)


def _connection_key(value: object) -> ConnectionKey | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(value)
    return None if value is None else ConnectionKey(value)


def _held_source(value: object) -> HeldSource:
    match value:
        case [str(source), str(drive), int(missing), str(mark)]:
            return HeldSource(SourceKey(source), drive, missing, mark)
        case [str(source), str(drive), int(missing)]:  # of a version that only counted them
            return HeldSource(SourceKey(source), drive, missing)
        case _:
            raise ValueError(value)


def request_of(fact: PersonFact) -> tuple[str, str]:
    """Return the kind and the argument that `fact_of` reads."""
    match fact:
        case SyncAsked():
            return "sync", ""
        case PublishAsked(connection):
            return "publish", json.dumps(connection)
        case RetryAsked(key):
            return "retry", "" if key is None else json.dumps(key)
        case PauseAsked(connection):
            return "pause", json.dumps(connection)
        case ResumeAsked(connection):
            return "resume", json.dumps(connection)
        case SignedIn(authorised):
            return "signed-in", json.dumps(authorised)
        case ApproveAsked(findings):
            return "approve", json.dumps([astuple(each) for each in findings])
        case _:
            assert_never(fact)
