"""Opens the clients of the platform, and closes them again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx

from .. import __version__
from ..core.progress import RequestPacing
from .auth import ISSUER_URL, ServiceLogin
from .auth_base import Login
from .auth_issuer import Issuer
from .auth_user import UserLogin
from .blob_reader import BlobReader
from .blobs import Blobs
from .bulk_api import BulkApi
from .bulk_sign_in import Account, ApiKey, PersonSignIn
from .calls import REQUESTS_MAX
from .client import API_URL, Platform
from .http_client import HttpClient
from .manifest_api import ManifestPlatform
from .network import NetworkSettings, NetworkTransport, read_proxies, trusted_certificates
from .platform_clock import PlatformClock
from .platform_profile import PlatformProfile
from .report_reader import ReportReader
from .request_limit import RequestGate
from .retries import Sleep
from .send_rate import BytesPerS, SendRate
from .storage_probe import StorageProbe
from .token_store import TokenStore
from .upload_hosts import UploadHosts
from .upload_limits import RENEW_S, Limits

CONNECTIONS_MAX: Final = 32  # per host: as many as `calls` and `upload_budget` let through
IDLE_S: Final = 4.0  # below the 5 s after which common servers hang up
ANSWER_S: Final = 300.0  # a large list over a slow line; files that are got take longer
_CALL: Final = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=30.0)
_BULK: Final = httpx.Timeout(connect=10.0, read=120.0, write=60.0, pool=30.0)  # 1,000 records
_BLOB: Final = httpx.Timeout(connect=10.0, read=120.0, write=60.0, pool=60.0)  # a slow uplink


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """Addresses and credentials of the platform; the secret is read at every sign-in.

    `sign_ins`: where a person's sign-in is kept; None: a service signs in with its secret.
    `trusted_hosts`: further hosts that may get token and secret. `upload_hosts`: hosts or domains
    that may get content; empty: the first one that the service names.
    """

    client_id: str
    client_secret: Callable[[], str] = field(default=str, repr=False)
    api_url: str = API_URL
    issuer_url: str = ISSUER_URL
    trusted_hosts: tuple[str, ...] = ()
    upload_hosts: tuple[str, ...] = ()
    sign_ins: TokenStore | None = None
    upload_rate: BytesPerS | None = None  # bytes/s for all uploads together, as it is now
    profile: PlatformProfile = field(default_factory=PlatformProfile)
    network: NetworkSettings = field(default_factory=NetworkSettings)


@dataclass(frozen=True, slots=True)
class Cloud:
    """The clients that targets and `check` use."""

    platform: Platform
    manifests: ManifestPlatform
    blobs: Blobs
    login: Login
    issuer: Issuer
    reader: BlobReader
    reports: ReportReader
    probe: StorageProbe
    gate: RequestGate
    clock: PlatformClock

    def pacing(self, wall_s: float) -> RequestPacing | None:
        """Return the rate limit that requests wait for at this moment; None: they wait for none."""
        slowed = self.gate.slowed()
        if slowed is None:
            return None
        host = httpx.URL(self.platform.api_url).host
        return RequestPacing(host, slowed.left, slowed.limit, wall_s + slowed.resets_in_s)


@contextmanager
def open_cloud(
    settings: CloudSettings,
    *,
    now: Callable[[], float] = time.monotonic,
    sleep: Sleep = time.sleep,
    transport: httpx.BaseTransport | None = None,
) -> Iterator[Cloud]:
    """Yield the cloud; nothing is sent before it is used. `transport` replaces the network.

    Raises ConfigError when the environment names an unusable proxy or certificate file.
    """
    with ExitStack() as stack:
        addresses = (settings.api_url, settings.issuer_url)
        clients = _Clients(stack, transport, addresses, settings.network)
        unsigned = clients.open(_CALL)
        login = _login(settings, unsigned, now)
        signed, trusted = clients.open(_CALL, login), settings.trusted_hosts
        url, gate = settings.api_url, RequestGate(REQUESTS_MAX, clock=now, sleep=sleep)
        platform = Platform(signed, api_url=url, sleep=sleep, trusted=trusted, gate=gate)
        manifests = ManifestPlatform(signed, api_url=url, sleep=sleep, trusted=trusted, gate=gate)
        hosts = UploadHosts(settings.upload_hosts)
        rate = SendRate(settings.upload_rate, sleep=sleep) if settings.upload_rate else None
        limits = limits_of(settings.profile)
        http = clients.open(_BLOB, downloads=True)
        yield Cloud(
            platform,
            manifests,
            Blobs(http, sleep=sleep, hosts=hosts, limits=limits, rate=rate),
            login,
            Issuer(unsigned, settings.issuer_url, settings.trusted_hosts),
            BlobReader(http, sleep=sleep, hosts=hosts),
            ReportReader(unsigned),
            StorageProbe(platform, http, hosts, sleep, now),
            gate,
            clients.clock,
        )


def limits_of(profile: PlatformProfile) -> Limits:
    """Return what uploads may do on a platform of which this is known."""
    renew_s = RENEW_S if profile.renews_early() else math.inf
    return Limits(lists_blocks=profile.may_resume(), renew_s=renew_s)


def _login(settings: CloudSettings, http: httpx.Client, now: Callable[[], float]) -> Login:
    if settings.sign_ins is not None:
        return UserLogin(
            http,
            client_id=settings.client_id,
            store=settings.sign_ins,
            now=now,
            issuer_url=settings.issuer_url,
            trusted=settings.trusted_hosts,
        )
    return ServiceLogin(
        http,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        now=now,
        issuer_url=settings.issuer_url,
        trusted=settings.trusted_hosts,
    )


@contextmanager
def open_bulk(
    url: str,
    who: Callable[[], str] | Account,
    *,
    sleep: Sleep = time.sleep,
    transport: httpx.BaseTransport | None = None,
    network: NetworkSettings = NetworkSettings(),
) -> Iterator[BulkApi]:
    """Yield the client of a bulk API; nothing is sent before it is used.

    `who` sends: whoever has the API key that it returns, or an account.
    Raises ConfigError when the environment names an unusable proxy or certificate file.
    """
    with ExitStack() as stack:
        clients = _Clients(stack, transport, (url,), network)
        http = clients.open(_BULK)
        signed = PersonSignIn(http, url, who) if isinstance(who, Account) else ApiKey(who)
        yield BulkApi(http, url, signed, sleep)


class _Clients:
    """Opens HTTP clients that go the same way to the network."""

    def __init__(
        self,
        stack: ExitStack,
        transport: httpx.BaseTransport | None,
        urls: Iterable[str],
        network: NetworkSettings,
    ) -> None:
        self._stack = stack
        self._transport = transport
        self._proxies = read_proxies(urls, network.found())
        self._tls = trusted_certificates(bundle=network.ca_bundle)
        self._before_request = network.before_request
        self.clock = PlatformClock(time.time)

    def open(
        self, timeout: httpx.Timeout, login: Login | None = None, *, downloads: bool = False
    ) -> httpx.Client:
        transport = self._transport or NetworkTransport(
            self._proxies,
            self._tls,
            connections_max=CONNECTIONS_MAX,
            idle_s=IDLE_S,
            answer_s=ANSWER_S,
            downloads=downloads,
        )
        client = HttpClient(
            auth=login,
            timeout=timeout,
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": f"twinsyncd/{__version__}"},
            event_hooks={
                "request": [lambda _request: self._before_request()],
                "response": [self.clock.note],
            },
        )
        return self._stack.enter_context(client)
