"""Messages between the server and a worker process: one order and one answer, as lines of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from localtwin.imodel.report import (
    JobOrder,
    JobReport,
    order_from_json,
    order_to_json,
    report_from_json,
)


@dataclass(frozen=True, slots=True)
class WorkerOrder:
    """One run's work; `parent` is the newest changeset that the server has recorded, or ""."""

    run_id: str
    parent: str
    job: JobOrder


@dataclass(frozen=True, slots=True)
class WorkerAnswer:
    """The report; `earlier` is that of a run whose server died before it could record it."""

    report: JobReport
    earlier_run_id: str = ""
    earlier: JobReport | None = None


def changeset_folder(imodel_file: Path) -> Path:
    """Return where a worker writes changesets, each under its id."""
    return imodel_file.parent / "changesets"


def order_line(order: WorkerOrder) -> str:
    """Return the order as one line."""
    job = json.loads(order_to_json(order.job))
    return json.dumps({"run_id": order.run_id, "parent": order.parent, "job": job})


def read_order(line: str) -> WorkerOrder:
    """Return the order in a line."""
    value = json.loads(line)
    job = order_from_json(json.dumps(value["job"]))
    return WorkerOrder(value["run_id"], value["parent"], job)


def answer_line(answer: WorkerAnswer) -> str:
    """Return the answer as one line."""
    return json.dumps(asdict(answer))


def read_answer(value: dict[str, Any]) -> WorkerAnswer:
    """Return the answer in a parsed line."""
    earlier = value["earlier"]
    return WorkerAnswer(
        report=report_from_json(json.dumps(value["report"])),
        earlier_run_id=value["earlier_run_id"],
        earlier=None if earlier is None else report_from_json(json.dumps(earlier)),
    )
