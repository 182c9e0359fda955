"""The composition root: builds a daemon from its configuration, and closes it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, TypedDict

from filelock import FileLock, Timeout

from .. import __version__
from ..cloud.network import NetworkSettings
from ..cloud.platform_profile import PlatformProfile, read_profile
from ..cloud.send_rate import SendRate
from ..cloud.session import Cloud, CloudSettings, open_cloud
from ..cloud.token_store import TokenStore
from ..config import Config, Connection, Source, setup_of, sources_of
from ..connectors import connectors_for
from ..core.facts import RetryAsked
from ..core.machine import Machine
from ..core.match import Kind
from ..core.model import (
    ConnectionKey,
    FileKey,
    SourceKey,
)
from ..disk.folder import Folder
from ..disk.protocols import Known
from ..disk.tree import Tree
from ..disk.watcher import Watcher
from ..errors import AppError, JournalError
from ..journal.database import make_folder, open_database
from ..journal.requests import Request
from ..journal.writer import Journal
from ..targets.manifest.connection import ManifestConnection
from ..targets.manifest.documents import document_of
from ..targets.manifest.places import Place
from ..targets.manifest.served_folder import ServedFolder
from ..targets.manifest.settings import ManifestConnectionSettings
from ..targets.protocol import Target
from ..targets.run_reports import RunReports
from ..targets.storage.connection import StorageConnection
from ..targets.storage.settings import StorageConnectionSettings
from ..targets.storage.tree import StorageTree
from .bulk_wiring import bulk_targets, memory_of
from .clock import read_clock
from .engine import Engine
from .inbox import Inbox
from .machine_lock import serving_alone
from .page_wiring import people_reached
from .patient_journal import Patience, PatientJournal
from .person_requests import request_of
from .share_folder import Share, ShareFolder
from .share_threads import ShareThreads
from .state import LOCK, journal_file
from .systemd import notify
from .trouble import TroubleFile
from .watch_supervisor import WatchSupervisor
from .workers import Workers

REPORTS: Final = "reports"  # the folder of diagnostic reports, in the state folder
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

    roots = {
        connection.key_of(source): source.is_spatial_root()
        for connection, source in sources_of(config)
    }
    silence_s = config.daemon.share_silence.total_seconds()
    with ExitStack() as stack:
        journal = stack.enter_context(_journal(config, patient=watch))
        cloud = stack.enter_context(open_cloud(cloud_settings(config)))
        targets = open_targets(config, cloud)
        bulk = bulk_targets(config, memory_of(journal), network_settings(config))
        targets |= stack.enter_context(bulk)
        inbox = Inbox()
        shares = {}
        for key, path in folders.items():
            threads = ShareThreads(key, silence_s)
            tree = Tree(path, threads.note_progress)
            shares[key] = Share(
                Folder(key, tree, matchers[key], journal, only_complete=sources[key].only_complete),
                threads,
            )
        workers = Workers(shares, targets, inbox.post, config.daemon.uploads)
        stack.callback(workers.stop)
        stack.callback(inbox.close)
        if watch:
            watched = {key: (path, matchers[key]) for key, path in folders.items()}
            stack.enter_context(
                WatchSupervisor(Watcher(inbox.post), watched, inbox.post, hung_s=silence_s)
            )
            stack.enter_context(people_reached(config, journal))
        machine = Machine(
            setup_of(config),
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
        yield engine


def open_folder(config: Config, key: SourceKey, source: Source, known: Known) -> ShareFolder:
    """Return a source's folder for a command that waits for it, but not for a hung share."""
    threads = ShareThreads(key, config.daemon.share_silence.total_seconds())
    tree = Tree(source.folder, threads.note_progress)
    return ShareFolder(Folder(key, tree, source.matcher(), known), threads)


def cloud_settings(config: Config) -> CloudSettings:
    """Return where the platform is and who we are."""
    person = config.auth.kind == "user"
    return CloudSettings(
        client_id=config.auth.client_id,
        client_secret=config.auth.secret,
        sign_ins=sign_ins(config) if person else None,
        api_url=config.platform.api_url,
        issuer_url=config.platform.issuer_url,
        trusted_hosts=config.platform.trusted_hosts,
        upload_hosts=config.platform.upload_hosts,
        network=network_settings(config),
        upload_rate=lambda: config.daemon.bandwidth.at(datetime.now()),  # noqa: DTZ005 - office hours
        profile=profile_of(config),
    )


def profile_of(config: Config) -> PlatformProfile:
    """Return what was found out about the platform, if it was probed."""
    return read_profile(journal_file(config).parent, config.platform.api_url)


def network_settings(config: Config) -> NetworkSettings:
    """Return the way to the network."""
    platform = config.platform
    return NetworkSettings(platform.proxy or "", platform.no_proxy, platform.ca_bundle)


