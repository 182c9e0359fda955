"""The words for a failed call: what happened and, where known, what a person can do about it.

Every cause has its own sentence, since the cause is what the reader must find.
"""

from __future__ import annotations

import re
import socket
from typing import Final

import httpx

from .links import is_loopback
from .values import ServiceError

_ASK_ADMIN: Final = "ask an administrator of the iTwin to give this application a role there"
_WITH: Final = " that has the permission "
_BY_STATUS: Final = {
    401: "the platform does not accept the credentials; check client id and secret",
    407: "the proxy requires a sign-in (HTTP 407); write user:password@ in front of its name in "
    "HTTPS_PROXY, or in proxy below [platform]",
    408: "the service gave up waiting for the request (HTTP 408)",
    413: "it is too large for the service (HTTP 413)",
    429: "the service limits the request rate (HTTP 429)",
    500: "the service has an internal error (HTTP 500)",
    502: "a gateway in front of the service gets no valid answer from it (HTTP 502)",
    503: "the service is temporarily unavailable (HTTP 503)",
    504: "a gateway in front of the service gets no answer from it in time (HTTP 504)",
}
QUOTA: Final = (
    "the storage quota is used up; delete files there or ask the administrator of the account for "
    "more space"
)
START_LOCALTWIN: Final = (
    "if that is localtwin, start it with the --data it had before: twinsyncd local"
)
PROXY_USED: Final = "twinsyncd_proxy"  # the extension of a request that names its proxy
_SET_PROXY: Final = "correct HTTPS_PROXY, or proxy below [platform]"
_LIMITED: Final = ("api", "operation", "application", "tier")  # as the headers end
_LIMITED_MAX: Final = 80  # a header is no place for a letter
_UNTRUSTED: Final = (
    "the service cannot be reached safely: its certificate is not trusted here; if a proxy "
    "inspects encrypted traffic, install the proxy's certificate on this machine or name its file "
    "in SSL_CERT_FILE; else check the address and the clock"
)
_NO_DNS: Final = re.compile(
    r"name or service not known|name resolution|getaddrinfo|nodename nor servname|"
    r"no address associated|name does not resolve",
    re.IGNORECASE,
)
_TITLE: Final = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
_HTML: Final = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body)", re.IGNORECASE
)


def web_page(response: httpx.Response) -> str | None:
    """Return the title of a web page that was sent instead of an answer; None if it is none.

    The platform and the blob host never send HTML; proxies, firewalls and guest networks do.
    """
    declared = "text/html" in response.headers.get("content-type", "").lower()
    if not declared and not _HTML.match(response.content):
        return None
    title = _TITLE.search(response.content)
    return " ".join(title[1].decode("utf-8", "replace").split()) if title else ""


def of_web_page(response: httpx.Response, title: str) -> str:
    """Return the words for a web page instead of an answer."""
    status, url = response.status_code, _url(response)
    named = f' "{title}"' if title else ""
    if status == 407:
        return _BY_STATUS[407]
    own = _BY_STATUS.get(status, "") if status >= 500 else ""
    found = f"a web page{named} was returned instead of an answer (HTTP {status})"
    if url is not None and is_loopback(url.host):
        return (
            f"{found}: another program of this machine serves {_place(url)}; correct api_url and "
            "issuer_url, below [platform], to what localtwin prints: twinsyncd local"
        )
    if own:
        return f"{own}; {found}"
    return (
        f"{found}: a proxy, a firewall or a guest network intervenes; open the address in a "
        "browser on this machine, or ask whoever runs the network"
    )


def of_redirect(status: int, location: str) -> str:
    """Return the words for a redirect where none is expected."""
    host = httpx.URL(location).host if "://" in location else ""
    where = f"to {host}" if host else "elsewhere"
    return (
        f"the request is redirected {where} (HTTP {status}): a proxy or guest network requires a "
        "sign-in in a browser, or the address in the configuration is wrong"
    )


def of_status(status: int, answer: ServiceError, subject: str) -> str:
    """Return the words for an error of the service; `subject` names what the call is about."""
    ours = _BY_STATUS.get(status, "")
    if status in {404, 410}:
        ours = f"{subject} does not exist (any more), or this application has no access to it"
    theirs = answer.message
    if answer.details:
        theirs = (
            f"{theirs.rstrip('.')}: {'; '.join(answer.details)}" if theirs else answer.details[0]
        )
    if not theirs:
        return ours or f"the service answered HTTP {status}"
    return f"{ours} (the service: {theirs})" if ours else theirs


