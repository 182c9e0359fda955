"""Opens the clients of the platform, and closes them again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Final

import httpx

from .. import __version__
from .auth import ISSUER_URL, ServiceLogin
from .blobs import Blobs
from .client import API_URL, Platform
from .retries import Sleep

CONNECTIONS_MAX: Final = 16  # per host: uploads of a few lanes at once, and their polls
_LIMITS: Final = httpx.Limits(
    max_connections=CONNECTIONS_MAX,
    max_keepalive_connections=CONNECTIONS_MAX,
    keepalive_expiry=4.0,  # below the 5 s after which common servers hang up
)
_CALL: Final = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=30.0)
_BLOB: Final = httpx.Timeout(connect=10.0, read=120.0, write=60.0, pool=60.0)  # a slow uplink


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """Addresses and credentials of the platform; the secret is read at every sign-in."""

    client_id: str
    client_secret: Callable[[], str] = field(repr=False)
    api_url: str = API_URL
    issuer_url: str = ISSUER_URL


@dataclass(frozen=True, slots=True)
class Cloud:
    """The clients that targets and `check` use."""

    platform: Platform
    blobs: Blobs
    login: ServiceLogin


@contextmanager
def open_cloud(
    settings: CloudSettings,
    *,
    now: Callable[[], float] = time.monotonic,
    sleep: Sleep = time.sleep,
    transport: httpx.BaseTransport | None = None,
) -> Iterator[Cloud]:
    """Yield the cloud; nothing is sent before it is used. `transport` replaces the network."""
    tls = httpx.create_ssl_context()  # the public roots,
    tls.load_default_certs()  # and the machine's: its proxy may inspect encrypted traffic
    with ExitStack() as stack:
        issuer = stack.enter_context(_client(_CALL, tls, transport))
        login = ServiceLogin(
            issuer,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            now=now,
            issuer_url=settings.issuer_url,
        )
        api = stack.enter_context(_client(_CALL, tls, transport, login))
        blob = stack.enter_context(_client(_BLOB, tls, transport))
        yield Cloud(
            Platform(api, api_url=settings.api_url, sleep=sleep), Blobs(blob, sleep=sleep), login
        )


def _client(
    timeout: httpx.Timeout,
    tls: SSLContext,
    transport: httpx.BaseTransport | None,
    login: ServiceLogin | None = None,
) -> httpx.Client:
    return httpx.Client(
        auth=login,
        timeout=timeout,
        limits=_LIMITS,
        verify=tls,
        transport=transport,
        follow_redirects=False,
        headers={"User-Agent": f"twinsyncd/{__version__}"},
    )
