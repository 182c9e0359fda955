"""One worker process, kept warm between jobs and replaced when it crashes or hangs."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

from localtwin.errors import JobFailed
from localtwin.world.synchronization.worker.main import MEMORY_VARIABLE
from localtwin.world.synchronization.worker.messages import (
    WorkerAnswer,
    WorkerOrder,
    order_line,
    read_answer,
)

# A group of its own: Ctrl-C in the terminal goes to the server, which ends its workers itself.
_CREATION_FLAGS = 0
_PROCESS_GROUP: int | None = 0
if sys.platform == "win32":
    _CREATION_FLAGS, _PROCESS_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP, None
# How often the limits are checked; a worker is killed that much later at worst.
_CHECK_S = 1.0


class WorkerProcess:
    """Runs jobs in a process of its own; one thread at a time uses it, any may call `stop`."""

    def __init__(self, module: str, *, memory_bytes: int | None = None) -> None:
        self._module = module
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Start the process, so that the first job need not wait for its imports."""
        self._running()

    def run(self, order: WorkerOrder, *, limit_s: float, file_s: float = math.inf) -> WorkerAnswer:
        """Return the worker's answer: its report, and that of an unrecorded earlier run.

        Raises JobFailed when it crashes, takes longer than `limit_s` in all or than `file_s` at
        one file, or reports a failure.
        """
        process = self._running()
        assert order.job.at_work is not None, "a run's order says where to note the file at work"
        limit = _TimeLimit(process, order.job.at_work, limit_s=limit_s, file_s=file_s)
        with limit:
            line = _ask(process, order_line(order))
        if not line:
            self._discard(process)
            late = limit.exceeded
            raise JobFailed(_reason(process, timed_out=late), timed_out=late, crashed=not late)
        answer: dict[str, Any] = json.loads(line)
        if "failure" in answer:
            exhausted = answer["failure"].startswith("MemoryError")
            if exhausted:
                self._discard(process)
            raise JobFailed(answer["failure"], crashed=exhausted)
        return read_answer(answer)

    def stop(self) -> None:
        """End the process at once; a job in it fails, and no other is started."""
        with self._lock:
            self._stopped = True
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            _close(process)

    def _running(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise JobFailed("The server is stopping.")
            if self._process is None or self._process.poll() is not None:
                if self._process is not None:
                    _close(self._process)
                self._process = self._start()
            return self._process

    def _start(self) -> subprocess.Popen[str]:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        if self._memory_bytes is not None:
            environment[MEMORY_VARIABLE] = str(self._memory_bytes)
        return subprocess.Popen(  # noqa: S603 (this interpreter, and a module of the settings)
            [sys.executable, "-m", "localtwin.world.synchronization.worker.main", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=environment,
            creationflags=_CREATION_FLAGS,
            process_group=_PROCESS_GROUP,
        )

    def _discard(self, process: subprocess.Popen[str]) -> None:
        process.kill()
        with self._lock:
            mine, self._process = self._process is process, None
        if mine:
            _close(process)


class _TimeLimit:
    """Kills a worker that takes too long; `note` names the file it is at."""

    def __init__(
        self, process: subprocess.Popen[str], note: Path, *, limit_s: float, file_s: float
    ) -> None:
        self.exceeded = False
        self._process = process
        self._note = note
        self._limit_s, self._file_s = limit_s, file_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._check, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _check(self) -> None:
        start = since = time.monotonic()
        pause_s = min(_CHECK_S, self._limit_s / 4, self._file_s / 4)
        seen = ""
        while not self._done.wait(pause_s):
            now, at = time.monotonic(), self._at()
            if at != seen:
                seen, since = at, now
            if now - start > self._limit_s or (at and now - since > self._file_s):
                self.exceeded = True
                self._process.kill()
                return

    def _at(self) -> str:
        try:
            return self._note.read_text("utf-8")
        except OSError:  # it is at no file
            return ""


def _ask(process: subprocess.Popen[str], order: str) -> str:
    """Return the answer, "" when the process has ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(order + "\n")
        process.stdin.flush()
        return process.stdout.readline()
    except (OSError, ValueError):  # a broken pipe, or closed by `stop`
        return ""


def _close(process: subprocess.Popen[str]) -> None:
    process.wait()
    for stream in (process.stdin, process.stdout):
        assert stream is not None
        try:
            stream.close()
        except OSError:  # what was buffered for a dead process can't be flushed
            continue


def _reason(process: subprocess.Popen[str], *, timed_out: bool) -> str:
    if timed_out:
        return "The connector took too long and was stopped."
    return f"The connector's process ended unexpectedly (exit code {process.wait()})."
