"""The composition root: builds a daemon from its configuration, and closes it."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import structlog
from filelock import FileLock, Timeout

from .. import __version__
from ..cloud.session import open_cloud
from ..cloud.turns import asking_for
from ..config import Config, Source, setup_of, sources_of
from ..core.facts import Fact, RetryAsked
from ..core.machine import Machine
from ..core.match import Kind, Matcher
from ..core.model import (
    ABSENT,
    FileKey,
    SourceKey,
    StorageId,
)
from ..disk import read_priority
from ..disk.drive_names import DriveNames
from ..disk.folder import Folder
from ..disk.protocols import Known
from ..disk.reference_process import ReferenceProcess
from ..disk.tree import Tree
from ..disk.watcher import Watcher
from ..errors import JournalDamaged, JournalError, JournalGone
from ..journal.damage import is_damaged, set_aside
from ..journal.database import make_folder, open_database
from ..journal.requests import Request
from ..journal.writer import Journal
from .bulk_wiring import bulk_targets, memory_of
from .clock import read_clock
from .cloud_wiring import cloud_settings, network_settings, open_targets, profile_of
from .drive_threads import Drives
from .engine import Engine
from .inbox import Inbox
from .journal_place import JournalPlace, identity_of
from .machine_lock import serving_alone
from .page_wiring import people_reached
from .patient_journal import Patience, PatientJournal
from .person_requests import request_of
from .reference_reader import ReadSource, ReferenceReader
from .share_folder import Share, ShareFolder
from .share_threads import ShareThreads
from .smb_wiring import remote_observers
from .state import LOCK, journal_file
from .systemd import notify
from .trouble import TroubleFile
from .watch_supervisor import WatchSupervisor
from .workers import Workers

log = structlog.get_logger()

LOCK_S: Final = 1.0  # `status` holds the lock for an instant to see whether anybody does


@contextmanager
def open_engine(config: Config, *, watch: bool) -> Iterator[Engine]:
    """Yield an engine that is ready to run; only one process may hold a journal's.

    `watch` adds the hints of the file system to the scans. Raises JournalError.
    """
    matchers = {
        connection.key_of(source): source.matcher() for connection, source in sources_of(config)
    }
    sources = {connection.key_of(source): source for connection, source in sources_of(config)}
    folders = {key: source.folder for key, source in sources.items()}

    def kind_of(key: FileKey) -> Kind | None:
        return matchers[key.source].kind(key.path)

    roots = _roots_of(config)
    silence_s = config.daemon.share_silence.total_seconds()
    with ExitStack() as stack:
        journal = stack.enter_context(_journal(config, patient=watch))
        cloud = stack.enter_context(open_cloud(cloud_settings(config)))
        targets = open_targets(config, cloud, journal.new_folders(), _on_drive(journal, folders))
        bulk = bulk_targets(config, memory_of(journal), network_settings(config))
        targets |= stack.enter_context(bulk)
        inbox = Inbox()
        drive_of = DriveNames()
        shares = _shares(sources, journal, matchers, drive_of, silence_s)
        uploads = config.daemon.uploads
        references = _reference_reader(shares, folders, matchers, journal, drains=not watch)
        post = _noting(references, inbox.post)
        lend = cloud.blobs.budget.lend
        workers = Workers(shares, targets, post, uploads, asking_for=asking_for, lend=lend)
        stack.callback(workers.stop)
        stack.callback(inbox.close)
        stack.enter_context(references)  # it ends before the threads that it reads on
        if watch:
            watched = {key: (path, matchers[key]) for key, path in folders.items()}
            stack.enter_context(
                WatchSupervisor(
                    Watcher(inbox.post, remote=remote_observers(sources)),
                    watched,
                    inbox.post,
                    hung_s=silence_s,
                    drive_of=drive_of,
                )
            )
            stack.enter_context(people_reached(config, journal))
        machine = Machine(
            setup_of(config, stages=profile_of(config).may_stage()),
            journal.saved_state(),
            journal,
            read_clock(),
            kind_of=kind_of,
            jitter=random.random,
            comes_first=lambda key: roots[key.source](key.path) and kind_of(key) == "source",
        )
        # Another version may manage what the last one could not.
        journal.register(__version__, read_clock().wall_s, Request(*request_of(RetryAsked())))
        engine = Engine(machine, journal, inbox, workers.begin, read_clock)
        engine.uploads = workers.progress.now
        engine.pacing = lambda: cloud.pacing(read_clock().wall_s)
        yield engine


def _on_drive(
    journal: PatientJournal, sources: Collection[SourceKey]
) -> Callable[[StorageId], bool]:
    """Return what says whether a file in Storage is that of one that is on the drive."""
    return lambda storage_id: any(
        row.seen != ABSENT for row in journal.having(sources, [storage_id])
    )


def _roots_of(config: Config) -> dict[SourceKey, Callable[[str], bool]]:
    """Return for each source which of its paths are to place the iModel."""
    return {
        connection.key_of(source): source.is_spatial_root()
        for connection, source in sources_of(config)
    }


def _shares(
    sources: Mapping[SourceKey, Source],
    journal: PatientJournal,
    matchers: Mapping[SourceKey, Matcher],
    drive_of: DriveNames,
    silence_s: float,
) -> dict[SourceKey, Share]:
    # People's programs read the same disks on a file server: they go first.
    drives = Drives(drive_of, prepare=read_priority.lower)
    shares = {}
    for key, source in sources.items():
        threads = ShareThreads(key, silence_s, drives=drives, folder=source.folder)
        tree = Tree(source.folder, threads.note_progress)
        shares[key] = Share(_folder(key, source, tree, journal, matchers[key]), threads)
    return shares


def _reference_reader(
    shares: Mapping[SourceKey, Share],
    folders: Mapping[SourceKey, Path],
    matchers: Mapping[SourceKey, Matcher],
    journal: PatientJournal,
    *,
    drains: bool,
) -> ReferenceReader:
    sources = {
        key: ReadSource(
            Tree(folders[key], share.threads.note_progress), share.threads, matchers[key]
        )
        for key, share in shares.items()
    }
    return ReferenceReader(sources, journal.references(), ReferenceProcess(), drains=drains)


def _noting(references: ReferenceReader, post: Callable[[Fact], None]) -> Callable[[Fact], None]:
    """Return what posts a fact, and notes each file that settles for its references."""

    def post_and_note(fact: Fact) -> None:
        references.note(fact)
        post(fact)

    return post_and_note


def open_folder(config: Config, key: SourceKey, source: Source, known: Known) -> ShareFolder:
    """Return a source's folder for a command that waits for it, but not for a hung share."""
    threads = ShareThreads(key, config.daemon.share_silence.total_seconds())
    tree = Tree(source.folder, threads.note_progress)
    return ShareFolder(_folder(key, source, tree, known, source.matcher()), threads)