def of_denial(needed: str, answer: ServiceError) -> str:
    """Return the words for a missing permission; `needed` is its name, "" if that is not known."""
    role = f"{_ASK_ADMIN}{_WITH}{needed}" if needed else _ASK_ADMIN
    theirs = "; ".join((answer.message, *answer.details)).strip("; ")
    return f"not permitted; {role} (the service: {theirs})" if theirs else f"not permitted; {role}"


def of_rate_limit(headers: httpx.Headers) -> str:
    """Return what a 429 says of the limit that was met: whose, and of what; "" if nothing.

    Source: iTwin Platform, "Rate limits", response headers.
    """
    named = ((word, headers.get(f"itwinplatform-ratelimited-{word}", "")) for word in _LIMITED)
    found = [f"{word} {text[:_LIMITED_MAX]}" for word, text in named if text]
    return f" [{', '.join(found)}]" if found else ""


def of_exception(exc: Exception) -> str:
    """Return the words for a call without an answer."""
    host, proxy = _host(exc), _proxy(exc)
    match exc:
        case httpx.PoolTimeout():
            return "all connections to the service are busy"
        case httpx.ConnectTimeout() if proxy:
            return (
                f"{host} cannot be reached through the proxy {proxy}: no answer; ask whoever runs "
                f"the proxy, or {_SET_PROXY}"
            )
        case httpx.ConnectTimeout():
            return f"{host} cannot be reached: no answer; check the network and the firewall"
        case httpx.TimeoutException():
            return f"{host} did not answer in time"
        case httpx.ProxyError() if "407" in str(exc):
            return _BY_STATUS[407]
        case httpx.ProxyError():
            return f"the proxy{proxy and f' {proxy}'} does not connect to {host}: {exc}"
        case httpx.ConnectError():
            return _of_no_connection(exc, host)
        case httpx.InvalidURL():
            return f"the address is not valid: {exc}"
        case httpx.HTTPError():
            return f"the connection to {host} broke: {str(exc) or type(exc).__name__}"
        case _:
            return f"the answer cannot be read: {exc}"


def _of_no_connection(exc: httpx.ConnectError, host: str) -> str:
    text = str(exc)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return _UNTRUSTED
    if "SSL" in text or "TLS" in text:
        return f"{host} cannot be reached safely: {text}; is it a plain http address or a proxy?"
    if proxy := _proxy(exc):
        return f"the proxy {proxy} cannot be reached: {text}; start it, or {_SET_PROXY}"
    if _NO_DNS.search(text) or _is_caused_by(exc, socket.gaierror):
        return f"the name {host} cannot be resolved (DNS); check the network and the address"
    if is_loopback(host) and "refused" in text:
        return f"nothing listens on this machine at {_place(exc.request.url)}; {START_LOCALTWIN}"
    return f"{host} cannot be reached: {text}"


def _url(response: httpx.Response) -> httpx.URL | None:
    """Return what was asked; None for an answer that belongs to no request."""
    try:
        return response.url
    except RuntimeError:  # httpx: no request was set
        return None


def _place(url: httpx.URL) -> str:
    return f"{url.host}:{url.port or (443 if url.scheme == 'https' else 80)}"


def _is_caused_by(exc: BaseException, kind: type[BaseException]) -> bool:
    cause: BaseException | None = exc
    for _ in range(10):  # a chain of causes is short
        if cause is None:
            return False
        if isinstance(cause, kind):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _host(exc: Exception) -> str:
    """Return the host that was called, as far as it is known."""
    request = _request(exc)
    return request.url.host if request is not None else "the service"


def _proxy(exc: Exception) -> str:
    """Return host and port of the proxy that the call went to; "" for none."""
    request = _request(exc)
    return request.extensions.get(PROXY_USED, "") if request is not None else ""


def _request(exc: Exception) -> httpx.Request | None:
    try:
        return exc.request if isinstance(exc, httpx.RequestError) else None
    except RuntimeError:  # httpx: no request was set
        return None
