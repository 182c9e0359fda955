"""A copy of the daemon's journal as of an earlier rest, which may be put back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KeptJournal:
    """The journal and where its copy lies."""

    journal: Path
    copy: Path

    @property
    def is_there(self) -> bool:
        """Return whether a copy was kept yet."""
        return self.copy.is_file()

    def keep(self) -> None:
        """Copy the journal as it is now; a daemon may be writing it."""
        with (
            closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as held,
            closing(sqlite3.connect(self.copy)) as copy,
        ):
            held.backup(copy)

    def put_back(self) -> None:
        """Put the copy in the journal's place, as a restored backup; no daemon may run."""
        for part in self.journal.parent.glob(f"{self.journal.name}*"):
            part.unlink()
        shutil.copy(self.copy, self.journal)
