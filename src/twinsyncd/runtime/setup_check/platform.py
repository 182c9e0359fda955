"""Examines the platform: network, clock, sign-in, permissions, places and connections."""

from __future__ import annotations

from collections.abc import Iterator

from ...cloud.access_check import (
    CheckResult,
    examine_authorization,
    examine_connection,
    examine_imodel_permissions,
    examine_permissions,
    examine_place,
    examine_scope,
    examine_sign_in,
    with_topic,
)
from ...cloud.network import read_proxies
from ...cloud.network_check import examine_network
from ...cloud.session import Cloud, open_cloud
from ...config import Config, Connection
from ...errors import AppError, CloudError
from ..bulk_check import examine_service
from ..cloud_wiring import cloud_settings, network_settings, place_of


def platform_results(config: Config) -> Iterator[CheckResult]:
    """Yield a result per step; what needs a sign-in is left out without one."""
    for connection in config.connection:
        if connection.target == "bulk":
            yield from with_topic("bulk", examine_service(connection, network_settings(config)))
    if all(connection.target == "bulk" for connection in config.connection):
        return
    urls = (config.platform.issuer_url, config.platform.api_url)
    with open_cloud(cloud_settings(config)) as cloud:
        proxies = read_proxies(urls, network_settings(config).found())
        yield from with_topic("network", examine_network(cloud, proxies, urls))
        signed_in = examine_sign_in(cloud)
        yield from with_topic("sign-in", iter([signed_in]))
        if signed_in.good:
            yield from _signed_in_results(config, cloud)
    for connection in config.connection:
        if connection.target == "manifest":
            yield from with_topic("objects", iter([_examine_objects(config, connection)]))


def _signed_in_results(config: Config, cloud: Cloud) -> Iterator[CheckResult]:
    yield from with_topic("sign-in", examine_scope(cloud))
    if config.auth.kind == "user":
        yield from with_topic("sign-in", iter([examine_authorization(cloud)]))
    places = _places(config)
    itwins = dict.fromkeys(itwin_id for itwin_id, _ in places)
    for itwin_id in itwins:
        if any(uses for (each, _), uses in places.items() if each == itwin_id):
            found = examine_permissions(cloud, itwin_id, deletes=_deletes(config, itwin_id))
            yield from with_topic("permissions", found)
    for (itwin_id, imodel_id), storage in places.items():
        own = examine_imodel_permissions(cloud, itwin_id, imodel_id)
        yield from with_topic("permissions", own)
        place = list(examine_place(cloud, itwin_id=itwin_id, imodel_id=imodel_id, storage=storage))
        yield from place
        if place[-1].good:
            yield from with_topic("connection", _connection_results(config, cloud, imodel_id))


def _connection_results(config: Config, cloud: Cloud, imodel_id: str) -> Iterator[CheckResult]:
    for connection in config.connection:
        if connection.target == "bulk" or connection.imodel_id != imodel_id:
            continue
        yield examine_connection(
            cloud.manifests if connection.target == "manifest" else cloud.platform,
            name=connection.name,
            imodel_id=imodel_id,
            connection_id=connection.connection_id or "",
        )


def _places(config: Config) -> dict[tuple[str, str], bool]:
    """Return each iModel with its iTwin, and whether its files go to the iTwin's Storage."""
    places: dict[tuple[str, str], bool] = {}
    for each in (each for each in config.connection if each.target != "bulk"):
        place = (each.itwin_id, each.imodel_id)
        places[place] = places.get(place, False) or each.target == "storage"
    return places


def _deletes(config: Config, itwin_id: str) -> bool:
    """Return whether a connection deletes files in the iTwin's Storage."""
    of_itwin = (each for each in config.connection if each.itwin_id == itwin_id)
    return any(each.target == "storage" and each.on_delete == "delete" for each in of_itwin)


def _examine_objects(config: Config, connection: Connection) -> CheckResult:
    """List the object store of a manifest connection; whether it can be written shows later."""
    step = f"open {connection.objects.url}"
    try:
        held = place_of(connection, network_settings(config)).held()
    except AppError as exc:
        reason, fix = str(exc), exc.hint
        if isinstance(exc, CloudError):
            reason = exc.failure.message
        if not fix:
            fix = "correct url, region, endpoint and credentials_file below [connection.objects]"
        return CheckResult(step, False, reason, fix)
    return CheckResult(step, True, f"it holds {len(held)} objects of this connection")
