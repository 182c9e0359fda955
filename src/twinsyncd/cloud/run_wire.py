"""Reads runs, the tasks in them, and why they failed.

Source: Synchronization API, "Get storage connection run", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.model import StorageId
from .members import date, entries, mapping, needed, parsed, text
from .values import Run, Task
from .wire import page


def runs(body: bytes) -> tuple[tuple[Run, ...], bool | None]:
    """Read a page of runs, minimal or full."""
    return page(body, "runs", _run)


def run(body: bytes) -> Run:
    """Read a single run with its jobs' tasks."""
    return _run(mapping(parsed(body)).get("run"))


def _run(value: Any) -> Run:
    entry = mapping(value)
    error = mapping(entry.get("error"))
    jobs = [mapping(job) for job in entries(entry, "jobs")]
    return Run(
        needed(text(entry, "id"), "id"),
        text(entry, "state"),
        text(entry, "result"),
        date(entry, "startDateTime"),
        text(error, "errorKey"),
        *_why(error),
        tuple(_task(task) for job in jobs for task in entries(job, "tasks")),
    )


def _task(value: Any) -> Task:
    entry = mapping(value)
    report = mapping(mapping(entry.get("details")).get("synchronizationReport"))
    message, article, can_user_fix = _why(mapping(entry.get("error")))
    return Task(
        StorageId(text(entry, "storageFileId") or text(entry, "sourceFileId")),
        text(entry, "state"),
        text(entry, "result"),
        message or text(report, "message"),
        article,
        can_user_fix,
        text(entry, "id"),
    )


def _why(error: Mapping[str, Any]) -> tuple[str, str, bool | None]:
    """Read what failed and what to do, where it is explained, and whether a user can mend it."""
    texts = dict.fromkeys([text(error, "message"), text(error, "description")])
    *first, last = filter(None, texts) if any(texts) else [""]
    ended = [each if each.endswith((".", "!", "?", ":")) else f"{each}." for each in first]
    said = " ".join([*ended, last])
    fixable = error.get("canUserFix")
    return said, text(error, "kbArticleLink"), fixable if isinstance(fixable, bool) else None
