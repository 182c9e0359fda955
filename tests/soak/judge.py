"""At rest everything must be equal: the drive, the journal, Storage and the iModel.

And over all time: no content was committed that no file ever had whole, no run was active beside
another, no run was started for nothing.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from localtwin.connectors.source import ConnectorError
from localtwin.ids import split_pair
from localtwin.imodel.report import SourceOrder
from localtwin.imodel.verify import differences

from .drive import Drive
from .platform import Platform, RunSeen, StoredFile
from .programs import Place
from .proxy import Commit

CONNECTORS = {"ifc": "IFC", "dxf": "DWG"}
BACKLOG_S = 0.3  # a request outlives who sent it, and may wait before it is read
CLOCKS_S = 0.05  # the proxy notes a commit a little later than localtwin makes it


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise, and what to look at."""

    kind: str  # lost, torn, superfluous, double, disturbed
    about: str
    detail: str


@dataclass(frozen=True, slots=True)
class Row:
    """What the journal says of one file; `path` begins with the source's folder."""

    path: str
    seen: str
    stored: str
    synced: str
    item: str
    note: str  # why it was set aside or cannot be read


def read_journal(file: Path) -> dict[str, Row]:
    """Return the journal's files by path."""
    query = (
        "SELECT source, path, seen, stored, synced, storage_id, aside || unread"
        " FROM files ORDER BY 1, 2"
    )
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        rows = database.execute(query).fetchall()
    found = {}
    for source, path, seen, stored, synced, item, note in rows:
        whole = f"{source.rpartition('/')[2]}/{path}"
        found[whole] = Row(whole, seen, stored, synced, item, note)
    return found


def given_up(journal: Path, paths: Iterable[str]) -> Iterator[Violation]:
    """Yield the files that count as gone although only their drive is away."""
    rows = read_journal(journal)
    for path in paths:
        row = rows.get(path)
        if row is not None and not (row.seen or row.note):
            yield Violation("lost", path, "it counts as gone while its drive is away")


def work_under_way(journal: Path) -> list[str]:
    """Return what the daemon is at by its journal: "upload", and the phase of its lane."""
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
        try:
            phases = [str(phase) for (phase,) in database.execute("SELECT phase FROM lanes")]
            (doubts,) = database.execute("SELECT count(*) FROM files WHERE stored = '?'").fetchone()
        except sqlite3.OperationalError:  # not begun yet
            return []
    return phases + ["upload"] * bool(doubts)


@dataclass(slots=True)
class Judge:
    """Compares; remembers which contents of the iModel it has proved already."""

    place: Place
    drive: Drive
    platform: Platform
    _scratch: Path = field(init=False)

    def __post_init__(self) -> None:
        self._scratch = self.place.folder / "compared"

    def is_idle(self) -> Iterator[Violation]:
        """Yield everything that is not equal now."""
        journal = read_journal(self.place.journal)
        stored = list(self.platform.files())
        there = self.drive.paths()
        for path in there:
            yield from self._journal(path, journal.get(path))
        for path in sorted({*there, *(file.path for file in stored)}):
            items = [file for file in stored if file.path == path]
            if len(items) != 1:
                yield Violation("lost", path, f"Storage holds it {len(items)} times")
            for file in items:
                yield from self._content(file, journal.get(path))

    def _journal(self, path: str, row: Row | None) -> Iterator[Violation]:
        digest = self.drive.digest(path)
        if row is None:
            yield Violation("lost", path, "the journal does not know it")
        elif {row.seen, row.stored, row.synced} != {digest}:
            yield Violation("lost", path, f"the drive has {digest[:12]}, the journal says {row}")

    def _content(self, stored: StoredFile, row: Row | None) -> Iterator[Violation]:
        """Compare what Storage and the iModel hold of one file; a deleted one keeps its last."""
        data = self.platform.content(stored.item)
        digest, expected = hashlib.sha256(data).hexdigest(), self.drive.digest(stored.path)
        if digest not in self.drive.ever[stored.path]:
            yield Violation("torn", stored.path, f"Storage has {digest[:12]}, which never was")
        if expected and digest != expected:
            yield Violation("lost", stored.path, f"Storage has {digest[:12]}, not {expected[:12]}")
        if expected and row is not None and row.item != stored.item:
            yield Violation("lost", stored.path, "the journal names another item of Storage")
        yield from self._imodel(stored, data)

    def _imodel(self, stored: StoredFile, data: bytes) -> Iterator[Violation]:
        """Compare element by element with what a fresh reading of the content says."""
        self._scratch.write_bytes(data)
        connector = CONNECTORS[stored.path.rpartition(".")[2]]
        order = SourceOrder(stored.item, stored.path, self._scratch, connector)
        try:
            found = list(differences(self.place.imodel, order))
        except ConnectorError as exc:
            yield Violation("torn", stored.path, f"it cannot be read: {exc.message}")
            return
        if found:
            yield Violation("lost", stored.path, f"the iModel differs: {found[:3]}")


