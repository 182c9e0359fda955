"""Looks at the configured folders without waiting for a share that does not answer.

Whatever touches a folder runs on a daemon thread: a server that is gone blocks it for minutes, and
a command must say so within seconds.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

ANSWER_S: Final = 5.0  # a disk that spins up answers within this
COMPARE_S: Final = 20.0  # comparing what two sources match lists their trees

_LETTER: Final = re.compile(r"/([A-Za-z]):(?=/|\Z)")

Reason = tuple[str, str]
"""Why a folder cannot be used, and what to do about it."""

T = TypeVar("T")


def unreachable(folder: Path) -> Reason | None:
    """Return why the folder cannot be listed and what to do about it; None if it can be."""
    try:
        if not folder.exists():
            return f"there is no folder {folder}", _where_else(folder)
        if not folder.is_dir():
            return f"{folder} is a file", "name the folder that contains it"
    except OSError as exc:  # a share whose server does not answer
        fix = "check that its server is up and the drive is mounted"
        return f"{folder} cannot be reached ({exc.strerror})", fix
    if not os.access(folder, os.R_OK | os.X_OK):
        return f"{folder} cannot be listed", "let the account that twinsyncd runs as read it"
    return None


def find_unreachable(
    folders: Iterable[Path],
    *,
    look: Callable[[Path], Reason | None] = unreachable,
    answer_s: float = ANSWER_S,
) -> dict[Path, Reason]:
    """Return the folders that cannot be listed, or do not answer within `answer_s` [s]."""
    fix = "check that its server is up and the drive is mounted"
    answers = {folder: _begin(partial(look, folder)) for folder in dict.fromkeys(folders)}
    wait(answers.values(), answer_s)
    reasons = {
        folder: answer.result() if answer.done() else (f"{folder} does not answer", fix)
        for folder, answer in answers.items()
    }
    return {folder: reason for folder, reason in reasons.items() if reason}


def within(act: Callable[[], T], patience_s: float, default: T) -> T:
    """Return what `act` returns, or the default if it takes longer than `patience_s` [s]."""
    answer = _begin(act)
    wait([answer], patience_s)
    return answer.result() if answer.done() else default


def _where_else(folder: Path) -> str:
    if os.name == "posix" and str(folder).startswith("//"):
        return "this is a server's name: mount the share and write the folder it is mounted on"
    if os.name == "posix" and (letter := _LETTER.search(str(folder))):
        return f"{letter[1]}: is a drive of Windows: write the folder where the share is mounted"
    known = next((above for above in folder.parents if above.is_dir()), None)
    near = f"; {known} is there" if known and known != known.parent else ""
    return f"check the spelling and that the drive is mounted{near}"


def _begin(act: Callable[[], T]) -> Future[T]:
    """Run it on a daemon thread, which the exit of the process does not wait for."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(act())
        except BaseException as exc:  # noqa: BLE001 - raised to whoever asks for the result
            answer.set_exception(exc)

    threading.Thread(target=run, name="look at a folder", daemon=True).start()
    return answer
