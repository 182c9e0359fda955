"""Reads members of JSON answers: what is missing, null or of another type reads as empty."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

_NOTHING: Final[Mapping[str, Any]] = {}


class Unreadable(ValueError):
    """The answer lacks a member that is indispensable."""


def parsed(body: bytes) -> Any:
    """Return the answer as JSON; raises Unreadable."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Unreadable("the answer is not JSON") from exc


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object; an empty one for anything else."""
    return value if isinstance(value, dict) else _NOTHING


def entries(entry: Mapping[str, Any], key: str) -> list[Any]:
    """Return a list; an empty one for anything else."""
    value = entry.get(key)
    return value if isinstance(value, list) else []


def text(entry: Mapping[str, Any], key: str) -> str:
    """Return a text; an empty one for anything else."""
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def number(value: Any) -> int | None:
    """Return a count; None for anything else."""
    plain = isinstance(value, int) and not isinstance(value, bool)
    return value if plain and 0 <= value < 2**63 else None


def date(entry: Mapping[str, Any], key: str) -> float:
    """Return seconds since the epoch; 0 for a date of the year 1, which means "not set"."""
    try:
        moment = datetime.fromisoformat(text(entry, key))
    except ValueError:
        return 0.0
    return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())


def href(entry: Mapping[str, Any], key: str) -> str:
    """Return the address of a link; empty if there is none."""
    return text(mapping(mapping(entry.get("_links")).get(key)), "href")


def needed(text: str, what: str) -> str:
    """Return a text that must be there; raises Unreadable."""
    if not text:
        raise Unreadable(f"the answer has no {what}")
    return text
