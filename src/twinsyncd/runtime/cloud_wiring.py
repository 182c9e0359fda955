"""The cloud's side of the daemon: sign-in, network, and a target for each connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final, Literal, TypedDict

from ..cloud.network import NetworkSettings
from ..cloud.platform_profile import PlatformProfile, read_profile
from ..cloud.send_rate import SendRate
from ..cloud.session import Cloud, CloudSettings
from ..cloud.token_store import TokenStore
from ..config import Config, Connection, sources_of
from ..connectors import connectors_for
from ..core.match import Matcher
from ..core.model import (
    ConnectionKey,
    FileKey,
    SourceKey,
    StorageId,
)
from ..errors import AppError, how_to_install
from ..targets.manifest.connection import ManifestConnection
from ..targets.manifest.documents import document_of
from ..targets.manifest.places import Place
from ..targets.manifest.served_folder import ServedFolder
from ..targets.manifest.settings import ManifestConnectionSettings
from ..targets.protocol import Target
from ..targets.run_reports import RunReports
from ..targets.storage.connection import StorageConnection
from ..targets.storage.new_folders import FolderMemory
from ..targets.storage.settings import StorageConnectionSettings
from ..targets.storage.tree import StorageTree
from .state import journal_file

REPORTS: Final = "reports"  # the folder of diagnostic reports, in the state folder


def nothing() -> None:
    """Do nothing before a request."""


def cloud_settings(config: Config, before_request: Callable[[], None] = nothing) -> CloudSettings:
    """Return where the platform is and who we are; for `before_request` see NetworkSettings."""
    person = config.auth.kind == "user"
    return CloudSettings(
        client_id=config.auth.client_id,
        client_secret=config.auth.secret,
        sign_ins=sign_ins(config) if person else None,
        api_url=config.platform.api_url,
        issuer_url=config.platform.issuer_url,
        trusted_hosts=config.platform.trusted_hosts,
        upload_hosts=config.platform.upload_hosts,
        network=network_settings(config, before_request),
        upload_rate=lambda: config.daemon.bandwidth.at(datetime.now()),  # noqa: DTZ005 - office hours
        profile=profile_of(config),
    )


def profile_of(config: Config) -> PlatformProfile:
    """Return what was found out about the platform, if it was probed."""
    return read_profile(journal_file(config).parent, config.platform.api_url)


def network_settings(
    config: Config, before_request: Callable[[], None] = nothing
) -> NetworkSettings:
    """Return the way to the network."""
    platform = config.platform
    return NetworkSettings(
        platform.proxy or "", platform.no_proxy, platform.ca_bundle, before_request
    )


def sign_ins(config: Config) -> TokenStore:
    """Return where a person's sign-in is kept."""
    return TokenStore(journal_file(config).parent, config.auth.token_store)


def open_targets(
    config: Config,
    cloud: Cloud,
    new_folders: FolderMemory | None = None,
    is_on_drive: Callable[[StorageId], bool | None] = lambda _storage_id: None,
) -> dict[ConnectionKey, Target]:
    """Return one target per iModel connection; those of one iTwin share its Storage tree.

    The rest is for who stores. `new_folders` keeps those that are made beyond this process;
    `is_on_drive` returns whether a file in Storage is that of one that is on the drive, None if
    it is not known.
    """
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
            lag_s = profile.listing_wait_s()
            trees[itwin_id] = StorageTree(cloud.platform, itwin_id, lag_s=lag_s, memory=new_folders)
        tree = trees[itwin_id]
        settings = StorageConnectionSettings(
            **_common(config, connection, connector_of),
            itwin_id=connection.itwin_id,
            folder_of=folder_of,
            key_at=partial(_key_at, connection, matchers),
            is_on_drive=is_on_drive,
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
        place = place_of(connection, network_settings(config))
        return ManifestConnection(cloud.manifests, place, settings, reports=reports)

    reports = RunReports(cloud.reports, journal_file(config).parent / REPORTS)
    matchers = {key: source.matcher() for key, source in folders.items()}
    make = {"storage": storage, "manifest": manifest}
    return {each.key: make[each.target](each) for each in config.connection if each.target in make}


def _key_at(
    connection: Connection, matchers: Mapping[SourceKey, Matcher], folder: str, name: str
) -> FileKey | None:
    """Return which source file of the connection would lie there in Storage; None if none would."""
    for source in connection.source:
        key, base = connection.key_of(source), source.storage_folder
        inner = folder.removeprefix(base).lstrip("/")
        path = f"{inner}/{name}" if inner else name
        is_below = f"{folder}/".startswith(f"{base}/") if base else True
        if is_below and matchers[key].kind(path) == "source":
            return FileKey(key, path)
    return None


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


def place_of(connection: Connection, network: NetworkSettings) -> Place:
    """Return where the files of a manifest connection lie, reached as the platform is.

    Raises AppError.
    """
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
            hint=how_to_install("manifest"),
        ) from missing
    try:
        options = objects.options()
    except (OSError, ValueError) as exc:
        message = f"{objects.credentials_file} cannot be read: {exc}"
        raise AppError(message, hint='write it like secret_access_key = "..."') from exc
    http = (objects.endpoint or "").startswith("http://")
    settings = ObjectStoreSettings(objects.url, options, objects.signed_for, http, network)
    return ObjectStore(settings)
