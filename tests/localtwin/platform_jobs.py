"""A worker's module for tests: sources are plain texts, one element a line.

The first line may be a command: crash, crash-after, greedy, hang or bad. The lines of its
references count as its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from localtwin.imodel.report import (
    ChangesetReport,
    JobOrder,
    JobReport,
    SourceError,
    SourceOrder,
    SourceReport,
    report_from_json,
)


def create_imodel(file: Path) -> None:
    file.write_text(json.dumps({"held": {}, "last": "", "report": None}))


def last_report(file: Path) -> JobReport | None:
    report = json.loads(file.read_text())["report"]
    if report is None:
        return None
    return report_from_json(json.dumps(report))


def run_job(order: JobOrder) -> JobReport:
    imodel = json.loads(order.imodel_file.read_text())
    assert order.at_work is not None
    taken, changesets = [], []
    for source in order.sources:
        order.at_work.write_text(source.source_id)
        taken.append(_take(imodel["held"], source))
        changeset = _changeset(imodel, taken[-1])
        if changeset is not None:
            (order.changesets / changeset.id).write_text("changes")
            (order.changesets / f"{changeset.id}.svg").write_text("<svg/>")
            imodel["last"] = changeset.id
            changesets.append(changeset)
    order.at_work.unlink(missing_ok=True)
    job_report = JobReport(tuple(taken), tuple(changesets))
    if changesets:
        imodel["report"] = asdict(job_report)
    order.imodel_file.write_text(json.dumps(imodel))
    marker = order.imodel_file.with_suffix(".crashed")
    answers = any(_first_line(source) == "crash-after" for source in order.sources)
    if answers and not marker.exists():
        marker.touch()
        os._exit(9)
    return job_report


def _take(held: dict[str, Any], source: SourceOrder) -> SourceReport:
    before = held.get(source.source_id, [])
    if source.action == "unmap":
        held.pop(source.source_id, None)
        return SourceReport(source.source_id, "Success", deleted=len(before))
    match _first_line(source):
        case "crash":
            os._exit(7)
        case "greedy":
            bytearray(4 << 30)
        case "hang":
            threading.Event().wait()
        case "bad" | None:
            error = SourceError("FileUnreadable", "It can't be read.", "Save it.", "file", True)
            return SourceReport(source.source_id, "Error", error=error)
    lines = source.file.read_text().splitlines()
    for reference in source.references:
        if reference.exists():
            beside = source.file.with_name(reference.name)
            lines += [f"{reference.name}: {line}" for line in beside.read_text().splitlines()]
    if lines == before:
        return SourceReport(source.source_id, "Skipped")
    held[source.source_id] = lines
    added, gone = set(lines) - set(before), set(before) - set(lines)
    remarks = ("Half of it is gone.",) if gone else ()
    inserted, deleted = len(added), len(gone)
    return SourceReport(source.source_id, "Success", inserted, 0, deleted, remarks=remarks)


def _first_line(source: SourceOrder) -> str | None:
    if source.action == "unmap":
        return ""
    if not source.file.exists():
        return None
    return (source.file.read_text().splitlines() or [""])[0]


def _changeset(imodel: dict[str, Any], report: SourceReport) -> ChangesetReport | None:
    inserted, deleted = report.inserted, report.deleted
    if not inserted + deleted:
        return None
    named = hashlib.sha256(f"{imodel['last']}{imodel['held']}".encode()).hexdigest()[:40]
    return ChangesetReport(named, imodel["last"], 7, inserted, 0, deleted, 4, report.source_id)
