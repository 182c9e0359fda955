"""Asks a process of its own what a design file names, so that a bad file cannot end the daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Final

from ..core.references import Reference, is_file
from . import windows
from .tree import Tree

ENDS_S: Final = 1.0  # a process that is killed ends at once, unless the kernel waits for a share
PATIENCE_S: Final = 40.0  # less than a share may be silent; a large drawing takes some seconds


class UnreadableReferencesError(Exception):
    """What the file names could not be found out; the text says why."""


class ReferenceProcess:
    """One process at a time, begun when it is first needed; used by one thread at a time."""

    def __init__(self, patience_s: float = PATIENCE_S, *, program: tuple[str, ...] = ()) -> None:
        """A file that takes longer than `patience_s` [s] ends the process; `program`: another."""
        self._patience_s = patience_s
        self._program = program or (sys.executable, "-m", "twinsyncd.disk.reference_worker")
        self._process: subprocess.Popen[str] | None = None

    def read(self, tree: Tree, path: str) -> tuple[Reference, ...]:
        """Return what the file names. Raises OSError, UnreadableReferencesError."""
        descriptor = tree.open(path)
        try:
            asked = {"file": _to_open(tree, path, descriptor), "name": path.rpartition("/")[2]}
            answer = self._ask(json.dumps(asked))
        finally:
            os.close(descriptor)
        if "trouble" in answer:
            raise UnreadableReferencesError(str(answer["trouble"]))
        found = answer["found"]
        return tuple(Reference(kind, written) for kind, written in found if is_file(written))

    def close(self) -> None:
        """End the process, if there is one; one that hangs on its drive is not waited for."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what it was asked last is in there still
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_S)

    def _ask(self, line: str) -> dict[str, list[tuple[str, str]]]:
        process = self._started()
        assert process.stdin is not None, "it was started with a pipe"
        assert process.stdout is not None, "it was started with a pipe"
        too_long = threading.Timer(self._patience_s, process.kill)
        too_long.start()
        try:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except (OSError, ValueError):
            answer = ""
        finally:
            too_long.cancel()
        if not answer.endswith("\n"):  # it ended, perhaps in the middle of its answer
            self.close()
            within = f"or it took longer than {self._patience_s:.0f} s"
            reason = f"reading it ended the program that reads references, {within}"
            raise UnreadableReferencesError(reason)
        found: dict[str, list[tuple[str, str]]] = json.loads(answer)
        return found

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                self._program,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
        return self._process


def _to_open(tree: Tree, path: str, descriptor: int) -> str:
    """Return a name for the file that is open: not by its path, which may lead elsewhere by now."""
    if sys.platform == "linux":
        return f"/proc/{os.getpid()}/fd/{descriptor}"
    return windows.long_path(str((tree.folder / path).absolute()))
