"""Tries again what the journal cannot do now, and lets commands know why a daemon waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from ..core.waits import delay_s
from ..errors import JournalError
from .trouble import Trouble, TroubleFile

WAIT_MAX_S: Final = 30.0
OPENING: Final = "it opens its journal; if another program has it open, that takes longer"

T = TypeVar("T")
log = structlog.get_logger()


class Patience:
    """Tries something again until it works; safe to share between threads.

    `alive` is called while waiting, so that a service manager sees that the process is well.
    """

    def __init__(self, trouble: TroubleFile, *, is_patient: bool = True) -> None:
        """`is_patient` False: raise the first error, for commands that somebody waits for."""
        self._trouble = trouble
        self.is_patient = is_patient
        self._stopping = threading.Event()
        self._told = ""
        self._start: Trouble | None = None  # while it starts
        self.alive: Callable[[], None] = lambda: None

    def begin(self) -> None:
        """Let status say that the daemon starts: the heartbeat there is by the one before."""
        self._start = Trouble(OPENING, time.time(), is_start=True)
        self._trouble.write(self._start)

    def begun(self) -> None:
        """Note that the first heartbeat is written."""
        self._start = None
        self._trouble.write(None)

    def stop(self) -> None:
        """Let whoever waits give up."""
        self._stopping.set()

    def call(self, act: Callable[[], T], *, needs_person: bool = False) -> T:
        """Return what `act` returns, once it does. Raises JournalError if waiting is no use.

        `needs_person`: wait also for what only a person mends, since ending helps no more.
        """
        attempts = 0
        while True:
            try:
                result = act()
            except JournalError as exc:
                attempts += 1
                if not (self.is_patient and (exc.may_pass or needs_person)):
                    raise
                self._tell(exc)
                self.alive()
                if self._stopping.wait(delay_s(attempts, 0.0, cap_s=WAIT_MAX_S)):
                    raise
            else:
                if self._told:
                    self._recovered()
                return result

    def _tell(self, exc: JournalError) -> None:
        reason = exc.with_hint
        if reason != self._told:
            log.error("journal.unusable", reason=reason)
            self._trouble.write(Trouble(reason, time.time()))
            self._told = reason

    def _recovered(self) -> None:
        log.info("journal.usable")
        self._trouble.write(self._start)
        self._told = ""
