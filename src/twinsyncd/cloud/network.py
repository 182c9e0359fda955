"""Opens the way to the network: proxies and trusted certificates.

The configuration names them, or else this machine's environment.

HTTPS_PROXY, HTTP_PROXY and ALL_PROXY name HTTP proxies; NO_PROXY names hosts, domains, addresses
and address ranges that are reached directly, as curl documents it. This machine itself always is: a
proxy elsewhere would look for the program on its own machine. An unusable value is a mistake with
the variable's name, not a traceback.
Source: curl, "Environment" (NO_PROXY: names match their subdomains, ranges as of 7.86), 2026-11.
"""

from __future__ import annotations

import ipaddress
import math
import os
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final
from urllib.request import getproxies

import httpx

from ..errors import ConfigError, ConfigMistake
from .answer_head import HeadTransport
from .connection_stack import ConnectionStack
from .fault_text import PROXY_USED
from .links import is_loopback

ENVIRONMENT: Final = "environment"
_SCHEMES: Final = ("http", "https")
_CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """The way to the network as configured; what is empty is left to the environment.

    `proxy`: URL of an HTTP proxy, with user and password if it needs them. `direct`: hosts and
    ranges in the forms of NO_PROXY. `ca_bundle`: a PEM file, trusted besides the public roots.
    `before_request` is called before each request, which is not sent if it raises.
    """

    proxy: str = field(default="", repr=False)
    direct: tuple[str, ...] = ()
    ca_bundle: Path | None = None
    before_request: Callable[[], None] = lambda: None

    def found(self) -> Mapping[str, str]:
        """Return the proxies by scheme in the form of `urllib.request.getproxies`."""
        found = getproxies()
        if self.proxy:
            found = {"http": self.proxy, "https": self.proxy, "no": found.get("no", "")}
        return {**found, "no": ",".join((found.get("no", ""), *self.direct))}


@dataclass(frozen=True, slots=True)
class Proxies:
    """Which proxy serves a scheme, and which hosts none does."""

    by_scheme: Mapping[str, httpx.Proxy]
    direct: tuple[str, ...] = ()

    def proxy_for(self, url: httpx.URL) -> httpx.Proxy | None:
        """Return the proxy to use for this URL; None: go there directly."""
        proxy = self.by_scheme.get(url.scheme)
        return None if proxy is None or self.is_direct(url) else proxy

    def is_direct(self, url: httpx.URL) -> bool:
        """Return whether NO_PROXY names the host of this URL, or it is this machine."""
        host = url.host.lower().strip("[]").rstrip(".")
        if is_loopback(host):
            return True
        port = url.port or {"http": 80, "https": 443}.get(url.scheme)
        return any(_matches(host, port, entry) for entry in self.direct)


def read_proxies(urls: Iterable[str], found: Mapping[str, str] | None = None) -> Proxies:
    """Return the proxies of the environment (on Windows and macOS: of the system as well).

    A proxy is examined only if one of these URLs is reached through it. `found` is what
    `urllib.request.getproxies` returns unless given. Raises ConfigError.
    """
    found = getproxies() if found is None else found
    entries = (entry.strip().lower() for entry in found.get("no", "").split(","))
    none = Proxies({}, tuple(entry for entry in entries if entry))
    used = {url.scheme for url in map(httpx.URL, urls) if not none.is_direct(url)}
    by_scheme: dict[str, httpx.Proxy] = {}
    for scheme in used & set(_SCHEMES):
        source = scheme if found.get(scheme) else "all"
        if text := found.get(source, ""):
            by_scheme[scheme] = _proxy(f"{source.upper()}_PROXY", text)
    return Proxies(by_scheme, none.direct)