def torn(commits: Iterable[Commit], drive: Drive) -> Iterator[Violation]:
    """Yield the commits of what no file ever was."""
    whole = set().union(*drive.ever.values())
    for commit in commits:
        if commit.digest not in whole:
            yield Violation("torn", commit.blob, f"{commit.digest[:12]} was committed, never whole")


def double(runs: Iterable[RunSeen]) -> Iterator[Violation]:
    """Yield the runs, in the order they started, that began while another was active."""
    last: RunSeen | None = None
    for run in runs:
        if last is not None and run.started_s < last.ended_s:
            yield Violation("double", run.id, f"it began while {last.id} was active")
        last = run if last is None or run.ended_s > last.ended_s else last


def disturbed(runs: Iterable[RunSeen], commits: Iterable[Commit]) -> Iterator[Violation]:
    """Yield the commits to source files of a run of ours while it was active."""
    uploads = list(commits)
    for run in runs:
        for commit in uploads:
            began = run.started_s + CLOCKS_S < commit.at_s
            if began and commit.at_s < run.ended_s and commit.blob in _blobs(run):
                yield Violation("disturbed", commit.blob, f"it was replaced during run {run.id}")


def superfluous(
    runs: Iterable[RunSeen], commits: Iterable[Commit], excused_s: Iterable[float]
) -> Iterator[tuple[RunSeen, bool]]:
    """Yield the runs that wrote nothing although Storage had nothing new, and if that is excused.

    Excused is a run when an answer was lost, or a program killed, since the one before began.
    `runs` in the order they started.
    """
    excuses, uploads = sorted(excused_s), list(commits)
    before: dict[str, RunSeen] = {}
    for run in runs:
        last = before.get(run.connection)
        before[run.connection] = run
        if last is None or not run.wrote_nothing:
            continue
        if _contents(run, uploads) == _contents(last, uploads):
            yield run, any(last.started_s <= moment_s <= run.started_s for moment_s in excuses)


def repeated(commits: Iterable[Commit], excused_s: Iterable[float]) -> Iterator[Violation]:
    """Yield the commits of what the blob held already, in the order they were made.

    Excused is what followed a lost answer, or the kill of a program.
    """
    excuses = sorted(excused_s)
    before: dict[str, Commit] = {}
    for commit in commits:
        last = before.get(commit.blob)
        before[commit.blob] = commit
        if last is None or last.digest != commit.digest:
            continue
        began_s = min(last.asked_s, last.at_s) - BACKLOG_S
        if not any(began_s <= moment_s <= commit.at_s for moment_s in excuses):
            yield Violation("superfluous", commit.blob, f"{commit.digest[:12]} was sent twice")


def _contents(run: RunSeen, commits: Iterable[Commit]) -> dict[str, str]:
    """Return the digests that the run's files had in Storage when it started."""
    blobs = _blobs(run)
    return {
        commit.blob: commit.digest
        for commit in commits
        if commit.blob in blobs and commit.at_s <= run.started_s + CLOCKS_S
    }


def _blobs(run: RunSeen) -> set[str]:
    """Return the blobs of the run's source files."""
    return {pair[1] for item in run.outcomes if (pair := split_pair(item))}
