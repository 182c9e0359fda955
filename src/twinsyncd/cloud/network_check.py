"""Looks how the platform's hosts are reached: proxy, certificate, and whether the clocks agree."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx

from ..core.progress import SET_CLOCK, SKEW_WARNED_S
from . import faults
from .access_check import CheckResult
from .fault_text import START_LOCALTWIN
from .links import is_loopback
from .network import Proxies
from .platform_clock import ahead_of
from .session import Cloud

SKEW_MAX_S: Final = 300.0  # beyond this tokens count as expired or as future


def examine_network(
    cloud: Cloud,
    proxies: Proxies,
    urls: tuple[str, ...],
    now: Callable[[], float] = time.time,
) -> Iterator[CheckResult]:
    """Ask each host once, without any credentials; yields how it is reached, and the clock's error.

    `now` is the wall clock [s]. What the hosts answer does not matter, as long as they do.
    """
    skew_s: float | None = None
    for url in dict.fromkeys(urls):
        address = httpx.URL(url)
        step = f"reach {address.host}"
        way = _way(proxies, address)
        try:
            with cloud.issuer.http.stream("GET", f"{url.rstrip('/')}/") as answer:
                issuer = _certificate_issuer(answer)
                skew_s = ahead_of(answer, now()) if skew_s is None else skew_s
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            message = faults.error_from("reach it", exc).failure.message
            yield CheckResult(step, False, f"{message} (tried {way})", _fix(proxies, address))
        else:
            yield CheckResult(step, True, f"{way}{issuer}")
    if skew_s is not None:
        yield _clock(skew_s)


def _way(proxies: Proxies, address: httpx.URL) -> str:
    proxy = proxies.proxy_for(address)
    if proxy is not None:
        return f"through the proxy {proxy.url.host}:{proxy.url.port or 80}"
    by_choice = proxies.is_direct(address) and not is_loopback(address.host)
    return "directly, as NO_PROXY says" if by_choice else "directly"


def _fix(proxies: Proxies, address: httpx.URL) -> str:
    if proxies.proxy_for(address) is not None:
        return f"check the proxy; if it must not be used, add {address.host} to NO_PROXY"
    if is_loopback(address.host):
        return f"start the program that serves this address; {START_LOCALTWIN}"
    return (
        "check the network and the firewall; if this network needs a proxy, set "
        "HTTPS_PROXY=http://proxy.example.com:3128"
    )


def _certificate_issuer(answer: httpx.Response) -> str:
    """Return who vouches for the host; an office's own name here means an inspecting proxy."""
    stream = answer.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    if not isinstance(tls, ssl.SSLObject | ssl.SSLSocket):
        return "" if answer.url.scheme == "https" else ", not encrypted"
    certificate = tls.getpeercert() or {}
    issuer: Any = certificate.get("issuer", ())
    names = {key: value for part in issuer for key, value in part}
    name = names.get("organizationName") or names.get("commonName") or "an unnamed authority"
    return f", with a certificate of {name} until {certificate.get('notAfter', 'an unknown day')}"


def _clock(skew_s: float) -> CheckResult:
    step = "compare the clock with the platform's"
    way = "ahead" if skew_s > 0 else "behind"
    off = f"this machine's clock is {abs(skew_s):.0f} s {way}"
    if abs(skew_s) > SKEW_MAX_S:
        return CheckResult(step, False, f"{off}, so sign-ins are refused", SET_CLOCK, "clock")
    if abs(skew_s) > SKEW_WARNED_S:
        return CheckResult(step, True, off, SET_CLOCK, "clock")
    return CheckResult(step, True, "they agree", topic="clock")
