"""The worker process: takes one job after another from standard input.

It alone loads the connectors, and it alone opens iModel files. It dies with its server: when the
input ends, it stops at once, and the job it was in is repeated or adopted at the next start.
Usage: python -m localtwin.world.jobmain MODULE, MODULE having what world.jobs has.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from filelock import FileLock


def main() -> None:
    """Answer every line of input with one line of output, both JSON."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not be taken for an answer
    jobs: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin, jobs), daemon=True).start()
    module = importlib.import_module(sys.argv[1])
    while True:
        order = json.loads(jobs.get())
        print(json.dumps(_answer(module, order)), file=answers, flush=True)


def _listen(lines: IO[str], jobs: queue.Queue[str]) -> None:
    for line in lines:
        jobs.put(line)
    os._exit(0)


def _answer(module: Any, order: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"report": _work(module, order)}
    except Exception as error:  # noqa: BLE001 (the top of the process: every failure is reported)
        return {"failure": f"{type(error).__name__}: {error}"}


def _work(module: Any, order: dict[str, Any]) -> dict[str, Any]:
    imodel, changeset = Path(order["imodel"]), Path(order["changeset"])
    changeset.parent.mkdir(parents=True, exist_ok=True)
    # A worker of a killed server may still be at this iModel for a moment.
    with FileLock(imodel.with_suffix(".lock")):
        if not imodel.exists():
            module.create_imodel(imodel)
        return _finished(module, imodel, order["parent"]) or asdict(
            module.run_job(_job(module, imodel, changeset, order["sources"]))
        )


def _finished(module: Any, imodel: Path, parent: str) -> dict[str, Any] | None:
    """Return the report of this very run, if its server died before recording its changeset."""
    report = module.last_report(imodel)
    if report is None or report.changeset is None or report.changeset.id == parent:
        return None
    return asdict(report)


def _job(module: Any, imodel: Path, changeset: Path, sources: list[dict[str, str]]) -> Any:
    told = (module.SourceOrder(**(source | {"file": Path(source["file"])})) for source in sources)
    return module.JobOrder(imodel_file=imodel, changeset_file=changeset, sources=tuple(told))


if __name__ == "__main__":
    main()
