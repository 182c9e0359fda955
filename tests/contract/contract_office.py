# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""One configured connection, driven command by command as the engine would."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from twinsyncd.cloud.session import Cloud
from twinsyncd.connectors import connectors_for
from twinsyncd.core import commands, facts
from twinsyncd.core.model import (
    FileKey,
    Fingerprint,
)
from twinsyncd.core.results import Outcome
from twinsyncd.targets.run_reports import RunReports
from twinsyncd.targets.storage.connection import StorageConnection
from twinsyncd.targets.storage.settings import StorageConnectionSettings
from twinsyncd.targets.storage.tree import StorageTree

LOOKS_MAX = 600
"""Half a minute of looks at a run; a run of these small files takes about a second."""


@dataclass(frozen=True)
class Whole:
    """Content in memory that never moves."""

    data: bytes

    @property
    def size_bytes(self) -> int:
        """Its length."""
        return len(self.data)

    def chunks(self, size_bytes: int) -> Iterator[bytes]:
        """Yield the pieces."""
        for start in range(0, len(self.data), size_bytes):
            yield self.data[start : start + size_bytes]

    def verify(self) -> None:
        """Always as settled."""

    def note_sent(self, size_bytes: int) -> None:
        """Show nobody how far it is."""


@dataclass
class Office:
    """One configured connection on a fresh iModel, driven like the engine would."""

    cloud: Cloud
    itwin_id: str
    imodel_id: str
    name: str = "Bridge 12"
    remote_id: str = ""
    items: dict[FileKey, str] = field(default_factory=dict)
    authentication: Literal["Service", "User"] = "Service"
    connection_id: str = ""
    run_settings: dict[str, bool | int | float] = field(default_factory=dict)
    reports_folder: Path | None = None

    def __post_init__(self) -> None:
        settings = StorageConnectionSettings(
            connection=self.name,
            display_name=self.name,
            itwin_id=self.itwin_id,
            imodel_id=self.imodel_id,
            folder_of=self._folder_of,
            connector_of=lambda key: connectors_for(key.path)[0],
            authentication=self.authentication,
            connection_id=self.connection_id,
            run_settings=self.run_settings,
        )
        reports = None
        if self.reports_folder is not None:
            reports = RunReports(self.cloud.reports, self.reports_folder)
        tree = StorageTree(self.cloud.platform, self.itwin_id)
        self.target = StorageConnection(
            self.cloud.platform,
            self.cloud.blobs,
            self.cloud.reader,
            tree,
            settings,
            reports=reports,
        )

    def _folder_of(self, key: FileKey) -> str:
        folder = key.path.rpartition("/")[0]
        return "/".join(part for part in (self.imodel_id, key.source, folder) if part)

    def place(self, path: str, storage_id: str) -> facts.Placed:
        """Rename a stored file, and move it, to where this path belongs."""
        return self.target.place(commands.Place(FileKey("cad", path), self.name, storage_id))

    def store(self, path: str, data: bytes) -> str:
        """Store content and return its id."""
        key = FileKey("cad", path)
        command = commands.Store(
            key, self.name, "digest", Fingerprint(len(data), 1), self.items.get(key, "")
        )
        stored = self.target.store(command, Whole(data), lambda _: None)
        self.items[key] = stored.storage_id
        return stored.storage_id

    def prepare(self) -> facts.Prepared:
        """Prepare the connection with everything stored."""
        files = tuple(
            commands.ExpectedFile(key, storage_id) for key, storage_id in self.items.items()
        )
        prepared = self.target.prepare(commands.Prepare(self.name, self.remote_id, files))
        self.remote_id = prepared.remote_id
        return prepared

    def start(self) -> facts.RunStarted | facts.RunRefused | facts.StartClashed:
        """Ask for a run."""
        return self.target.start_run(commands.StartRun(self.name, self.remote_id))

    def look(self, run: str) -> facts.RunSeen:
        """Look once at a run."""
        return self.target.look_at_run(commands.LookAtRun(self.name, run))

    def wait(self, run: str) -> facts.RunSeen:
        """Look at the run until it has ended."""
        pause = threading.Event()
        for _ in range(LOOKS_MAX):
            seen = self.look(run)
            if seen.outcome is not Outcome.ACTIVE:
                return seen
            pause.wait(0.05)
        raise AssertionError("the run does not end")

    def run(self) -> facts.RunSeen:
        """Prepare, start and wait."""
        self.prepare()
        started = self.start()
        assert isinstance(started, facts.RunStarted)
        return self.wait(started.run)