class NetworkTransport(httpx.BaseTransport):
    """Sends each request directly or through the proxy that serves its URL."""

    def __init__(
        self,
        proxies: Proxies,
        tls: ssl.SSLContext,
        *,
        connections_max: int,
        idle_s: float,
        answer_s: float = math.inf,
        downloads: bool = False,
    ) -> None:
        """Open no connection before the first request.

        `idle_s`: how long a connection without requests is used again [s]; `answer_s`: how long
        the body of an answer may take [s], but for what is got if there are `downloads`.
        """
        limits = httpx.Limits(max_connections=1, keepalive_expiry=idle_s)

        def stack(proxy: httpx.Proxy | None = None) -> ConnectionStack:
            def opened() -> httpx.BaseTransport:
                return HeadTransport(
                    httpx.HTTPTransport(verify=tls, limits=limits, trust_env=False, proxy=proxy)
                )

            return ConnectionStack(
                opened, most=connections_max, idle_s=idle_s, answer_s=answer_s, downloads=downloads
            )

        self._proxies = proxies
        self._direct = stack()
        self._proxied = {scheme: stack(proxy) for scheme, proxy in proxies.by_scheme.items()}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return the answer; it notes the proxy that is used."""
        proxy = self._proxies.proxy_for(request.url)
        if proxy is None:
            return self._direct.handle_request(request)
        request.extensions[PROXY_USED] = f"{proxy.url.host}:{proxy.url.port or 80}"
        return self._proxied[request.url.scheme].handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        for transport in (self._direct, *self._proxied.values()):
            transport.close()


def trusted_certificates(
    env: Mapping[str, str] | None = None, bundle: Path | None = None
) -> ssl.SSLContext:
    """Return what certificates are checked with; always checked, with the host's name.

    The public roots, the machine's own, and those of `bundle`: a proxy may inspect encrypted
    traffic. SSL_CERT_FILE or SSL_CERT_DIR replace the public ones. Raises ConfigError.
    """
    env = os.environ if env is None else env
    named = next((name for name in _CERTIFICATES if env.get(name)), "")
    if not named and bundle is None:
        return _usual_certificates()
    try:
        tls = _context(named, env.get(named, ""))
    except (OSError, ssl.SSLError) as exc:
        reason = exc.strerror if type(exc) is not ssl.SSLError and exc.strerror else str(exc)
        message = f"the certificates in {env.get(named)} cannot be read ({reason})"
        fix = f"name a readable file of certificates in PEM form in {named}, or unset it"
        raise _mistake(named, message, fix) from exc
    tls.load_default_certs()
    if bundle is not None:
        try:
            tls.load_verify_locations(cafile=bundle)
        except (OSError, ssl.SSLError) as exc:
            message = f"the certificates in {bundle} cannot be read ({exc})"
            raise _mistake("ca_bundle", message, "name a readable file in PEM form") from exc
    return tls


@cache
def _usual_certificates() -> ssl.SSLContext:
    """Return the context that all clients share; reading the roots costs more than a request."""
    tls = _context("", "")
    tls.load_default_certs()
    return tls


def _context(named: str, place: str) -> ssl.SSLContext:
    if named == "SSL_CERT_FILE":
        return ssl.create_default_context(cafile=place)
    if named == "SSL_CERT_DIR":
        os.listdir(place)  # noqa: PTH208 - only to raise for a folder that is not there
        return ssl.create_default_context(capath=place)
    return httpx.create_ssl_context(trust_env=False)


def _proxy(variable: str, text: str) -> httpx.Proxy:
    address = text if "://" in text else f"http://{text}"
    shown = address.rpartition("@")[2]  # without user and password
    fix = f"write {variable} like http://proxy.example.com:3128, or unset it"
    if address.lower().startswith("socks"):
        message = "it names a SOCKS proxy, which is not supported"
        raise _mistake(variable, message, "set HTTPS_PROXY to an HTTP proxy, or unset both")
    try:
        url = httpx.URL(address)
        if not url.host:
            raise _mistake(variable, f"{shown!r} names no host", fix)
        if (url.port or 1) not in range(1, 65536):
            raise _mistake(variable, f"{shown!r} is not the address of a proxy", fix)
        return httpx.Proxy(url)
    except (httpx.InvalidURL, ValueError) as exc:
        raise _mistake(variable, f"{shown!r} is not the address of a proxy", fix) from exc


def _mistake(variable: str, message: str, fix: str) -> ConfigError:
    return ConfigError([ConfigMistake(ENVIRONMENT, 0, variable, message, fix)])


def _matches(host: str, port: int | None, entry: str) -> bool:
    """Return whether NO_PROXY's entry means this host: a name, an address, a range, or all."""
    if entry == "*":
        return True
    entry = entry.rpartition("://")[2]
    if (network := _network(entry)) is not None:
        try:
            return ipaddress.ip_address(host) in network
        except ValueError:
            return False  # a name; it is not resolved to find out
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit():
        if port != int(number):
            return False
        return _matches(host, None, name.strip("[]"))
    domain = entry.removeprefix("*").strip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None
