"""An office at the command line: a drive, a configuration, a journal, and what is printed."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from filelock import FileLock

from twinsyncd.cli import main
from twinsyncd.core.decision import Decision
from twinsyncd.core.model import (
    ConnectionKey,
    ConnectionRow,
    LaneKey,
    LaneRow,
    SourceKey,
)
from twinsyncd.core.progress import Heartbeat, UnsettledFile
from twinsyncd.journal import requests
from twinsyncd.journal.database import open_database
from twinsyncd.journal.writer import Journal

CAD = "Bridge 12/cad"
IMODEL = str(uuid4())  # of this process: one daemon of the machine serves an iModel
CONFIG = f"""[auth]
client_id = "service-abc"

[daemon]
state_folder = "state"

[[connection]]
name = "Bridge 12"
itwin_id = "0a1b2c3d-1111-4222-8333-444455556666"
imodel_id = "{IMODEL}"

  [[connection.source]]
  folder = "cad"
  references = ["xref/**"]
"""


@dataclass
class Printed:
    """How a command ended."""

    code: object  # as the process would end with
    out: str
    err: str


class Office:
    """A folder with `twinsyncd.toml`, the drive `cad`, and `state` once something began."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.drive = folder / "cad"
        self.drive.mkdir()
        self.state = folder / "state"
        self.config = folder / "twinsyncd.toml"
        self.configure(CONFIG)
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.chdir(folder)
        monkeypatch.delenv("TWINSYNCD_CONFIG", raising=False)
        monkeypatch.setenv("TWINSYNCD_AUTH__CLIENT_SECRET", "hunter2")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "nowhere"))
        monkeypatch.setenv("COLUMNS", "300")

    def configure(self, text: str) -> None:
        """Write the configuration."""
        self.config.write_text(text, "utf-8")

    def save(self, path: str, content: bytes = b"drawing") -> Path:
        """Save a file on the drive."""
        file = self.drive / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def remember(
        self,
        *steps: Decision,
        unsettled: int = 0,
        unsettled_files: Sequence[UnsettledFile] = (),
        compared_s: float = 1_700_000_000.0,
        beat_s: float = 1_700_000_060.0,
        unlisted: Sequence[SourceKey] = (),
    ) -> None:
        """Let a daemon have lived, remembered this, and ended; files were still being written."""
        compared = ConnectionRow(ConnectionKey("Bridge 12"), "c1", compared_s)
        journal = Journal(open_database(self.state / "journal.sqlite"))
        journal.register("1.0", 1_700_000_000.0)
        for step in (Decision(connections=(compared,)), *steps):
            journal.commit(step)
        files, sources = tuple(unsettled_files), tuple(unlisted)
        journal.beat(beat_s, Heartbeat(not unsettled, unsettled, files, unlisted=sources))
        journal.close()

    @contextmanager
    def daemon_runs(self) -> Iterator[None]:
        """Let a daemon hold the journal, whose last heartbeat is what `remember` says."""
        with FileLock(self.state / "twinsyncd.lock"):
            yield

    def asked(self) -> list[tuple[str, str]]:
        """Return what people have asked of the daemon and nobody has taken up."""
        engine = open_database(self.state / "journal.sqlite")
        asked = [(each.kind, each.argument) for each in requests.open_requests(engine)]
        engine.dispose()
        return asked

    def halts_once_asked(self, reason: str) -> None:
        """Be a daemon that handles the first request it gets, and whose lane then halts."""
        self.answers_once_asked(LaneRow(LaneKey(IMODEL), halt=reason))

    def answers_once_asked(self, lane: LaneRow) -> None:
        """Be a daemon that handles the first request it gets, and whose lane is then so."""
        journal = Journal(open_database(self.state / "journal.sqlite"))
        journal.register("1.0", time.time())
        while not (waiting := journal.open_requests()):
            journal.beat(time.time(), Heartbeat(is_idle=True, unsettled=0))
        decided = Decision(lanes=(lane,))
        journal.commit(decided, [each.number for each in waiting], time.time())
        journal.beat(time.time(), Heartbeat(is_idle=False, unsettled=0))
        journal.close()

    def types(self, *words: str) -> Printed:
        """Run a command as a person does, and return what came of it."""
        self._monkeypatch.setattr(sys, "argv", ["twinsyncd", *words])
        code: object = 0
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        try:
            main()
        except SystemExit as done:
            code = done.code
        finally:
            structlog.reset_defaults()  # a command sets up the logs of its process, which is ours
            root.handlers[:] = handlers
            root.setLevel(level)
        out, err = self._capsys.readouterr()
        return Printed(code, out, err)