def _folder(
    key: SourceKey, source: Source, tree: Tree, known: Known, path_filter: Matcher
) -> Folder:
    return Folder(
        key,
        tree,
        path_filter,
        known,
        only_complete=source.only_complete,
        only_closed=source.only_closed,
    )


@contextmanager
def _journal(config: Config, *, patient: bool) -> Iterator[PatientJournal]:
    file = journal_file(config)
    trouble = TroubleFile(file.parent)
    patience = Patience(trouble, is_patient=patient)
    patience.alive = lambda: notify("WATCHDOG=1")
    with ExitStack() as stack:
        stack.callback(trouble.close)
        patience.call(lambda: make_folder(file.parent))
        lock = file.with_name(LOCK)
        patience.call(lambda: stack.enter_context(_lock(lock)))
        locked = identity_of(lock)
        stack.enter_context(serving_alone(config))
        patience.begin()  # its file takes its space now, as long as there is some
        stack.enter_context(_damage_set_aside(file, patience))
        journal = patience.call(lambda: _opened(file), needs_person=True)
        stack.callback(journal.close)
        if identity_of(lock) != locked:  # nobody would see that this process runs
            raise JournalGone(
                f"the state folder {file.parent} was replaced while its journal was waited for",
                hint="run it again: it is opened anew",
            )
        yield PatientJournal(journal, patience, JournalPlace(file))


def _opened(file: Path) -> Journal:
    """Open the journal, or a new one in the place of a damaged one. Raises JournalError."""
    try:
        return Journal(open_database(file))
    except JournalDamaged as exc:
        if _set_aside(file, exc) is None:
            raise
        return Journal(open_database(file))


@contextmanager
def _damage_set_aside(file: Path, patience: Patience) -> Iterator[None]:
    """Set the journal aside once it is closed, if damage of it ended its use.

    Raises JournalGone then: whoever uses it opens the new one. Where it is left to a person, the
    daemon waits for that person.
    """
    try:
        yield
    except JournalDamaged as exc:
        damage = exc
        kept = patience.call(lambda: _kept_or_mended(file, damage, patience), needs_person=True)
        raise JournalGone(
            f"the journal {file} was damaged" + (f", and is kept as {kept}" if kept else ""),
            hint="run it again: a new one is made, and what Storage has is not uploaded again",
        ) from exc


def _kept_or_mended(file: Path, damage: JournalDamaged, patience: Patience) -> Path | None:
    """Return where the damaged journal is kept now; None once it is well, or another one is there.

    Raises `damage` while neither is so, and where nobody waits for it.
    """
    kept = _set_aside(file, damage)
    if kept is None and (not patience.is_patient or is_damaged(file)):
        raise damage
    return kept


def _set_aside(file: Path, exc: JournalDamaged) -> Path | None:
    kept = set_aside(file, read_clock().wall_s)
    if kept is not None:
        log.error("journal.damaged", file=str(file), kept=str(kept), reason=str(exc))
    return kept


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    lock = FileLock(file, timeout=LOCK_S)
    try:
        lock.acquire()
    except Timeout as exc:
        raise JournalError(
            f"another twinsyncd keeps the journal in {file.parent}",
            hint="it does the work already: ask it with `twinsyncd sync` or `twinsyncd status`",
        ) from exc
    except OSError as exc:
        raise JournalError(
            f"the state folder {file.parent} cannot be used: {exc.strerror}",
            hint="give the daemon's account write access to it, or correct state_folder",
            may_pass=True,
        ) from exc
    try:
        yield
    finally:
        lock.release()
