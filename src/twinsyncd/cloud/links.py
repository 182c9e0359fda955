"""Decides which links of an answer may be followed with the token, and on which host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

import httpx

_RUN: Final = re.compile(r"/(storage|manifest)?connections/([^/?#]+)/runs/([^/?#]+)", re.IGNORECASE)


def same_party(url: httpx.URL, known: httpx.URL) -> bool:
    """Return whether secrets meant for `known` may go to `url`.

    That is the very same origin, or, encrypted, a sibling below the same parent domain: the
    platform has been seen to answer with links to another host of its own.
    """
    if (url.scheme, url.host, url.port) == (known.scheme, known.host, known.port):
        return True
    parent = known.host.split(".")[-2:]
    named = len(parent) == 2 and not parent[-1].isdigit()
    return named and url.scheme == "https" and url.host.split(".")[-2:] == parent


def resolve(link: str, api: httpx.URL) -> httpx.URL:
    """Return the URL to call for a link of an answer: absolute, relative, or on a proxied host.

    A link to a stranger's host keeps its path and goes to the API's own host, so that no
    stranger gets the token.
    """
    url = httpx.URL(f"{api}/").join(link)
    if same_party(url, api):
        return url
    return httpx.URL(str(api).rstrip("/") + url.raw_path.decode("ascii"))


def last_segment(link: str) -> str:
    """Return the id at the end of a link, "" if it has none."""
    return httpx.URL(link).path.rstrip("/").rpartition("/")[2]


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
