"""Fetches the diagnostic reports of a failed run, keeps them, and draws the reasons out of them.

They are kept as files below the state folder, the newest ones only. All of it is beside the
result: a report that cannot be had costs its reasons, never the result.
Sources: Synchronization API, "Get reports"; @itwin/synchronization-report-react, its report type.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from ..cloud.client import Platform
from ..cloud.report_reader import ReportReader
from ..cloud.values import ReportLink, Run
from ..errors import CloudError
from .storage.evidence import GOOD, OF_RUN, Reasons

FETCHED_MAX: Final = 10  # reports of one run; a run in which everything fails has one reason
KEPT_MAX: Final = 200  # files; some megabytes at the very most
REASONS_MAX: Final = 3  # of one file, in the words of the history; the report has them all
_SHORT: Final = 8  # characters of an id in a file's name; people have to read it
_GRAVE: Final = {"fatal", "critical", "error"}
_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9-]")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RunReports:
    """Reports of runs, kept in `folder`."""

    reader: ReportReader
    folder: Path

    def reasons(self, platform: Platform, imodel_id: str, run: Run) -> Mapping[str, Reasons]:
        """Return by task what the reports of an ended run say; empty if nothing failed.

        What is about no task of the run is about OF_RUN.
        """
        failed = {task.id for task in run.tasks if task.id and task.result not in GOOD}
        if run.state != "Completed" or (run.result in GOOD and not failed):
            return {}
        try:
            links = platform.report_links(imodel_id, run.id)
        except CloudError as exc:
            log.info("run.reports_unknown", reason=exc.failure.message)
            return {}
        good = {task.id for task in run.tasks if task.id} - failed
        wanted = [link for link in links if link.task not in good]
        found: dict[str, Reasons] = {}
        for number, link in enumerate(wanted[:FETCHED_MAX], 1):
            about = link.task if link.task in failed else OF_RUN
            name = f"{run.id[:_SHORT]}-{about[:_SHORT] or f'run{number}'}"
            if reasons := self._read(link, name):
                found[about] = found[about] + reasons if about in found else reasons
        self._drop_old()
        return found

    def _read(self, link: ReportLink, name: str) -> Reasons | None:
        try:
            body = self.reader.read(link.url)
            return Reasons(tuple(reasons_in(body)), str(self._keep(name, body)))
        except (CloudError, OSError) as exc:
            log.info("run.report_unread", reason=str(exc))
            return None

    def _keep(self, name: str, body: bytes) -> Path:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.folder / f"{_NOT_IN_NAMES.sub('_', name)}.json"
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as opened:
            opened.write(body)
        return file

    def _drop_old(self) -> None:
        try:
            files = sorted(self.folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
            for file in files[:-KEPT_MAX]:
                file.unlink(missing_ok=True)
        except OSError as exc:
            log.info("run.reports_kept", reason=str(exc))


def reasons_in(body: bytes) -> list[str]:
    """Return the gravest statements of a report: missing references first, then errors."""
    try:
        report = json.loads(body)
    except (ValueError, RecursionError):
        return []
    stated = dict.fromkeys([*_missing(report), *_errors(report)])
    more = [f"{len(stated) - REASONS_MAX} more"] if len(stated) > REASONS_MAX else []
    return [*list(stated)[:REASONS_MAX], *more]


def _missing(report: Any) -> Iterator[str]:
    files = _entries(_entry(report, "sourceFilesInfo"), "Files")
    for each in files:
        if _text(each, "state") == "Missing":
            yield f"the reference {_text(each, 'fileName') or 'without a name'} is missing"


def _errors(report: Any) -> Iterator[str]:
    for record in _entries(report, "filerecords"):
        for audit in _entries(record, "auditrecords"):
            stated = _entry(audit, "auditinfo")
            if _text(stated, "level").lower() in _GRAVE and (text := _text(stated, "message")):
                yield text


def _entry(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _entries(value: Any, key: str) -> list[Any]:
    found = _entry(value, key)
    return found if isinstance(found, list) else []


def _text(value: Any, key: str) -> str:
    found = _entry(value, key)
    return found if isinstance(found, str) else ""
