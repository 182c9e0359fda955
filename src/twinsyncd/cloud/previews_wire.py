"""Reads the answers of the technical previews: run settings, and lists of diagnostic reports.

Source: Synchronization API, "Configurations" and "Get reports" (technical previews), read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .members import Unreadable
from .values import ReportLink

_NOTHING: Final[Mapping[str, Any]] = {}


def settings(body: bytes) -> Mapping[str, object]:
    """Read what is set at a scope; what holds by default is not in it."""
    answer = _answer(body).get("configuration")
    if not isinstance(answer, dict):
        raise Unreadable("the answer has no configuration")
    found = answer.get("settings")
    return found if isinstance(found, dict) else _NOTHING


def report_links(body: bytes) -> tuple[ReportLink, ...]:
    """Read where the reports of a run are; entries without a link are left out."""
    return tuple(_links(_answer(body).get("reports")))


def _links(entries: object) -> Iterator[ReportLink]:
    for entry in entries if isinstance(entries, list) else ():
        known: Mapping[str, Any] = entry if isinstance(entry, dict) else _NOTHING
        url, task = known.get("sasUri"), known.get("taskId")
        if isinstance(url, str) and url:
            yield ReportLink(task if isinstance(task, str) else "", url)


def _answer(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Unreadable("the answer is not JSON") from exc
    return found if isinstance(found, dict) else _NOTHING
