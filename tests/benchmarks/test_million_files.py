# mypy: disable-error-code="arg-type"
# Keys, ids and digests are written as plain text here.
"""A drive of a million files: what a scan of all costs, and one of a few folders among them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import pytest
from watchdog.utils.dirsnapshot import DirectorySnapshot

from twinsyncd.config import Config, load, sources_of
from twinsyncd.core.commands import Scan
from twinsyncd.core.decision import Decision
from twinsyncd.core.facts import Scanned
from twinsyncd.core.model import FileKey, FileRow
from twinsyncd.disk.folder import Folder
from twinsyncd.disk.look import fingerprint_of
from twinsyncd.disk.tree import Tree
from twinsyncd.journal.database import open_database
from twinsyncd.journal.writer import Journal

from .drives import BATCH, DIGEST, fill
from .figures import Stopwatch
from .table import Row, record

pytestmark = pytest.mark.bench

FOLDERS: Final = 10_000
FILES_EACH: Final = 100
CHOSEN: Final = 20  # folders that match
CHOSEN_EACH: Final = 50
RATIO: Final = 1.5  # of os.scandir with stat, in the same run
FEW_RATIO: Final = 1 / 20  # of find over everything
TIMES: Final = 3
ALL: Final = "All"
FEW: Final = "Few"
CONFIG: Final = """
[platform]
api_url = "http://127.0.0.1:9"
issuer_url = "http://127.0.0.1:9"

[auth]
client_id = "service-million"
client_secret = "not asked for"

[[connection]]
name = "All"
itwin_id = "0a1b2c3d-1111-4222-8333-444455556666"
imodel_id = "1b2c3d4e-1111-4222-8333-000000000001"

  [[connection.source]]
  folder = "drive"
  include = ["**/*.{dxf,ifc}"]

[[connection]]
name = "Few"
itwin_id = "0a1b2c3d-1111-4222-8333-444455556666"
imodel_id = "1b2c3d4e-1111-4222-8333-000000000002"

  [[connection.source]]
  folder = "drive"
  include = ["chosen/**/*.{dxf,ifc}"]
"""


@dataclass(frozen=True)
class Office:
    """A drive of a million files, and the journal that knows each of them."""

    drive: Path
    journal: Journal
    config: Config

    def folder(self, name: str) -> Folder:
        """Return the drive as the source of that connection."""
        for connection, source in sources_of(self.config):
            if connection.name == name:
                key = connection.key_of(source)
                return Folder(key, Tree(source.folder), source.matcher(), self.journal)
        raise LookupError(name)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """All files as they were when a scan last saw them."""
    folder = tmp_path_factory.mktemp("million")
    drive = folder / "drive"
    fill(drive, FOLDERS, FILES_EACH)
    fill(drive / "chosen", CHOSEN, CHOSEN_EACH)
    file = folder / "twinsyncd.toml"
    file.touch(mode=0o600)
    file.write_text(CONFIG, "utf-8")
    journal = Journal(open_database(folder / "journal.sqlite"))
    opened = Office(drive, journal, load(file, {}))
    known = {opened.folder(ALL).source: drive, opened.folder(FEW).source: drive / "chosen"}
    rows = (_row(key, drive, file) for key, below in known.items() for file in _files(below))
    while part := tuple(islice(rows, BATCH)):
        journal.commit(Decision(files=part))
    yield opened
    journal.close()
    shutil.rmtree(drive)


def _row(source: str, drive: Path, file: os.DirEntry[str]) -> FileRow:
    return FileRow(
        FileKey(source, file.path[len(str(drive)) + 1 :]),
        fingerprint_of(file.stat()),
        seen=DIGEST,
        stored=DIGEST,
        synced=DIGEST,
        in_connection=True,
    )


def test_a_scan_of_a_million_files_is_about_as_quick_as_listing(office: Office) -> None:
    """Where nothing reports changes the scan is all there is."""
    folder, first = office.folder(ALL), Stopwatch()
    with first.timing():
        assert _known(folder) == FOLDERS * FILES_EACH + CHOSEN * CHOSEN_EACH
    ours, peers = _timed(lambda: _known(folder), office.drive)
    ratio = ours / peers["scandir and stat"]

    record(
        Row(
            "scan of 1,000,000 files, nothing changed",
            f"{ours:.2f} s ({first.took_s:.2f} s after a start)",
            _named(peers),
            ratio=f"{ratio:.2f} of scandir and stat",
            target=f"<= {RATIO}",
            is_met=ratio <= RATIO,
        )
    )


def test_few_folders_of_a_million_files_cost_little(office: Office) -> None:
    """A project is a few folders of the office's drive; the others must cost nothing."""
    folder = office.folder(FEW)
    assert _known(folder) == CHOSEN * CHOSEN_EACH
    ours, peers = _timed(lambda: _known(folder), office.drive)
    ratio = ours / peers["find"] if "find" in peers else None

    record(
        Row(
            "1,000 of 1,000,000 files, in 20 folders, nothing changed",
            f"{ours * 1e3:.1f} ms",
            _named(peers),
            ratio="" if ratio is None else f"{ratio:.4f} of find",
            target=f"<= {FEW_RATIO:g}",
            is_met=None if ratio is None else ratio <= FEW_RATIO,
        )
    )


def _known(folder: Folder) -> int:
    """Scan; return how many files are remembered, none of which has changed."""
    (fact,) = folder.scan(Scan(folder.source, ""))
    assert isinstance(fact, Scanned)
    assert fact.missing == ()
    return fact.known


def _timed(scan: Callable[[], int], drive: Path) -> tuple[float, dict[str, float]]:
    """Return how long a scan takes, and each peer that is there [s]: the best of some in turn."""
    ours = Stopwatch()
    peers = {name: (Stopwatch(), act) for name, act in _peers(drive).items()}
    for _ in range(TIMES):
        with ours.timing():
            scan()
        for watch, act in peers.values():
            with watch.timing():
                act()
    return ours.took_s, {name: watch.took_s for name, (watch, _) in peers.items()}


def _peers(drive: Path) -> dict[str, Callable[[], object]]:
    found: dict[str, Callable[[], object]] = {
        "scandir and stat": lambda: _look_at_all(drive),
        "watchdog's snapshot": lambda: DirectorySnapshot(str(drive)),
    }
    if find := shutil.which("find"):
        newer = [find, str(drive), "-type", "f", "-newermt", "2100-01-01"]
        found["find"] = lambda: subprocess.run(newer, check=True)
    if rclone := shutil.which("rclone"):
        size = [rclone, "size", str(drive)]
        found["rclone size"] = lambda: subprocess.run(size, check=True, capture_output=True)
    return found


def _look_at_all(drive: Path) -> None:
    for file in _files(drive):
        file.stat()


def _named(peers: dict[str, float]) -> dict[str, str]:
    return {"find": "absent", "rclone size": "absent"} | {
        name: f"{took_s:.2f} s" for name, took_s in peers.items()
    }


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    below = [str(folder)]
    while below:
        with suppress(FileNotFoundError), os.scandir(below.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                else:
                    yield entry
