"""The composition root: builds a daemon from its configuration, and closes it."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from .. import __version__
from ..cloud.session import open_cloud
from ..cloud.turns import asking_for
from ..config import Config, Source, setup_of, sources_of
from ..config.secret_files import secret_files
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
from ..journal.requests import Request
from .bulk_wiring import bulk_targets, following
from .clock import read_clock
from .cloud_wiring import cloud_settings, network_settings, nothing, open_targets, profile_of
from .drive_threads import Drives
from .engine import Engine
from .inbox import Inbox
from .journal_opening import open_journal
from .lease_keeper import WorkShare
from .page_wiring import people_reached
from .patient_journal import PatientJournal
from .person_requests import request_of
from .reference_reader import ReadSource, ReferenceReader
from .secret_watch import SecretWatch
from .share_folder import Share, ShareFolder
from .share_threads import ShareThreads
from .shared_work import notifies_in, part_of
from .smb_wiring import remote_observers
from .watch_supervisor import WatchSupervisor
from .workers import Workers


@contextmanager
def open_engine(config: Config, *, watch: bool, share: WorkShare | None = None) -> Iterator[Engine]:
    """Yield an engine that is ready to run; only one process may hold a journal's.

    `watch` adds the hints of the file system to the scans. `share`: what of the configuration this
    process serves, of a journal that several machines share. Raises JournalError.
    """
    whole, config = config, part_of(config, share) if share else config
    before_request = share.check if share else nothing
    sources = {connection.key_of(source): source for connection, source in sources_of(config)}
    matchers = {key: source.matcher() for key, source in sources.items()}
    folders = {key: source.folder for key, source in sources.items()}

    def kind_of(key: FileKey) -> Kind | None:
        return matchers[key.source].kind(key.path)

    roots = _roots_of(config)
    silence_s = config.daemon.share_silence.total_seconds()
    with ExitStack() as stack:
        journal = stack.enter_context(open_journal(config, patient=watch, share=share))
        cloud = stack.enter_context(open_cloud(cloud_settings(config, before_request)))
        targets = open_targets(config, cloud, journal.new_folders(), _on_drive(journal, folders))
        inbox = Inbox()
        drive_of = DriveNames()
        shares = _shares(sources, journal, matchers, drive_of, silence_s)
        network = network_settings(config, before_request)
        bulk = stack.enter_context(bulk_targets(config, journal, network, shares, inbox.post))
        uploads = config.daemon.uploads
        references = _reference_reader(shares, folders, matchers, journal, drains=not watch)
        post = _noting(references, inbox.post)
        lend = cloud.blobs.budget.lend
        workers = Workers(shares, targets | bulk, post, uploads, asking_for=asking_for, lend=lend)
        stack.callback(workers.stop)
        stack.callback(inbox.close)
        stack.enter_context(references)  # it ends before the threads that it reads on
        if watch:
            remote, recent = remote_observers(sources), journal.recent_folders
            watcher = Watcher(inbox.post, remote=remote, recent=recent)
            watched = {key: (path, matchers[key]) for key, path in folders.items()}
            stack.enter_context(
                WatchSupervisor(watcher, watched, inbox.post, hung_s=silence_s, drive_of=drive_of)
            )
            stack.enter_context(SecretWatch(secret_files(config), inbox.post))
            stack.enter_context(people_reached(whole, journal, notifies=notifies_in(share)))
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
        engine.decided = following(bulk, config)
        engine.uploads = workers.progress.now
        engine.pacing = lambda: cloud.pacing(read_clock().wall_s)
        engine.ahead_of_platform_s = lambda: cloud.clock.ahead_s
        yield engine


def _on_drive(
    journal: PatientJournal, sources: Collection[SourceKey]
) -> Callable[[StorageId], bool | None]:
    """Return what says whether a file in Storage is that of one on the drive; None: not known."""

    def is_on_drive(storage_id: StorageId) -> bool | None:
        rows = journal.having(sources, [storage_id])
        return any(row.seen != ABSENT for row in rows) if rows else None

    return is_on_drive


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
        shares[key] = Share(_folder(key, source, journal, matchers[key], threads), threads)
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
    return ShareFolder(_folder(key, source, known, source.matcher(), threads), threads)


def _folder(
    key: SourceKey,
    source: Source,
    known: Known,
    path_filter: Matcher,
    threads: ShareThreads,
) -> Folder:
    return Folder(
        key,
        Tree(source.folder, threads.note_progress),
        path_filter,
        known,
        only_complete=source.only_complete,
        only_closed=source.only_closed,
        submit=partial(threads.submit, in_background=True),
    )
