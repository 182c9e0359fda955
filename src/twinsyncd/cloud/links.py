"""Decides which hosts get the token or the secret, and which get a file's content."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Self

import httpx

PLATFORM_DOMAIN: Final = "bentley.com"
"""The platform answers with links to other hosts of its own; all of them are below this name."""

_RUN: Final = re.compile(r"/(storage|manifest)?connections/([^/?#]+)/runs/([^/?#]+)", re.IGNORECASE)

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def same_party(url: httpx.URL, known: httpx.URL, trusted: Collection[str] = ()) -> bool:
    """Return whether secrets meant for `known` may go to `url`.

    That is the very same origin; or, encrypted, a host of the platform if `known` is one, or a
    host that the configuration names in `trusted`. No other host is inferred from its name: the
    neighbours below a suffix like co.uk are strangers.
    """
    if (url.scheme, url.host, url.port) == (known.scheme, known.host, known.port):
        return True
    if url.scheme != "https":
        return False
    both_of_platform = is_below(url.host, PLATFORM_DOMAIN) and is_below(known.host, PLATFORM_DOMAIN)
    return both_of_platform or url.host in trusted


def is_below(host: str, domain: str) -> bool:
    """Return whether the host is this domain or one below it."""
    return host == domain or host.endswith(f".{domain}")


def is_loopback(host: str) -> bool:
    """Return whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def resolve(link: str, api: httpx.URL, trusted: Collection[str] = ()) -> httpx.URL:
    """Return the URL to call for a link of an answer: absolute, relative, or on a proxied host.

    A link to a stranger's host keeps its path and goes to the API's own host, so that no
    stranger gets the token.
    """
    url = httpx.URL(f"{api}/").join(link)
    if same_party(url, api, trusted):
        return url
    return httpx.URL(str(api).rstrip("/") + url.raw_path.decode("ascii"))


def last_segment(link: str) -> str:
    """Return the id at the end of a link, "" if it has none."""
    return httpx.URL(link).path.rstrip("/").rpartition("/")[2]


def names_run(link: str) -> bool:
    """Return whether a link can be that of a run: by its path, or by the id it ends with."""
    return bool(_RUN.search(link) or _ID.fullmatch(last_segment(link)))


@dataclass(frozen=True, slots=True)
class RunAddress:
    """Which run: kind is `storageconnections` or `manifestconnections`."""

    kind: str
    connection_id: str
    run_id: str

    @classmethod
    def read(cls, text: str, *, connection_id: str = "") -> Self:
        """Read a run link (absolute, relative, any letter case) or `str(address)`.

        A link of an older shape still ends with the run's id; it then belongs to `connection_id`.
        """
        found = _RUN.search(text)
        if found is None:
            return cls("storageconnections", connection_id, last_segment(text))
        kind = (found[1] or "storage").lower()
        return cls(f"{kind}connections", found[2], found[3])

    def __str__(self) -> str:
        """Read as the path below the API; equal runs give equal text."""
        return f"/synchronization/imodels/{self.kind}/{self.connection_id}/runs/{self.run_id}"
