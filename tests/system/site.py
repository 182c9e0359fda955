# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""One office on this machine: its drive, its configuration, and what its journal says."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twinsyncd.config import load, sources_of
from twinsyncd.core.model import FileKey, FileRow
from twinsyncd.errors import JournalError
from twinsyncd.journal.database import open_read_only
from twinsyncd.journal.reader import JournalReader
from twinsyncd.journal.views import Counts, Status, Views, total_counts

from . import programs
from .programs import DaemonProgram, Program

QUICK: Final = """
settle = "0.3s"
settle_by_format = { ifc = "0.3s" }
batch_quiet = "0.5s"
"""
_SOME_FOLDER: Final = 'folder = "/path/to/your/design/files"'


@dataclass(frozen=True)
class Site:
    """An office whose platform is the localtwin of this process."""

    folder: Path
    platform: Program

    @property
    def drive(self) -> Path:
        """The shared drive."""
        return self.folder / "drive"

    @property
    def config(self) -> Path:
        """The daemon's configuration."""
        return self.folder / "twinsyncd.toml"

    @property
    def journal(self) -> Path:
        """Where the journal lies, once there is one."""
        return self.folder / "state" / "journal.sqlite"

    def save(self, path: str, content: bytes) -> Path:
        """Save a file on the drive as careful programs do: beside it, then by renaming."""
        file = self.drive / path
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"~{file.name}.tmp")
        draft.write_bytes(content)
        return draft.replace(file)

    def call(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command with the site's configuration to its end."""
        return programs.call(command, "--config", str(self.config), *arguments)

    def call_without_rights(
        self, command: str, *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one command as an account for which the modes of files hold."""
        given = ("--config", str(self.config), *arguments)
        return programs.call(command, *given, prefix=programs.mortal())

    @contextmanager
    def daemon(self, name: str = "daemon") -> Iterator[DaemonProgram]:
        """Yield the site's daemon, started."""
        with programs.daemon(self.config, self.folder / f"{name}.out") as started:
            yield started

    def status(self) -> Status | None:
        """Return what the journal says; None while there is none."""
        try:
            views = Views(self.journal)
        except JournalError:
            return None
        seen = views.status()
        views.close()
        return seen

    def counts(self) -> Counts:
        """Return how many files stand where."""
        seen = self.status()
        return total_counts(seen.counts) if seen else Counts("")

    def row(self, path: str) -> FileRow:
        """Return what the journal knows of one file; an empty row while it knows nothing."""
        connection, source = next(sources_of(load(self.config, {})))
        key = FileKey(connection.key_of(source), path)
        if self.status() is None:
            return FileRow(key)
        engine = open_read_only(self.journal)
        row = JournalReader(engine).get(key)
        engine.dispose()
        return row or FileRow(key)

    def is_synced(self, files: int) -> bool:
        """Return whether that many files are known, and all of them are synced."""
        counts = self.counts()
        return counts.known == counts.synced == files


@contextmanager
def open_site(folder: Path, connection: str = QUICK, *options: str) -> Iterator[Site]:
    """Yield a site with an empty drive.

    `connection`: further keys of its connection; `options`: of its localtwin.
    """
    drive = folder / "drive"
    drive.mkdir(parents=True)
    with programs.localtwin(folder / "localtwin", *options) as (platform, printed):
        site = Site(folder, platform)
        site.config.touch(mode=0o600)
        site.config.write_text(_completed(printed, drive, folder / "state", connection), "utf-8")
        yield site


def _completed(printed: str, drive: Path, state: Path, connection: str) -> str:
    """Return the configuration that localtwin printed, pasted and filled in."""
    daemon = f'[daemon]\nstate_folder = "{state}"\nlog_format = "json"\n\n'
    source = "  [[connection.source]]"
    assert printed.count(source) == printed.count(_SOME_FOLDER) == 1, printed
    own = printed.replace(_SOME_FOLDER, f'folder = "{drive}"')
    return daemon + own.replace(source, f"{connection.strip()}\n\n{source}")