def sign_ins(config: Config) -> TokenStore:
    """Return where a person's sign-in is kept."""
    return TokenStore(journal_file(config).parent, config.auth.token_store)


@contextmanager
def _journal(config: Config, *, patient: bool) -> Iterator[PatientJournal]:
    file = journal_file(config)
    trouble = TroubleFile(file.parent)
    patience = Patience(trouble, is_patient=patient)
    patience.alive = lambda: notify("WATCHDOG=1")
    with ExitStack() as stack:
        patience.call(lambda: make_folder(file.parent))
        stack.enter_context(_lock(file.with_name(LOCK)))
        stack.enter_context(serving_alone(config))
        trouble.write(None)  # takes its space now, as long as there is some
        journal = patience.call(lambda: Journal(open_database(file)))
        stack.callback(journal.close)
        yield PatientJournal(journal, patience)


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
        ) from exc
    try:
        yield
    finally:
        lock.release()


def open_targets(config: Config, cloud: Cloud) -> dict[ConnectionKey, Target]:
    """Return one target per iModel connection; those of one iTwin share its Storage tree."""
    trees: dict[str, StorageTree] = {}
    profile = profile_of(config)
    folders = {connection.key_of(source): source for connection, source in sources_of(config)}

    def folder_of(key: FileKey) -> str:
        inner = key.path.rpartition("/")[0]
        return "/".join(part for part in (folders[key.source].storage_folder, inner) if part)

    def connector_of(key: FileKey) -> str:
        return folders[key.source].connector_of(key.path.rpartition("/")[2])

    def storage(connection: Connection) -> Target:
        itwin_id = connection.itwin_id
        if itwin_id not in trees:
            trees[itwin_id] = StorageTree(cloud.platform, itwin_id, lag_s=profile.listing_wait_s())
        tree = trees[itwin_id]
        settings = StorageConnectionSettings(
            **_common(config, connection, connector_of),
            itwin_id=connection.itwin_id,
            folder_of=folder_of,
            profile=profile,
            rate=SendRate(lambda: connection.bandwidth.at(datetime.now())),  # noqa: DTZ005
        )
        return StorageConnection(
            cloud.platform, cloud.blobs, cloud.reader, tree, settings, reports=reports
        )

    def manifest(connection: Connection) -> Target:
        settings = ManifestConnectionSettings(
            **_common(config, connection, connector_of),
            is_reference=lambda key: matchers[key.source].kind(key.path) == "reference",
            reference_connector_of=lambda key: next(iter(connectors_for(key.path)), ""),
            document_of=lambda key: document_of(folders[key.source], key.path),
            schema_url=connection.document_schema_url or "",
        )
        return ManifestConnection(cloud.manifests, place_of(connection), settings, reports=reports)

    reports = RunReports(cloud.reports, journal_file(config).parent / REPORTS)
    matchers = {key: source.matcher() for key, source in folders.items()}
    make = {"storage": storage, "manifest": manifest}
    return {each.key: make[each.target](each) for each in config.connection if each.target in make}


def _common(
    config: Config, connection: Connection, connector_of: Callable[[FileKey], str]
) -> _CommonSettings:
    """Return the settings that every kind of connection has."""
    return {
        "connection": connection.key,
        "display_name": connection.name,
        "imodel_id": connection.imodel_id,
        "connector_of": connector_of,
        "connection_id": connection.connection_id or "",
        "authentication": "User" if config.auth.kind == "user" else "Service",
        "run_settings": connection.run_settings,
    }


class _CommonSettings(TypedDict):
    connection: str
    display_name: str
    imodel_id: str
    connector_of: Callable[[FileKey], str]
    connection_id: str
    authentication: Literal["Service", "User"]
    run_settings: Mapping[str, bool | int | float]


def place_of(connection: Connection) -> Place:
    """Return where the files of a manifest connection lie. Raises AppError."""
    objects = connection.objects
    if objects.served_folder is not None:
        return ServedFolder(objects.served_folder, objects.url)
    try:
        from ..targets.manifest.object_store import (  # noqa: PLC0415 - obstore is optional
            ObjectStore,
            ObjectStoreSettings,
        )
    except ImportError as missing:
        raise AppError(
            f'target = "manifest" needs a part that is not installed ({missing})',
            hint="install it with: pip install 'twinsyncd[manifest]'",
        ) from missing
    try:
        options = objects.options()
    except (OSError, ValueError) as exc:
        message = f"{objects.credentials_file} cannot be read: {exc}"
        raise AppError(message, hint='write it like secret_access_key = "..."') from exc
    http = (objects.endpoint or "").startswith("http://")
    return ObjectStore(ObjectStoreSettings(objects.url, options, objects.signed_for, http))
