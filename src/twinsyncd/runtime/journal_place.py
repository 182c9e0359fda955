"""Notices that the journal's file was deleted or replaced while the daemon has it open.

A database that is open outlives its file's name: the daemon would go on for months with a memory
that ends with it, while every command reads another file, or none.
"""

from __future__ import annotations

import threading
from pathlib import Path

import structlog

from ..errors import JournalError, JournalGone
from ..journal.log_files import delete_log, holds_a_journal, log_of
from ..journal.writer import Journal

log = structlog.get_logger()


class JournalPlace:
    """The file that a journal was opened in; for any thread."""

    def __init__(self, file: Path) -> None:
        """Note which file is there now."""
        self._file = file
        self._opened = identity_of(file)
        self._log = identity_of(log_of(file))
        self._checking = threading.Lock()

    def check(self, journal: Journal) -> None:
        """Raise JournalGone if the file is another one now; first put back one that is gone.

        Raises another JournalError if it cannot be put back yet.
        """
        if identity_of(self._file) != self._opened:
            with self._checking:  # two threads would put it back twice
                self._reopen(journal)

    def _reopen(self, journal: Journal) -> None:
        if holds_a_journal(self._file):
            self._drop_former_log()
            log.error("journal.replaced", file=str(self._file), goes_on="with the new one")
            raise JournalGone(
                f"another file lies in the place of the journal {self._file}",
                hint="it is read anew",
            )
        is_whole = self._put_back(journal)
        goes_on = "as it was, put back" if is_whole else "with an empty one"
        log.error("journal.deleted", file=str(self._file), goes_on=goes_on)
        raise JournalGone(
            f"the journal {self._file} was deleted while it was in use",
            hint="find out who deletes it; this program goes on by itself",
        )

    def _drop_former_log(self) -> None:
        """Delete what the former file left beside it: SQLite would read it into the new one."""
        if identity_of(log_of(self._file)) == self._log:
            delete_log(self._file)

    def _put_back(self, journal: Journal) -> bool:
        """Return whether the journal is in its place again; False: it was damaged."""
        try:
            journal.put_back(self._file)
        except JournalError as exc:
            if exc.may_pass:
                raise
            return False
        return True


def identity_of(file: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of its name; None if it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
