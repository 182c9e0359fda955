"""Which iModel a request of a person is about, so that the machine that serves it handles it."""

from __future__ import annotations

from ..config import Config, sources_of
from ..core.facts import (
    ApproveAsked,
    PauseAsked,
    PersonFact,
    PublishAsked,
    ResumeAsked,
    RetryAsked,
)
from ..core.model import LaneKey, SourceKey


def lane_of(config: Config, fact: PersonFact) -> LaneKey | None:
    """Return the one iModel that the request is about; None if it is about several, or all."""
    match fact:
        case PublishAsked(name) | PauseAsked(name) | ResumeAsked(name):
            return next((each.lane for each in config.connection if each.key == name), None)
        case RetryAsked(key) if key is not None:
            return _lane_of_sources(config, {key.source})
        case ApproveAsked(findings):
            return _lane_of_sources(config, {each.source for each in findings})
        case _:
            return None


def _lane_of_sources(config: Config, keys: set[SourceKey]) -> LaneKey | None:
    lanes = {
        connection.lane
        for connection, source in sources_of(config)
        if connection.key_of(source) in keys
    }
    return lanes.pop() if len(lanes) == 1 else None
