"""Finds out what a sync would do now; changes nothing."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import assert_never

from ..config import Config, sources_of
from ..core.commands import Scan
from ..core.facts import FilesFound, ScanFailed, Scanned
from ..core.model import ConnectionKey, FileKey, FileRow, Need, SourceKey, need
from ..disk.protocols import Known
from ..errors import DiskError
from ..journal.database import journal_exists, open_read_only
from ..journal.reader import JournalReader
from .setup_check.known import NothingKnown
from .share_folder import ShareFolder
from .state import journal_of
from .wiring import open_folder


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file and what a sync would do with it."""

    connection: ConnectionKey
    source: SourceKey
    path: str  # "": the source as a whole
    what: str  # "upload", "replace", "run only", "nothing" or "wait"
    reason: str
    size_bytes: int = 0
    is_unseen: bool = False  # nothing is known of what it holds, or matches


def plan_dry_run(config: Config) -> Iterator[PlannedFile]:
    """Yield what would be done, file by file; compares with the journal if there is one."""
    where = journal_of(config)
    if not journal_exists(where):
        yield from _dry_run(config, NothingKnown(), None)
        return
    engine = open_read_only(where)
    try:
        remembered = JournalReader(engine)
        yield from _dry_run(config, remembered, remembered)
    finally:
        engine.dispose()


def _dry_run(config: Config, known: Known, memory: JournalReader | None) -> Iterator[PlannedFile]:
    for connection, source in sources_of(config):
        key = connection.key_of(source)
        folder = open_folder(config, key, source, known)
        reported: set[str] = set()
        for fact in folder.scan(Scan(key, "")):
            match fact:
                case FilesFound(_, files):
                    reported.update(path for path, _ in files)
                    for path, look in files:
                        row = memory.get(FileKey(key, path)) if memory else None
                        what, reason = _compare(folder, path, row)
                        yield PlannedFile(connection.key, key, path, what, reason, look.size_bytes)
                case Scanned(known=known_count, missing=missing, blind=blind):
                    for spot in blind:
                        reason = f"cannot be read: {spot.reason}"
                        yield _unseen(connection.key, key, reason, spot.path)
                    if not (reported or blind or known_count):
                        reason = "no file matches; see why: twinsyncd check"
                        yield _unseen(connection.key, key, reason)
                    reported.update(missing)
                    for path in missing:
                        reason = "is not on the drive any more; it is kept"
                        yield PlannedFile(connection.key, key, path, "nothing", reason)
                case ScanFailed(reason=reason):
                    yield _unseen(connection.key, key, reason)
        if memory:
            yield from _left(connection.key, key, memory, reported)


def _unseen(
    connection: ConnectionKey, source: SourceKey, reason: str, path: str = ""
) -> PlannedFile:
    return PlannedFile(connection, source, path, "wait", reason, is_unseen=True)


def _compare(folder: ShareFolder, path: str, row: FileRow | None) -> tuple[str, str]:
    """Return what a sync does with a file whose fingerprint differs from the journal's."""
    look = folder.look(path)
    if look is None:
        return "nothing", "vanished just now"
    try:
        folder.require_acceptable(path, look)
        if row is None or not row.stored:
            return "upload", "is new"
        digest = folder.digest(path, look)
    except DiskError as exc:
        return "wait", exc.with_hint
    if digest != row.stored:
        return "replace", "has changed"
    if digest != row.synced:
        return "run only", "is uploaded already"
    return "nothing", "was touched, but its content is the same"


def _left(
    connection: ConnectionKey, source: SourceKey, memory: JournalReader, reported: Container[str]
) -> Iterator[PlannedFile]:
    """Yield what an earlier sync left undone, though the drive has not changed since."""
    for row in memory.active([source]):
        if row.key.path in reported:
            continue
        match need(row):
            case Need.ASIDE:
                state = "waits until it is closed" if row.is_open_elsewhere else "set aside"
                reason = f"{state}: {row.unread or row.aside}"
                yield PlannedFile(connection, source, row.key.path, "wait", reason)
            case Need.RUN:
                yield PlannedFile(
                    connection, source, row.key.path, "run only", "is uploaded already"
                )
            case Need.STORE:
                yield PlannedFile(
                    connection, source, row.key.path, "replace", "was not uploaded yet"
                )
            case Need.PLACE:
                yield PlannedFile(connection, source, row.key.path, "rename", "was renamed")
            case Need.REMOVE:
                yield PlannedFile(connection, source, row.key.path, "remove", "is gone")
            case Need.NOTHING:  # gone, and kept for the sake of a store or a run under way
                pass
            case what:
                assert_never(what)
