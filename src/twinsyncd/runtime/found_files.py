"""What a verification found on the drive, in the journal and in the cloud, before any verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ..core.facts import Difference
from ..core.model import FileKey, FileRow, Fingerprint, SourceKey
from ..core.results import RunFile


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What the journal has of a file: its row, and what the newest run proved of it."""

    row: FileRow | None = None
    evidence: RunFile | None = None


@dataclass(slots=True)
class Drive:
    """What was found on the drive: files, and what could not be read, with reasons."""

    looks: dict[FileKey, Fingerprint] = field(default_factory=dict)
    blind: dict[FileKey, str] = field(default_factory=dict)
    offline: dict[SourceKey, str] = field(default_factory=dict)
    left_out: dict[FileKey, str] = field(default_factory=dict)  # there; why it is not taken
    missed_s: dict[FileKey, float] = field(default_factory=dict)  # since when (wall clock [s])

    def unread(self, key: FileKey) -> str:
        """Return why the file, or a folder that it is in, could not be read; "" if it was."""
        if key.source in self.offline or key in self.looks:
            return self.offline.get(key.source, "")
        folders = PurePosixPath(key.path).parents
        places = (key, *(FileKey(key.source, str(folder)) for folder in folders))
        return next((self.blind[place] for place in places if place in self.blind), "")


@dataclass(frozen=True, slots=True)
class Cloud:
    """What was found in the service.

    `problem`: why nothing is known of Storage and the connection; "" if it is. `changesets`: ids of
    the newest; `all_changesets`: there are no others; `written_by`: those that each task wrote.
    """

    differences: Mapping[FileKey, list[Difference]]
    problem: str
    changesets: frozenset[str]
    all_changesets: bool
    written_by: Mapping[str, str] = field(default_factory=dict)
