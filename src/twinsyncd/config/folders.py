"""Looks at the configured folders without waiting for a share that does not answer.

Whatever touches a folder runs on a daemon thread: a server that is gone blocks it for minutes, and
a command must say so within seconds.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from .windows_paths import advice_for

ANSWER_S: Final = 5.0  # a disk that spins up answers within this
NO_ANSWER: Final = "does not answer"
LOOKS: Final = 8  # at once, as long as the drives answer
STALLED_S: Final = 0.05  # without an answer, more folders are looked at: their drives may answer
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


def is_silent(reason: Reason) -> bool:
    """Return whether the folder may well be right, and only its server does not answer now."""
    return reason[0].endswith(NO_ANSWER)


def find_unreachable(
    folders: Iterable[Path],
    *,
    look: Callable[[Path], Reason | None] = unreachable,
    answer_s: float = ANSWER_S,
) -> dict[Path, Reason]:
    """Return the folders that cannot be listed, or do not answer within `answer_s` [s]."""
    fix = "check that its server is up and the drive is mounted"
    answers = {folder: Future[Reason | None]() for folder in dict.fromkeys(folders)}
    _look_at_all(answers, look, time.monotonic() + answer_s)
    reasons = {
        folder: answer.result() if answer.done() else (f"{folder} {NO_ANSWER}", fix)
        for folder, answer in answers.items()
    }
    return {folder: reason for folder, reason in reasons.items() if reason}


def _look_at_all(
    answers: Mapping[Path, Future[Reason | None]],
    look: Callable[[Path], Reason | None],
    until_s: float,
) -> None:
    """Look at every folder on a few threads, and on twice as many whenever none of them goes on."""
    left = deque(answers.items())

    def run() -> None:
        with suppress(IndexError):  # another thread took the last one
            while True:
                folder, answer = left.popleft()
                _answer(answer, partial(look, folder))

    threads, waiting = LOOKS, len(left)
    while left and time.monotonic() < until_s:
        if len(left) == waiting:  # at the start, or nobody has begun another one
            for _ in range(min(threads, len(left))):
                _start(run)
            threads *= 2
        waiting = len(left)
        _wait(answers, min(until_s, time.monotonic() + STALLED_S))
    _wait(answers, until_s)


def _wait(answers: Mapping[Path, Future[Reason | None]], until_s: float) -> None:
    wait(answers.values(), max(until_s - time.monotonic(), 0.0))


def within(act: Callable[[], T], patience_s: float, default: T) -> T:
    """Return what `act` returns, or the default if it takes longer than `patience_s` [s]."""
    answer = _begin(act)
    wait([answer], patience_s)
    return answer.result() if answer.done() else default


def _where_else(folder: Path) -> str:
    if os.name == "posix" and str(folder).startswith("//"):
        return advice_for(str(folder))
    if os.name == "posix" and (letter := _LETTER.search(str(folder))):
        return advice_for(f"{letter[1]}:")
    known = next((above for above in folder.parents if above.is_dir()), None)
    near = f"; {known} is there" if known and known != known.parent else ""
    return f"check the spelling and that the drive is mounted{near}"


def _begin(act: Callable[[], T]) -> Future[T]:
    """Run it on a daemon thread, which the exit of the process does not wait for."""
    answer: Future[T] = Future()
    _start(partial(_answer, answer, act))
    return answer


def _answer(answer: Future[T], act: Callable[[], T]) -> None:
    try:
        answer.set_result(act())
    except BaseException as exc:  # noqa: BLE001 - raised to whoever asks for the result
        answer.set_exception(exc)


def _start(act: Callable[[], None]) -> None:
    threading.Thread(target=act, name="look at a folder", daemon=True).start()
