"""The worker process: takes one job after another from standard input.

It alone loads the connectors, and it alone opens iModel files. It dies with its server: when the
input ends, it stops at once, and the job it was in is repeated or adopted at the next start.
Usage: python -m localtwin.world.synchronization.worker.main MODULE (by default worker.job).
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import IO, Any

from filelock import FileLock

from localtwin.world.synchronization.worker.messages import (
    WorkerAnswer,
    WorkerOrder,
    answer_line,
    read_order,
)

MEMORY_VARIABLE = "LOCALTWIN_JOB_MEMORY"


def main() -> None:
    """Answer every line of input with one line of output, both JSON."""
    _bound_memory(os.environ.get(MEMORY_VARIABLE))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not look like an answer
    jobs: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read_lines, args=(sys.stdin, jobs), daemon=True).start()
    module = importlib.import_module(sys.argv[1])
    while True:
        print(_answer(module, jobs.get()), file=answers, flush=True)


def _bound_memory(limit_bytes: str | None) -> None:
    """Limit this process's memory; beyond it, Python raises MemoryError and C code crashes.

    Does nothing where the operating system has no such limit.
    """
    if limit_bytes is None or sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 (not there on Windows)

    resource.setrlimit(resource.RLIMIT_AS, (int(limit_bytes), int(limit_bytes)))


def _read_lines(lines: IO[str], jobs: queue.Queue[str]) -> None:
    for line in lines:
        jobs.put(line)
    os._exit(0)


def _answer(module: Any, line: str) -> str:
    try:
        return answer_line(_work(module, read_order(line)))
    except Exception as error:  # noqa: BLE001 (the top of the process: every failure is reported)
        return json.dumps({"failure": f"{type(error).__name__}: {error}"})


def _work(module: Any, order: WorkerOrder) -> WorkerAnswer:
    imodel = order.job.imodel_file
    pending = Pending(order.job.changesets)
    # A worker of a killed server may still be at this iModel for a moment.
    with FileLock(imodel.with_suffix(".lock")):
        if not imodel.exists():
            module.create_imodel(imodel)
        left = module.last_report(imodel)
        earlier = None
        if left is not None and left.changesets[-1].id != order.parent:
            pending.keep(left.changesets[-1].id)
            if pending.owner() == order.run_id:
                return WorkerAnswer(left)
            earlier = left
        earlier_run_id = "" if earlier is None else pending.owner()
        pending.begin(order.run_id)
        report = module.run_job(order.job)
    return WorkerAnswer(report, earlier_run_id, earlier)


class Pending:
    """Notes in `folder` for which run changesets are being written.

    A job that dies after its commit leaves changesets that the server has not recorded. The next
    job on the iModel finds them, and which run wrote them.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "pending"

    def begin(self, run_id: str) -> None:
        """Note that the next changesets are of that run."""
        partial = self._file.with_suffix(".partial")
        partial.write_text(run_id, encoding="ascii")
        partial.replace(self._file.with_suffix(".run"))

    def owner(self) -> str:
        """Return the run noted last."""
        return self._file.with_suffix(".run").read_text("ascii")

    def keep(self, changeset_id: str) -> None:
        """Name the changeset that a job of the first release left without a name, if it did."""
        if self._file.exists():
            self._file.replace(self._file.with_name(changeset_id))


if __name__ == "__main__":
    main()
