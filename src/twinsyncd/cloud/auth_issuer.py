"""Finds the endpoints of the sign-in service; decides where secrets may go.

Source: OpenID Connect Discovery 1.0, 4 (token_endpoint, authorization_endpoint), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Collection

import httpx

from . import wire
from .links import same_party
from .members import Unreadable


class Issuer:
    """One sign-in service. Its endpoints are as discovered, or at the usual paths below it.

    A discovered endpoint must be on the issuer's own host, or on one that the configuration
    trusts: secrets go there. Every method raises httpx.HTTPError when the issuer does not answer.
    """

    def __init__(self, http: httpx.Client, url: str, trusted: Collection[str] = ()) -> None:
        """Ask nothing before the first question; `http` signs nothing."""
        self.http = http
        self.url = url.rstrip("/")
        self._trusted = trusted
        self._discovered = b""

    def token_endpoint(self) -> httpx.URL:
        """Return where tokens are requested."""
        return self._endpoint("token_endpoint", "connect/token")

    def authorization_endpoint(self) -> httpx.URL:
        """Return which page a person signs in at."""
        return self._endpoint("authorization_endpoint", "connect/authorize")

    def _endpoint(self, name: str, usual_path: str) -> httpx.URL:
        usual = httpx.URL(f"{self.url}/{usual_path}")
        if not self._discovered:
            answer = self.http.get(f"{self.url}/.well-known/openid-configuration")
            if answer.status_code != 200:
                return usual
            self._discovered = answer.content
        try:
            found = httpx.URL(wire.endpoint(self._discovered, name))
        except (Unreadable, httpx.InvalidURL):
            self._discovered = b""  # a page of the network between, perhaps
            return usual
        return found if same_party(found, httpx.URL(self.url), self._trusted) else usual
